"""One record per event: created with the decision and its runs claimed, or found, and what is claimable of it claimed.

PROTOCOL 4, steps 3 to 5. A duplicate under a live lease writes nothing and sends nothing; it completes.
"""

import asyncio

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import GoneError, LostRunError, NotFoundError, StoreUnavailableError
from vextir_os.events import ids
from vextir_os.processor.claim import ask_limits, claimed, give_back_unclaimed, own_claims
from vextir_os.processor.death import tell_of_death
from vextir_os.processor.keys import advance
from vextir_os.processor.turn import Next, Parts, Settlement, Turn
from vextir_os.runs.keeper import Change, Keeper
from vextir_os.runs.knocks import knocks
from vextir_os.runs.lanes import executes, lane_for
from vextir_os.runs.record import RecordDoc, RunDoc, claimable, new_record, new_run
from vextir_os.runs.transitions import Hold, lease_s

_EARLY_S = 5.0
"""A knock that is this much early waits in process; an earlier one is completed, and the sweep knocks again."""


async def admit(parts: Parts, turn: Turn, following: Next) -> Settlement:
    """Create the record or find it, and go on with the runs that this delivery has claimed."""
    if turn.knock is None:
        turn.keeper = await _create(parts, turn)
        if turn.keeper is not None:
            parts.observer.admitted(turn, turn.keeper.record)
            parts.observer.recorded(turn.keeper.record)
            if turn.waits and any(wait.asks for wait in turn.waits.values()):
                await turn.keeper.refresh()
                await _claim(parts, turn)
            return await following(turn)
        event = turn.the_event
        pk = ids.partition(event.tenantid, event.correlationid)
        record = ids.record_id(event.tenantid, event.source, event.id)
    else:
        pk, record = turn.knock.pk, turn.knock.record_id
    turn.keeper = await _found(parts, turn, pk, record)
    if turn.keeper is None:
        return "complete"
    if "waits" in turn.keeper.record:
        # Whoever has ended a pause may be another process, and this knock the word of it.
        await parts.paused.refresh()
    # The record is the truth: a message of the same id may say something else.
    turn.event, turn.event_json = None, b""
    if turn.keeper.record["cancel"] is not None:
        # Whoever cancelled it may be another process: the knock tells this one.
        parts.stops.end(turn.keeper.record)
        parts.observer.recorded(turn.keeper.record)
    turn.holds = own_claims(turn)
    if not turn.holds and not await _claim(parts, turn):
        await turn.keeper.publish_left()
        if "key" not in turn.keeper.record or not await advance(parts, turn, claims=True):
            return "complete"
        turn.holds = own_claims(turn)
    return await following(turn)


async def _found(parts: Parts, turn: Turn, pk: str, record: str) -> Keeper | None:
    """Return the keeper of a record; None when it was finished, and its retention is over."""
    try:
        return await Keeper.read(parts.desk, pk, record)
    except GoneError:
        return None
    except NotFoundError as error:
        if turn.event is not None:
            # Its creation was refused just now: what was read is an old copy, and this may be the only message.
            raise StoreUnavailableError(f"record {record} is there and was not found; an old copy was read") from error
        return None


def first_record(parts: Parts, turn: Turn) -> RecordDoc:
    """Return the record of this turn's event, with all its runs claimed by this delivery under fence 1."""
    event, now = turn.the_event, parts.desk.clock.time()
    if turn.decision is None:
        raise AssertionError("admit ran before the decision")
    record = new_record(
        id=ids.record_id(event.tenantid, event.source, event.id),
        pk=ids.partition(event.tenantid, event.correlationid),
        event_id=event.id,
        event_json=turn.event_json,
        decision=turn.decision.to_json(),
        runs={driver.id: _first_run(turn, driver, event.priority, now) for driver in turn.drivers},
        now=now,
    )
    if turn.left_out:
        record["left_out"] = dict(turn.left_out)
    return record


def _first_run(turn: Turn, driver: Manifest, priority: int, now: float) -> RunDoc:
    wait = turn.waits.get(driver.id)
    return new_run(
        now=now,
        owner=turn.owner if wait is None else None,
        lease_s=lease_s(driver.timeout_s),
        hashes={"code": driver.code_hash},
        lane=lane_for(timeout_s=driver.timeout_s, priority=priority),
        look_at=None if wait is None else wait.look_at,
        wait=None if wait is None else wait.doc,
        version=driver.version,
    )


async def _create(parts: Parts, turn: Turn) -> Keeper | None:
    record = first_record(parts, turn)
    # A record of which this worker begins nothing is settled in the same write; one with runs that it begins only
    # takes leases, which mean nothing after a power loss: the message is still there then, and creates it anew.
    leaves = len(turn.waits) == len(turn.drivers) and not any(wait.asks for wait in turn.waits.values())
    settle = turn.delivery.token if leaves else None
    elsewhere = [driver for driver, wait in turn.waits.items() if wait.doc is None and not wait.asks]
    first = Change(record=record, knocks=knocks(parts.desk, record, elsewhere, mark="l") if elsewhere else ())
    keeper = await Keeper.create(parts.desk, first, settle=settle, durable=leaves)
    if keeper is not None:
        turn.settled = leaves and parts.desk.atomic is not None
        turn.holds = {driver.id: Hold(1, turn.owner) for driver in turn.drivers if driver.id not in turn.waits}
    return keeper


async def _claim(parts: Parts, turn: Turn) -> bool:
    keeper, ended = turn.the_keeper, list[str]()
    await _wait_if_early(parts, turn)
    await ask_limits(parts, turn)

    def change(record: RecordDoc, now: float) -> Change:
        wanted = claimed(parts, turn, record, now)
        ended[:] = [driver for driver in wanted.touched if wanted.record["runs"][driver]["state"] == "dead"]
        return wanted

    try:
        await keeper.write(change, durable=False)
    except LostRunError:
        await give_back_unclaimed(turn)
        return False
    if turn.places:
        await give_back_unclaimed(turn)
    turn.holds = own_claims(turn)
    for driver in ended:
        tell_of_death(parts, keeper.record, driver)
        parts.observer.ended(turn, keeper.record, driver)
    parts.observer.recorded(keeper.record)
    return True


async def _wait_if_early(parts: Parts, turn: Turn) -> None:
    now = parts.desk.clock.time()
    runs = [run for run in turn.the_keeper.record["runs"].values() if executes(turn.lane, run.get("lane", "batch"))]
    waits = [(run["not_before"] or now) - now for run in runs if run["state"] == "retry"]
    if waits and 0 < min(waits) < _EARLY_S and not any(claimable(run, now=now) for run in runs):
        await asyncio.sleep(min(waits))
