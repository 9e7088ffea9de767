"""Who may come in: by the Host that is asked for, the Origin that asks, and the key. Pure; knows no route.

The Host check is what stops DNS rebinding: a page of a stranger whose name is made to point here still says its own
name. The Origin check stops pages of strangers that send without reading.
"""

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vextir_os.api.problem import Problem, RefusedError
from vextir_os.errors import AuthError, SettingsError, shown

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Names of this machine that are always answered to, with any port."""

KEY_CHARS = 32
"""A key is at least this long."""

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(?::([0-9]{1,5}))?")
_PORTS = {"http": 80, "https": 443}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="vextir"'}


class Headers(Protocol):
    """Headers of a request; names in any case of letters."""

    def getlist(self, key: str) -> list[str]:
        """Return all values of a header, in their order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """What a request must bring.

    Attributes:
        hosts: Names under which the OS is reached, in lower case, without a port.
        digest: SHA-256 of the key.
    """

    hosts: frozenset[str]
    digest: bytes = field(repr=False)


def door(key: str, hosts: Iterable[str]) -> Door:
    """Return the door for a key and for host names beside those of this machine.

    Raises:
        SettingsError: The key is too short, or a host is no name: it has a scheme, a port or a wildcard.
    """
    if len(key) < KEY_CHARS or not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(f"the API key is not at least {KEY_CHARS} visible ASCII characters", where="api key")
    names = set(LOOPBACK)
    for host in hosts:
        found = _HOST.fullmatch(host)
        if found is None or found[2] is not None:
            raise SettingsError(
                f"host {shown(host)} is no host name", hint="Write it as `vextir.example.com`, without scheme and port"
            )
        names.add(found[1].lower())
    return Door(hosts=frozenset(names), digest=_digest(key))


def refusal(door: Door, headers: Headers, *, scheme: str, with_key: bool) -> Problem | None:
    """Return why a request may not come in, or None.

    Args:
        door: What is asked of it.
        headers: Its headers.
        scheme: `http` or `https`, as it came in.
        with_key: Whether it must bring the key.
    """
    hosts = headers.getlist("host")
    found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
    if found is None:
        return Problem(status=400, code=RefusedError.code, detail="the request has no single, well-formed Host header")
    host = found[1].lower()
    if host not in door.hosts:
        return Problem(
            status=421,
            code=AuthError.code,
            detail=f"this server does not answer for host {shown(host)}",
            hint="Ask for localhost, or serve with --public and this host",
        )
    own = (scheme, host, int(found[2]) if found[2] else _PORTS.get(scheme))
    if any(_origin(origin) != own for origin in headers.getlist("origin")):
        return Problem(
            status=403,
            code=AuthError.code,
            detail="requests of pages from another origin are refused",
            hint="Send from a program, or from a page that this server has sent",
        )
    return _key_refusal(door, headers) if with_key else None


def from_this_machine(client: tuple[str, int] | None) -> bool:
    """Whether the other end of a connection is on this machine: a loopback address, no name, no socket file."""
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False


def _key_refusal(door: Door, headers: Headers) -> Problem | None:
    given = _keys(headers)
    if len(given) > 1:
        return _unknown("the request has more than one key", "Send one: `Authorization: Bearer KEY` or `X-API-Key`")
    if not given:
        return _unknown("the request has no key", "Send `Authorization: Bearer KEY` or `X-API-Key: KEY`")
    # INVARIANT: digests are compared, in constant time, so that neither content nor length of the key shows.
    if not hmac.compare_digest(_digest(given[0]), door.digest):
        return _unknown("the key is wrong", "It is in the file api.key in the data directory of the OS")
    return None


def _keys(headers: Headers) -> Sequence[str]:
    keys = headers.getlist("x-api-key")
    for value in headers.getlist("authorization"):
        kind, _, key = value.partition(" ")
        keys.append(key.strip() if kind.lower() == "bearer" else "")
    return keys


def _unknown(detail: str, hint: str) -> Problem:
    return Problem(status=401, code=AuthError.code, detail=detail, hint=hint, headers=_CHALLENGE)


def _origin(text: str) -> tuple[str, str, int | None] | None:
    scheme, _, rest = text.lower().partition("://")
    found = _HOST.fullmatch(rest)
    return (scheme, found[1], int(found[2]) if found[2] else _PORTS.get(scheme)) if found else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
