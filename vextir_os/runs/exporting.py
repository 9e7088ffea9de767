"""Records on their way out: each with its large data, one at a time. Read only; takes the tenant, always."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from vextir_os.events import jsonio
from vextir_os.events.filters import EventFilter
from vextir_os.ports.blobs import Blobs
from vextir_os.ports.store import Store
from vextir_os.runs import history, reading
from vextir_os.runs.claimcheck import SCHEME, encoded_out
from vextir_os.runs.record import EVENTS

_PAGE = 50

KeepApart = Callable[[bytes], Awaitable[str]]
"""Writes bytes to a file beside the lines, and returns their SHA-256 in hex."""


async def wanted(store: Store, tenant: str, keep: EventFilter, *, now: float) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the tenant's records that a filter keeps, the oldest first, as far as they were there at `now`."""
    continuation = ""
    while True:
        page = await store.query(EVENTS, limit=_PAGE, continuation=continuation)
        for item in page.items:
            record = item.document
            if record["created"] > now:
                return
            if record["id"].startswith(f"{tenant}~") and keep.matches(reading.row(record), now):
                yield record
        continuation = page.continuation
        if not continuation:
            return


async def line(record: Mapping[str, Any], blobs: Blobs, keep_apart: KeepApart | None) -> dict[str, Any]:
    """Return a record as a line, with its large data: in the line, or in files beside it.

    Args:
        record: As it is stored.
        blobs: Where its large data is.
        keep_apart: Takes it; None puts it into the line.

    Raises:
        NotFoundError, BlobMismatchError: Data of it is gone, or damaged.
    """
    found = history.exported(record)
    apart: dict[str, Any] = {}
    dataref = record["event"].get("dataref", "")
    if dataref.startswith(SCHEME):
        raw = await encoded_out(record["id"], dataref, blobs)
        if keep_apart is None:
            found["event"]["data"] = jsonio.loads(raw)
        else:
            apart["event"] = await keep_apart(raw)
    for driver, run in record["runs"].items():
        if run["output_ref"] is not None:
            raw = await encoded_out(record["id"], run["output_ref"], blobs)
            if keep_apart is None:
                found["runs"][driver]["output"] = jsonio.loads(raw)
            else:
                apart.setdefault("runs", {})[driver] = await keep_apart(raw)
    return {**found, "blobs": apart} if apart else found
