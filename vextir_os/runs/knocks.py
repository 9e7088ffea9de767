"""Knocks for runs, to the lanes that execute them. Pure but for the signature."""

from collections.abc import Iterable

from vextir_os.runs.keeper import Desk, ScheduledMessage
from vextir_os.runs.messages import Knock, knock_message
from vextir_os.runs.record import RecordDoc


def knocks(
    desk: Desk, record: RecordDoc, drivers: Iterable[str], *, mark: str, at: float | None = None
) -> list[ScheduledMessage]:
    """Return a knock at a record for each lane that the runs of these drivers have.

    Args:
        desk: Signs them.
        record: With the runs.
        drivers: Whose runs are to be looked at.
        mark: What tells these knocks from others at the same record.
        at: Epoch seconds; None for now.
    """
    message = knock_message(
        desk.signer,
        Knock(record["id"], record["pk"]),
        id=f"{record['event_id']}~{mark}",
        flow=record["id"].partition("~")[0],
    )
    lanes = {record["runs"][driver].get("lane", "batch") for driver in drivers}
    return [ScheduledMessage(message, at, lane) for lane in sorted(lanes)]
