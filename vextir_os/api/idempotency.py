"""`Idempotency-Key`: a request that is sent twice makes its events once. Ids are pure; one document keeps the key.

Source: IETF draft-ietf-httpapi-idempotency-key-header-07. Ids of events that carry none are derived from the key, so
that a second request names the same events and the record of each is found instead of made. The document remembers
what was sent under the key: another request under the same key would otherwise be answered and dropped.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from vextir_os.api.problem import Problem, RefusedError
from vextir_os.errors import AlreadyExistsError, shown
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.events.ids import derive
from vextir_os.ports.store import Store
from vextir_os.runs.record import STATE

_KEY = re.compile(r'"?([\x21\x23-\x5b\x5d-\x7e]{1,255})"?')


def read_key(values: Sequence[str]) -> str | None:
    """Return the key of a request, without its quotes; None when it has none.

    Args:
        values: All values of the header `Idempotency-Key`.

    Raises:
        RefusedError: 400, for two of them or one of a wrong form.
    """
    if not values:
        return None
    found = _KEY.fullmatch(values[0]) if len(values) == 1 else None
    if found is None:
        raise RefusedError(
            Problem(
                status=400,
                code=RefusedError.code,
                detail="Idempotency-Key is not one text of 1 to 255 visible ASCII characters",
                hint='Write it as "8e03978e-40d5-43e8-bc93-6894a57f9324", a new one for each request',
            )
        )
    return found[1]


def name_events(events: Sequence[Event], key: str, who: Principal) -> list[Event]:
    """Return the events with ids; where one has none, it is derived from the key, the sender and its place."""
    return [
        event if event.id else event.but(id=derive("http", who.tenant, who.id, key, index))
        for index, event in enumerate(events)
    ]


def fingerprint(content_type: str, headers: Iterable[tuple[str, str]], body: bytes) -> str:
    """Return the SHA-256 of what makes the events of a request: its content type, its `ce-*` headers, its body."""
    attributes = sorted((name.lower(), value) for name, value in headers if name.lower().startswith("ce-"))
    return hashlib.sha256(repr((content_type, attributes)).encode() + b"\n" + body).hexdigest()


async def remember(store: Store, key: str, who: Principal, request: str, *, ttl_s: int) -> None:
    """Keep what was sent under a key.

    Args:
        store: Where it is kept.
        key: From `read_key`.
        who: Who sent it; another sender's key is another key.
        request: From `fingerprint`.
        ttl_s: How long it is kept.

    Raises:
        RefusedError: 422, another request was sent under the key.
        StoreError: The store cannot be used.
    """
    name, pk = derive("http-key", who.tenant, who.id, key), f"{who.tenant}~http-key"
    try:
        await store.create(STATE, {"v": 1, "id": name, "pk": pk, "kind": "http-key", "request": request, "ttl": ttl_s})
    except AlreadyExistsError:
        known = await store.read(STATE, pk, name)
        if known.document["request"] != request:
            raise RefusedError(
                Problem(
                    status=422,
                    code=RefusedError.code,
                    detail=f"another request was sent under the Idempotency-Key {shown(key)}; nothing was accepted",
                    hint="Use a new key for each request, and the same one only to send that request again",
                )
            ) from None
