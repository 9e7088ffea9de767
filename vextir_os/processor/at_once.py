"""`delivery: idempotent`: the drivers run first, then the record is created finished. One write instead of two.

PROTOCOL 4, the mode of that name. Two deliveries of one event may run its drivers at the same time, and a crash before
the write runs them again; only the commit and what it publishes happen once. A driver that says so bears that.
"""

import asyncio

from vextir_os.processor.admit import first_record
from vextir_os.processor.attempt import attempt
from vextir_os.processor.commit import change_for
from vextir_os.processor.execute import tell
from vextir_os.processor.turn import Next, Parts, Settlement, Turn
from vextir_os.runs.keeper import Change, Effect, Keeper, ScheduledMessage
from vextir_os.runs.transitions import Hold, needs_renewal

_DELIVERIES = 3
"""A later delivery goes the long way, so that a driver that kills its process is counted."""


async def at_once(parts: Parts, turn: Turn, following: Next) -> Settlement:
    """Run the drivers and create the record with their outcomes, if every driver of the event allows it."""
    if not _allowed(turn):
        return await following(turn)
    record, hold = first_record(parts, turn), Hold(1, turn.owner)
    attempts = [attempt(parts, turn, manifest, record) for manifest in turn.drivers]
    outcomes = [await attempts[0]] if len(attempts) == 1 else await asyncio.gather(*attempts)
    now = parts.desk.clock.time()
    effects: list[Effect] = []
    knocks: list[ScheduledMessage] = []
    for manifest, outcome in zip(turn.drivers, outcomes, strict=True):
        change = change_for(parts, record, manifest, hold, outcome, now)
        record = change.record
        effects.extend(change.effects)
        knocks.extend(change.knocks)
    first = Change(record=record, effects=effects, knocks=knocks)
    keeper = await Keeper.create(parts.desk, first, settle=turn.delivery.token)
    if keeper is None:
        # Another delivery was first: what counts and what is published is what the record holds.
        return await following(turn)
    parts.observer.admitted(turn, keeper.record)
    for manifest, outcome in zip(turn.drivers, outcomes, strict=True):
        tell(parts, turn, manifest.id, outcome, keeper.record)
    return "complete" if parts.desk.atomic is None else "settled"


def _allowed(turn: Turn) -> bool:
    return (
        turn.knock is None
        and turn.delivery.count <= _DELIVERIES
        and bool(turn.drivers)
        and not turn.waits
        and all(
            driver.delivery == "idempotent" and driver.isolation == "inline" and not needs_renewal(driver.timeout_s)
            for driver in turn.drivers
        )
    )
