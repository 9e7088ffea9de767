"""Slow runs, quick runs and urgent ones: each in its lane, with workers of its own, whatever dies in between."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Faults, FaultyQueue
from tests.support.gate import Gate, gated
from tests.support.harness import ANN, Harness, an_os, until
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.driverkit.result import Result
from vextir_os.errors import StoreUnavailableError
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.local.pool import Pool
from vextir_os.ports.queue import Queue
from vextir_os.runs.record import Lane

CHIEF = Principal(kind="user", id="chief", tenant="local", max_priority=9)


@driver("quick", capabilities=["job.sent"])
async def quick(event: Event) -> str:
    return "quick"


@driver("slow", capabilities=["job.sent"], timeout="31s", permissions=["emit:job.done"])
async def slow(event: Event) -> Result:
    return Result(output="slow", events=[Event(type="job.done", priority=8)])


@driver("after", capabilities=["job.done"], delivery="idempotent")
async def after(event: Event) -> str:
    return "after"


async def waiting(os: Harness) -> dict[str, int]:
    """Return how many messages each lane has."""
    found: dict[str, int] = {}
    queues: dict[Lane, Queue] = {"batch": os.kernel.queue, **os.kernel.lanes}
    for lane, queue in queues.items():
        deliveries = await queue.receive(100, 0)
        for delivery in deliveries:
            await queue.abandon(delivery.token)
        found[lane] = len(deliveries)
    return found


async def handle_all(os: Harness, queue: Queue) -> int:
    """Process what is on one queue."""
    count = 0
    while deliveries := await queue.receive(1, 0):
        await os.handle(deliveries[0])
        count += 1
    return count


async def test_a_run_of_another_lane_ends(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, slow, after, atomic=atomic) as os:
        record = await os.event("job.sent")
        assert {name: run["output"] for name, run in record["runs"].items()} == {"quick": "quick", "slow": "slow"}
        [caused] = await os.records("job.done")
        assert caused["runs"]["after"]["output"] == "after"


async def test_a_slow_run_is_left_to_the_workers_of_its_lane(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, quick, slow, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        assert await handle_all(os, os.kernel.queue) == 1
        record = await os.record("e-1")
        assert (record["runs"]["quick"]["state"], record["lanes"], record["due"]) == (
            "done", ["slow"], clock.time() + 15
        )  # fmt: skip
        run = record["runs"]["slow"]
        assert (run["state"], run["fence"], run["owner"], run["lease_until"]) == ("ready", 0, None, None)
        assert await waiting(os) == {"batch": 0, "high": 0, "slow": 1}
        assert await handle_all(os, os.kernel.lanes["slow"]) == 1
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["state"], run["fence"], run["output"]) == ("done", 1, "slow")


async def test_a_slow_run_alone_takes_no_lease_and_settles_its_message_at_once(tmp_path: Path, atomic: bool) -> None:
    faults = Faults()
    async with an_os(tmp_path, slow, atomic=atomic, clock=FakeClock(), working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.calls.clear()
        [delivery] = await os.kernel.queue.receive(1, 0)
        settlement = await os.kernel.processor.process(delivery)
        assert (settlement, faults.calls) == (("settled", ["transact"]) if atomic else ("complete", ["create", "send"]))


async def test_the_loss_of_the_knock_for_a_slow_run_loses_nothing(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, quick, slow, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await handle_all(os, os.kernel.queue)
        [knock] = await os.kernel.lanes["slow"].receive(1, 0)
        await os.kernel.lanes["slow"].complete(knock.token)
        clock.advance(16)
        await os.sweep()
        assert await waiting(os) == {"batch": 0, "high": 0, "slow": 1}
        await handle_all(os, os.kernel.lanes["slow"])
        assert (await os.record("e-1"))["runs"]["slow"]["state"] == "done"


async def test_a_slow_workers_death_is_recovered_by_slow_workers(tmp_path: Path, atomic: bool) -> None:
    clock, lives = FakeClock(), 0

    @driver("slow", capabilities=["job.sent"], timeout="60s")
    async def deadly(event: Event) -> str:
        nonlocal lives
        lives += 1
        if lives == 1:
            raise KeyboardInterrupt
        return "lived"

    async with an_os(tmp_path, quick, deadly, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await handle_all(os, os.kernel.queue)
        with pytest.raises(KeyboardInterrupt):
            await handle_all(os, os.kernel.lanes["slow"])
        clock.advance(80)
        await os.sweep()
        assert await handle_all(os, os.kernel.queue) == 0
        assert await handle_all(os, os.kernel.lanes["slow"]) > 0
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["output"], run["fence"], run["takeovers"]) == ("lived", 2, 1)


async def test_a_replay_of_a_slow_run_knocks_at_its_lane(tmp_path: Path, atomic: bool) -> None:
    @driver("slow", capabilities=["job.sent"], timeout="60s")
    async def broken(event: Event, ctx: Context) -> str:
        if ctx.rerun == 0:
            raise InvalidError("not in this state")
        return "replayed"

    async with an_os(tmp_path, broken, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        [letter] = await os.dead_letters("run")
        await os.kernel.dead_letters.replay(letter["id"], ANN)
        assert await waiting(os) == {"batch": 0, "high": 0, "slow": 1}
        await os.work()
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == "replayed"


async def test_a_retry_of_a_slow_run_knocks_at_its_lane(tmp_path: Path, atomic: bool) -> None:
    clock, tries = FakeClock(), 0

    @driver("slow", capabilities=["job.sent"], timeout="60s", retry=Retry(max_attempts=2, base_s=8))
    async def failing(event: Event) -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise TransientError("not yet")
        return "now"

    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        clock.advance(4)
        assert await waiting(os) == {"batch": 0, "high": 0, "slow": 1}
        await os.work()
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == "now"


async def test_an_event_that_strays_into_the_slow_lane_is_done_by_quick_workers(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, after, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="job.done"))
        [delivery] = await os.kernel.queue.receive(1, 0)
        await os.kernel.lanes["slow"].send([delivery.message])
        await os.kernel.queue.complete(delivery.token)
        assert await handle_all(os, os.kernel.lanes["slow"]) == 1
        assert (await os.record("e-1"))["runs"]["after"]["state"] == "ready"
        assert await handle_all(os, os.kernel.queue) == 1
        assert (await os.record("e-1"))["runs"]["after"]["output"] == "after"


async def test_quick_events_go_on_while_every_slow_worker_is_taken(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()

    @driver("slow", capabilities=["job.slow"], timeout="5m")
    async def held(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, held, quick, atomic=atomic, slow_concurrency=2, concurrency=2) as os:
        slow_ones = [Event(id=f"s-{n}", type="job.slow") for n in range(3)]
        await os.publish(*slow_ones)
        await gate.entered(2)
        assert (await os.event("job.sent"))["runs"]["quick"]["state"] == "done"
        assert gate.began == 2
        gate.open_all()
        await gate.entered(3)
        gate.open_all()
        await os.settled()


async def test_urgent_events_go_on_while_every_other_worker_is_taken(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()
    async with an_os(tmp_path, gated(gate), after, atomic=atomic, concurrency=1) as os:
        await os.publish(Event(id="e-1", type="job.sent"), Event(id="e-2", type="job.sent"))
        await gate.entered(1)
        os.watch.expect("urgent")
        await os.publish(Event(id="urgent", type="job.done", priority=7), who=CHIEF)
        await until(lambda: finished(os, "urgent"))
        assert gate.began == 1
        gate.open(1)
        await gate.entered(2)
        gate.open(2)
        await os.settled()


async def finished(os: Harness, event_id: str) -> bool:
    found = [record for record in await os.records() if record["event_id"] == event_id]
    return bool(found) and "due" not in found[0]


@pytest.mark.parametrize(
    ("priorities", "who", "lanes"),
    [
        ([7], CHIEF, {"batch": 0, "high": 1}),
        ([9, 7], CHIEF, {"batch": 0, "high": 2}),
        ([6], CHIEF, {"batch": 1, "high": 0}),
        ([9, 6, 7], CHIEF, {"batch": 1, "high": 2}),
        ([9], ANN, {"batch": 1, "high": 0}),
    ],
    ids=["urgent", "all-urgent", "ordinary", "mixed", "over-the-ceiling"],
)
async def test_the_edge_sends_what_is_urgent_by_its_lane(
    tmp_path: Path, priorities: Sequence[int], who: Principal, lanes: dict[str, int]
) -> None:
    async with an_os(tmp_path, after, working=False) as os:
        await os.publish(*(Event(type="job.done", priority=priority) for priority in priorities), who=who)
        assert await waiting(os) == {**lanes, "slow": 0}


async def test_urgent_events_of_a_run_go_by_the_high_lane_and_the_others_do_not(tmp_path: Path, atomic: bool) -> None:
    @driver("split", capabilities=["job.sent"], permissions=["emit:job.done"])
    async def split(event: Event) -> list[Event]:
        return [Event(type="job.done", priority=priority) for priority in (9, 5, 7)]

    async with an_os(tmp_path, split, after, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await handle_all(os, os.kernel.queue) if atomic else await os.handle((await os.kernel.queue.receive(1, 0))[0])
        assert await waiting(os) == {"batch": 0 if atomic else 1, "high": 2, "slow": 0}
        await os.work()
        assert [record["runs"]["after"]["output"] for record in await os.records("job.done")] == ["after"] * 3


async def test_what_the_broker_gave_up_goes_back_to_its_own_lane(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, slow, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await handle_all(os, os.kernel.queue)
        queue = os.kernel.lanes["slow"]
        for _ in range(100):
            [knock] = await queue.receive(1, 0)
            await queue.abandon(knock.token)
        assert await queue.receive(1, 0) == ()
        assert (await os.kernel.sweep.run()).drained == 1
        clock.advance(31)
        assert await waiting(os) == {"batch": 0, "high": 0, "slow": 1}


class Counting(FaultyQueue):
    """The real queue, and how often a lock was renewed."""

    renewed = 0

    async def renew(self, token: str) -> float:
        self.renewed += 1
        if self.renewed == 1:
            raise StoreUnavailableError("no answer")
        return await super().renew(token)


async def test_the_lock_of_a_message_is_renewed_while_its_slow_run_goes_on(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()

    @driver("slow", capabilities=["job.slow"], timeout="5m")
    async def held(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, held, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="job.slow"))
        await handle_all(os, os.kernel.queue)
        queue = Counting(os.kernel.lanes["slow"], Faults())
        pool = Pool(queue, os.kernel.processor, os.kernel.observers, limit=1, lock_s=0.03, renews=True)
        receiving = asyncio.create_task(pool.receive())
        await gate.entered(1)

        async def renewed() -> bool:
            return queue.renewed > 2

        await until(renewed)
        gate.open_all()
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
        await pool.drain()
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == 1
