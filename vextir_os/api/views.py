"""What is answered about one event: its record, with large data and outputs back in their places. Read only."""

from typing import Any

from vextir_os.errors import BlobMismatchError, NotFoundError
from vextir_os.events import jsonio
from vextir_os.events.limits import BLOB_BYTES
from vextir_os.kernel import Kernel
from vextir_os.runs import reading
from vextir_os.runs.claimcheck import SCHEME, encoded_out, size_of

VIEW_BYTES = BLOB_BYTES
"""Data and outputs of one answer that come out of claim checks, together, at most."""


async def event_view(kernel: Kernel, event_id: str) -> dict[str, Any] | None:
    """Return the view of an event of the kernel's tenant, as `reading.view` has it, or None when there is no record.

    What lies behind claim checks is put back in its place, the event's data first, as long as it fits `VIEW_BYTES`;
    what does not fit, or is damaged, keeps its `dataref` or `output_ref`.

    Raises:
        StoreError: The store cannot be used.
    """
    record = await reading.find(kernel.store, kernel.settings.tenant, event_id)
    if record is None:
        return None
    shown = reading.view(record)
    left = VIEW_BYTES
    event = dict(shown["event"])
    if event.get("dataref", "").startswith(SCHEME):
        left = await _put_back(kernel, record["id"], event, "dataref", "data", left)
    runs = {}
    for driver, run in shown["runs"].items():
        runs[driver] = dict(run)
        if "output_ref" in run:
            left = await _put_back(kernel, record["id"], runs[driver], "output_ref", "output", left)
    return {**shown, "event": event, "runs": runs}


async def _put_back(kernel: Kernel, record: str, holder: dict[str, Any], ref: str, name: str, left: int) -> int:
    """Replace a reference by what it stands for; return how many bytes are left."""
    size = size_of(holder[ref])
    if size > left:
        return left
    try:
        holder[name] = jsonio.Raw(await encoded_out(record, holder[ref], kernel.blobs))
    except (NotFoundError, BlobMismatchError):
        return left
    del holder[ref]
    return left - size
