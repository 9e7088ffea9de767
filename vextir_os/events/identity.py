"""On whose behalf: the principal, and the signature by which the OS knows its own messages. Pure."""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Purpose = Literal["event", "inbound", "knock"]
"""What a signed message is. A signature for one is none for another."""

PrincipalKind = Literal["user", "agent", "driver", "system"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who acts: a user, an agent, a driver or the system, in which tenant, with which roles.

    `str()` gives the form that policies match: `user:ann`, `driver:mail.reader`, `system:sweep`.
    """

    kind: PrincipalKind
    id: str
    tenant: str
    roles: tuple[str, ...] = ()
    max_priority: int = 6
    """Highest priority that this principal may ask for; the edge lowers what is above."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@lru_cache(4096)
def user_of(user: str, tenant: str) -> Principal:
    """Return the user of a tenant, as events name him; an event without a user has the one with the empty id."""
    return Principal(kind="user", id=user, tenant=tenant)


class Signer:
    """Signs and checks what the OS itself puts on the queue: keyed BLAKE2b (RFC 7693) over purpose and body.

    Args:
        key: 32 to 64 random bytes, shared by all processes of one installation.
    """

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if not 32 <= len(key) <= 64:
            raise ValueError(f"a signing key has 32 to 64 bytes, this one has {len(key)}")
        self._key = key

    def sign(self, purpose: Purpose, body: bytes) -> str:
        """Return the signature of a body as 64 hex digits."""
        return hashlib.blake2b(body, digest_size=32, key=self._key, person=purpose.encode()).hexdigest()

    def verify(self, purpose: Purpose, body: bytes, signature: object) -> bool:
        """Whether the signature is ours; compared in constant time."""
        if not isinstance(signature, str) or not signature.isascii():
            return False
        return hmac.compare_digest(self.sign(purpose, body), signature)

    def __repr__(self) -> str:
        return "Signer(key=…)"
