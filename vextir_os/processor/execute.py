"""Each claimed run: the driver under its limits, then one write that commits, publishes and settles. Runs are apart:
a failing driver never fails its neighbours, and none waits for a slower one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import LostRunError, StoreUnavailableError
from vextir_os.processor.attempt import Done, attempt
from vextir_os.processor.commit import change_for, held_run
from vextir_os.processor.death import tell_of_death
from vextir_os.processor.places import keep, leave
from vextir_os.processor.turn import Next, Parts, Settlement, Turn
from vextir_os.runs.flow import MARGIN_S
from vextir_os.runs.keeper import Change
from vextir_os.runs.record import RecordDoc
from vextir_os.runs.transitions import Failure, Hold, lease_s, needs_renewal, renew

RETRY_MARGIN_S = 120.0
"""A singleton's place is kept this long after the time of its next attempt."""


async def execute(parts: Parts, turn: Turn, following: Next) -> Settlement:
    """Run what this delivery has claimed, all at once; each commits as soon as it ends."""
    turn.running = len(turn.holds)
    work = [
        _run_in_place(parts, turn, driver, hold) if driver in turn.places else _run(parts, turn, driver, hold)
        for driver, hold in turn.holds.items()
    ]
    if len(work) == 1:
        await work[0]
    else:
        # An infrastructure error of one must not take the others' finished work with it.
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
    return await following(turn)


async def _run_in_place(parts: Parts, turn: Turn, driver: str, hold: Hold) -> None:
    """Run one whose driver has limits, and give up what it holds of them; between two attempts a part is kept."""
    await _run(parts, turn, driver, hold)
    keeper = turn.the_keeper
    run = keeper.record["runs"].get(driver)
    again = run["not_before"] if run is not None and run["state"] == "retry" else None
    until = None if again is None else again + RETRY_MARGIN_S
    await leave(turn.places.pop(driver), keeper.record["id"], turn.owner, claimed=True, until=until)


async def _run(parts: Parts, turn: Turn, driver: str, hold: Hold) -> None:
    keeper = turn.the_keeper
    manifest = parts.registry.get(driver, keeper.record["runs"][driver].get("version", ""))
    try:
        # An isolated driver may wait for its place for longer than its lease.
        if needs_renewal(manifest.timeout_s) or manifest.isolation != "inline":
            async with _lease_kept(parts, turn, manifest, hold):
                outcome = await attempt(parts, turn, manifest, keeper.record)
        else:
            outcome = await attempt(parts, turn, manifest, keeper.record)

        def change(record: RecordDoc, now: float) -> Change:
            return change_for(parts, record, manifest, hold, outcome, now)

        turn.settled |= await keeper.write(change, settle=turn.last_token)
    except LostRunError:
        # Another worker has the run: its result counts, ours is dropped.
        parts.observer.lost(driver)
        return
    finally:
        turn.running -= 1
    tell(parts, turn, driver, outcome, keeper.record)


def tell(parts: Parts, turn: Turn, driver: str, outcome: Done | Failure, record: RecordDoc) -> None:
    """Let the observers know of an outcome that took effect; what it published first."""
    if isinstance(outcome, Done):
        for event in outcome.events:
            parts.observer.emitted(event)
    else:
        tell_of_death(parts, record, driver)
    parts.observer.ended(turn, record, driver)
    parts.observer.recorded(record)


@contextlib.asynccontextmanager
async def _lease_kept(parts: Parts, turn: Turn, manifest: Manifest, hold: Hold) -> AsyncIterator[None]:
    """Renew the lease at a third while the driver runs."""
    renewing = asyncio.create_task(_renew(parts, turn, manifest, hold))
    try:
        yield
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing


async def _renew(parts: Parts, turn: Turn, manifest: Manifest, hold: Hold) -> None:
    lease = lease_s(manifest.timeout_s)

    def change(record: RecordDoc, now: float) -> Change:
        run = renew(held_run(record, manifest.id), hold, now=now, lease=lease)
        return Change(record={**record, "runs": {**record["runs"], manifest.id: run}})

    try:
        while True:
            await asyncio.sleep(lease / 3)
            # An outage ends no run: there are two more renewals before the lease does.
            with contextlib.suppress(StoreUnavailableError):
                if manifest.id in turn.places:
                    until = parts.desk.clock.time() + lease + MARGIN_S
                    await keep(turn.places[manifest.id], turn.the_keeper.record["id"], turn.owner, until=until)
                await turn.the_keeper.write(change, durable=False)
    except LostRunError:
        # Whatever the driver answers now is refused: it need not go on.
        parts.stops.end(turn.the_keeper.record)
