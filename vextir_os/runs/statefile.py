"""Small documents of the container `state` that many change: read, change, write if nobody else has meanwhile."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from vextir_os.errors import AlreadyExistsError, ConflictError, NotFoundError, StoreUnavailableError
from vextir_os.ports.store import Store
from vextir_os.runs.record import STATE

_TRIES = 20
_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0


async def change(
    store: Store, first: Mapping[str, Any], change_it: Callable[[dict[str, Any]], Mapping[str, Any] | None]
) -> dict[str, Any]:
    """Change a document, and return it as it stands then.

    Args:
        store: Where it is.
        first: What it is before anybody has written it.
        change_it: From a copy to the changed one; None when nothing is to be written, as when a copy holds the own
            write, whose answer was lost. Called again on a newer copy; what it raises goes through.

    Raises:
        StoreUnavailableError: The store did not answer, or others were always first.
    """
    error: Exception | None = None
    for number in range(_TRIES):
        document, etag = dict(first), ""
        try:
            stored = await store.read(STATE, first["pk"], first["id"])
            document, etag = stored.document, stored.etag
        except NotFoundError:
            pass
        except StoreUnavailableError as no_answer:
            error = no_answer
            await _pause(number)
            continue
        changed = change_it(document)
        if changed is None:
            return document
        try:
            if etag:
                await store.replace(STATE, changed, if_match=etag)
            else:
                await store.create(STATE, changed)
        except (AlreadyExistsError, ConflictError, NotFoundError) as refused:
            error = refused
        except StoreUnavailableError as no_answer:
            # No answer is not "no": the next copy shows it.
            error = no_answer
            await _pause(number)
        else:
            return dict(changed)
    raise StoreUnavailableError(f"document {STATE}/{first['id']} was changed by others {_TRIES} times") from error


async def _pause(number: int) -> None:
    await asyncio.sleep(min(_LONGEST_PAUSE_S, _PAUSE_S * 2**number))
