"""What became of events: waiting for it through the store, whoever runs them, and the exit code that it means."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from vextir_os.cli.errors import Exit
from vextir_os.errors import NotFoundError, WaitTimeoutError
from vextir_os.events import ids
from vextir_os.events.event import Event
from vextir_os.ports.store import Store
from vextir_os.runs.record import EVENTS, RecordDoc, is_finished, status

_FIRST_S, _LONGEST_S = 0.01, 0.25

_EXITS: Mapping[str, Exit] = {
    "failed": Exit.FAILED,
    "cancelled": Exit.FAILED,
    "denied": Exit.DENIED,
    "waiting": Exit.WAITS,
}
_WORST = (Exit.FAILED, Exit.DENIED, Exit.WAITS)


def exit_of(statuses: Iterable[str]) -> Exit:
    """Return the exit code for statuses of events that are over or wait for a person: the worst, failed first."""
    found = {_EXITS.get(word, Exit.DONE) for word in statuses}
    return next((code for code in _WORST if code in found), Exit.DONE)


def at_rest(record: Mapping[str, Any]) -> bool:
    """Whether a record is finished, or goes on only when a person has answered."""
    if any(run["state"] == "held" for run in record["runs"].values()):
        return True
    return is_finished(cast(RecordDoc, record))


async def wait_for_all(store: Store, events: Sequence[Event], timeout_s: float) -> list[str]:
    """Return the status of each event once all are at rest.

    Args:
        store: Where their records are, or will be.
        events: As they were stamped at the door.
        timeout_s: How long to wait.

    Raises:
        WaitTimeoutError: Some are not over by then.
    """
    found: dict[int, str] = {}
    try:
        async with asyncio.timeout(timeout_s):
            pause = _FIRST_S
            for index, event in enumerate(events):
                while (word := await _resting_status(store, event)) is None:
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, _LONGEST_S)
                found[index] = word
    except TimeoutError:
        open_event = events[len(found)]
        left = len(events) - len(found) - 1
        more = f", and up to {left} others," if left else ""
        raise WaitTimeoutError(
            f"event {open_event.id}{more} did not end within {timeout_s:g} s",
            hint=f"Is the OS running? Run: vextir dev. Then: vextir trace {open_event.id}",
        ) from None
    return [found[index] for index in range(len(events))]


async def _resting_status(store: Store, event: Event) -> str | None:
    record_id = ids.record_id(event.tenantid, event.source, event.id)
    try:
        stored = await store.read(EVENTS, ids.partition(event.tenantid, event.correlationid), record_id)
    except NotFoundError:
        return None
    return status(stored.document) if at_rest(stored.document) else None
