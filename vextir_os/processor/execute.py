"""Each claimed run: the driver under its limits, then one write that commits, publishes and settles. Runs are apart:
a failing driver never fails its neighbours, and none waits for a slower one.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import LostRunError
from vextir_os.processor.attempt import Done, attempt
from vextir_os.processor.turn import Next, Parts, Settlement, Turn
from vextir_os.runs.deadletter import dead_run
from vextir_os.runs.keeper import Change, Effect, ScheduledMessage
from vextir_os.runs.messages import Knock, knock_message, retry_knock_id
from vextir_os.runs.record import RecordDoc, RunDoc
from vextir_os.runs.transitions import Failure, Hold, done, failed, lease_s, needs_renewal, renew


async def execute(parts: Parts, turn: Turn, following: Next) -> Settlement:
    """Run what this delivery has claimed, all at once; each commits as soon as it ends."""
    turn.running = len(turn.holds)
    work = [_run(parts, turn, driver, hold) for driver, hold in turn.holds.items()]
    if len(work) == 1:
        await work[0]
    else:
        # An infrastructure error of one must not take the others' finished work with it.
        for result in await asyncio.gather(*work, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
    return await following(turn)


async def _run(parts: Parts, turn: Turn, driver: str, hold: Hold) -> None:
    manifest = parts.registry.get(driver)
    keeper = turn.the_keeper
    try:
        async with _lease_kept(turn, manifest, hold):
            outcome = await attempt(parts, turn, manifest)

        def change(record: RecordDoc, now: float) -> Change:
            run = record["runs"].get(driver)
            if isinstance(outcome, Done):
                return _commit(record, driver, _owned(run), hold, outcome, now)
            return _fail(parts, record, _owned(run), hold, manifest, outcome, now)

        turn.settled |= await keeper.write(change, settle=turn.last_token)
    except LostRunError:
        # Another worker has the run: its result counts, ours is dropped.
        return
    finally:
        turn.running -= 1
    if isinstance(outcome, Done):
        for event in outcome.events:
            parts.observer.emitted(event)
    parts.observer.recorded(keeper.record)


def _owned(run: RunDoc | None) -> RunDoc:
    if run is None:
        raise LostRunError("the run is gone from its record")
    return run


def _commit(record: RecordDoc, driver: str, run: RunDoc, hold: Hold, outcome: Done, now: float) -> Change:
    ended = done(run, hold, now=now, output=outcome.output, output_ref=outcome.output_ref, decisions=outcome.decisions)
    return Change(
        record={**record, "runs": {**record["runs"], driver: ended}}, touched=(driver,), effects=outcome.emits
    )


def _fail(
    parts: Parts, record: RecordDoc, run: RunDoc, hold: Hold, manifest: Manifest, failure: Failure, now: float
) -> Change:
    driver = manifest.id
    after = failed(run, hold, failure, manifest.retry, now=now, draw=parts.draw())
    effects: list[Effect] = []
    knocks: list[ScheduledMessage] = []
    if after["state"] == "dead":
        effects.append(dead_run(record, driver, after, now=now))
    else:
        knock = knock_message(
            parts.desk.signer,
            Knock(record["id"], record["pk"]),
            id=retry_knock_id(record["event_id"], driver, after["rerun"], after["attempt"]),
            flow=record["id"].partition("~")[0],
        )
        knocks.append(ScheduledMessage(knock, after["not_before"]))
    return Change(
        record={**record, "runs": {**record["runs"], driver: after}},
        touched=(driver,),
        effects=effects,
        knocks=knocks,
    )


@contextlib.asynccontextmanager
async def _lease_kept(turn: Turn, manifest: Manifest, hold: Hold) -> AsyncIterator[None]:
    """Renew the lease at a third while the driver runs, where the driver may take longer than the lease."""
    if not needs_renewal(manifest.timeout_s):
        yield
        return
    renewing = asyncio.create_task(_renew(turn, manifest, hold))
    try:
        yield
    finally:
        renewing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await renewing


async def _renew(turn: Turn, manifest: Manifest, hold: Hold) -> None:
    lease = lease_s(manifest.timeout_s)

    def change(record: RecordDoc, now: float) -> Change:
        run = renew(_owned(record["runs"].get(manifest.id)), hold, now=now, lease=lease)
        return Change(record={**record, "runs": {**record["runs"], manifest.id: run}})

    with contextlib.suppress(LostRunError):
        while True:
            await asyncio.sleep(lease / 3)
            await turn.the_keeper.write(change, durable=False)
