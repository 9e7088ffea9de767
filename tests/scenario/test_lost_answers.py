"""A store that does not answer, answers late, or lets somebody else write first."""

from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Crash, Fault, Faults, touch
from tests.support.gate import Gate, begun, gated
from tests.support.harness import an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.events.event import Event
from vextir_os.runs.record import EVENTS

LEASE_OVER_S = 48.0
"""A driver has 30 s by default: its lease is 45 s, and 2 s more are given to clocks that differ."""


@driver("quick", capabilities=["job.sent"])
async def quick(event: Event) -> str:
    return "quick"


@driver("failing", capabilities=["job.sent"], retry=Retry(max_attempts=3, base_s=8, cap_s=60))
async def failing(event: Event, ctx: Context) -> str:
    raise TransientError(f"attempt {ctx.attempt} fails")


async def test_a_412_from_anothers_write_does_not_abandon_a_healthy_run(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            await touch(os.kernel.store, EVENTS, await os.record("e-1"))
        record = await os.record("e-1")
        assert record["touched"] == 1
        assert (record["runs"]["slow"]["state"], record["runs"]["slow"]["fence"]) == ("done", 1)
        assert gate.began == 1


@pytest.mark.parametrize("call", ["claim", "commit"])
@pytest.mark.parametrize("fault", ["lost", "meddled"])
async def test_a_lost_answer_is_recognised_as_the_own_write(
    tmp_path: Path, atomic: bool, call: str, fault: Fault
) -> None:
    gate, clock, faults = Gate(), FakeClock(), Faults()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        if call == "claim":
            faults.next("transact" if atomic else "create", "lost")
        else:
            faults.next(*(("transact", None, fault) if atomic else ("replace", fault)))
        async with begun(os, gate):
            gate.open(1)
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["state"], run["fence"], run["takeovers"], run["output"]) == ("done", 1, 0, {"call": 1})
        assert gate.began == 1


async def test_the_lost_answer_of_a_takeover_is_recognised(tmp_path: Path, atomic: bool) -> None:
    gate, clock, faults = Gate(), FakeClock(), Faults()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            clock.advance(LEASE_OVER_S)
            await os.sweep()
            faults.next("transact" if atomic else "replace", "lost")
            async with begun(os, gate, 2):
                gate.open(2)
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["state"], run["fence"], run["takeovers"], run["output"]) == ("done", 2, 1, {"call": 2})


async def test_a_write_that_lands_late_changes_nothing_twice(tmp_path: Path, atomic: bool) -> None:
    gate, clock, faults = Gate(), FakeClock(), Faults()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next(*(("transact", None, "late") if atomic else ("replace", "late")))
        async with begun(os, gate):
            gate.open(1)
        before = await os.record("e-1")
        assert before["runs"]["slow"]["state"] == "done"
        await faults.land()
        assert await os.record("e-1") == before
        await os.work()
        assert len(await os.records("job.done")) == 1


async def test_an_outage_longer_than_the_delivery_count_loses_nothing(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, quick, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.send(b'{"type": "job.sent", "data": {"n": 1}}')
        faults.next("transact" if atomic else "create", "down", times=400)
        await os.work()
        assert await os.records() == []
        faults.end()
        assert (await os.kernel.sweep.run()).drained == 2
        assert await os.work() == 0
        await os.recover(clock)
        records = await os.records("job.sent")
        assert [record["runs"]["quick"]["state"] for record in records] == ["done", "done"]
        assert await os.dead_letters("message") == []


async def test_a_message_without_an_id_stays_one_event_when_it_is_drained(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, quick, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.send(b'{"type": "job.sent", "data": {"n": 1}}')
        # The record is there, its worker died, and then the store was away for a hundred deliveries.
        faults.next(*(("transact", None, "crash before") if atomic else ("replace", "crash before")))
        await os.work()
        clock.advance(70)
        while deliveries := await os.kernel.queue.receive(1, 0):
            await os.kernel.queue.abandon(deliveries[0].token)
        assert (await os.kernel.sweep.run()).drained == 1
        await os.recover(clock)
        [record] = await os.records("job.sent")
        assert record["runs"]["quick"]["state"] == "done"


async def test_two_workers_never_livelock(tmp_path: Path, atomic: bool) -> None:
    """Both write one record again and again, each from an older copy than the other's."""
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, quick, failing, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next("transact" if atomic else "replace", "meddled", times=10)
        await os.work()
        assert (await os.record("e-1"))["runs"]["quick"]["state"] == "done"


async def test_a_crash_of_the_sweep_between_knock_and_bump_costs_a_duplicate(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, quick, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next(*(("transact", None, "crash before") if atomic else ("replace", "crash before")))
        await os.work()
        clock.advance(70)
        faults.next("patch", "crash before")
        with pytest.raises(Crash):
            await os.kernel.sweep.run()
        await os.recover(clock)
        run = (await os.record("e-1"))["runs"]["quick"]
        assert (run["state"], run["fence"]) == ("done", 2)
