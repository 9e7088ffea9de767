"""Claim check: data too large for a message or record lies in the Blobs port, a reference travels in its place.

A name is a pure function of the record and the bytes: a redelivery writes the same blob, another event that comes under
the same id does not replace it, nor does a worker that lost its run, and a reference can only lead to the blobs of
its own record.
"""

import asyncio
import hashlib
import urllib.parse

from vextir_os.errors import ForgedError, TooLargeError
from vextir_os.events import jsonio
from vextir_os.events.event import Event
from vextir_os.events.ids import record_id
from vextir_os.events.limits import BLOB_BYTES, INLINE_BYTES
from vextir_os.ports.blobs import BlobRef, Blobs

SCHEME = "vextir-blob:"
"""Claim checks of ours; reserved: a message from outside that carries one is forged."""


async def check_in(event: Event, blobs: Blobs) -> Event:
    """Return the event as it may travel: with its data, or with `dataref` when the data is over `INLINE_BYTES`.

    The event has its tenant, source and id already. Raises `TooLargeError` over `BLOB_BYTES`, `InvalidEventError` for
    data that is no JSON.
    """
    if event.data is None:
        return event
    # Megabytes of small parts take seconds; the event loop goes on meanwhile.
    encoded = await asyncio.to_thread(_encoded, event.data)
    if len(encoded) <= INLINE_BYTES:
        return event
    ref = await _put(_place(event), encoded, blobs)
    return event.but(data=None, dataref=_text(ref))


async def check_out(event: Event, blobs: Blobs) -> Event:
    """Return the event with its data, fetched when only a claim check travelled.

    Raises:
        ForgedError: The reference names a blob of another record.
        NotFoundError: The blob is gone.
        BlobMismatchError: The blob is not what the reference names.
    """
    if not event.dataref.startswith(SCHEME):
        return event
    ref = _parse(event.dataref)
    if not ref.name.startswith(_place(event)):
        raise ForgedError(f"event {event.id} carries a claim check of another record")
    return event.but(data=jsonio.loads(await blobs.get(ref)), dataref="")


async def output_in(
    record: str, run: str, output: object, blobs: Blobs, *, limit_bytes: int = INLINE_BYTES
) -> tuple[object, str | None]:
    """Return an output as it may stand on the record: itself and None, or None and a claim check of it.

    Args:
        record: Id of the record.
        run: Names the run and its rerun.
        output: Plain JSON.
        blobs: Where a larger output goes.
        limit_bytes: The largest that stands on the record.
    """
    if output is None:
        return None, None
    encoded = jsonio.dumps(output)
    if len(encoded) <= limit_bytes:
        return jsonio.Raw(encoded), None
    return None, _text(await _put(f"{record}/{run}-", encoded, blobs))


async def encoded_out(record: str, reference: str, blobs: Blobs) -> bytes:
    """Return the JSON behind a claim check of this record, encoded. Raises as `check_out` does."""
    ref = _parse(reference)
    if not ref.name.startswith(f"{record}/"):
        raise ForgedError(f"record {record} carries a claim check of another record")
    return await blobs.get(ref)


def size_of(reference: str) -> int:
    """Return how many bytes a claim check stands for. Raises `ForgedError` for what is none."""
    return _parse(reference).size_bytes


def _encoded(data: object) -> bytes:
    jsonio.check_json(data, limit_bytes=BLOB_BYTES)
    return jsonio.dumps(data)


def _place(event: Event) -> str:
    return f"{record_id(event.tenantid, event.source, event.id)}/data-"


async def _put(place: str, encoded: bytes, blobs: Blobs) -> BlobRef:
    if len(encoded) > BLOB_BYTES:
        raise TooLargeError(
            f"{place.partition('/')[2].rstrip('-')} has {len(encoded)} bytes, at most {BLOB_BYTES} are allowed",
            hint="Keep large data elsewhere and put a link into the event",
        )
    return await blobs.put(f"{place}{hashlib.sha256(encoded).hexdigest()[:32]}", encoded)


def _text(ref: BlobRef) -> str:
    return f"{SCHEME}{urllib.parse.quote(ref.name)}?size={ref.size_bytes}&sha256={ref.sha256}"


def _parse(text: str) -> BlobRef:
    name, _, query = text.removeprefix(SCHEME).partition("?")
    values = dict(urllib.parse.parse_qsl(query))
    try:
        return BlobRef(name=urllib.parse.unquote(name), size_bytes=int(values["size"]), sha256=values["sha256"])
    except (KeyError, ValueError) as error:
        raise ForgedError(f"{text[:80]!r} is no claim check") from error
