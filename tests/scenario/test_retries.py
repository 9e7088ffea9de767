"""Attempts that fail and come again: when, how often, and each driver for itself."""

from pathlib import Path

from tests.support.clock import FakeClock
from tests.support.harness import an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.events.event import Event
from vextir_os.runs.messages import Knock, knock_message


@driver("quick", capabilities=["job.sent"])
async def quick(event: Event) -> str:
    return "quick"


@driver("failing", capabilities=["job.sent"], retry=Retry(max_attempts=3, base_s=8, cap_s=60))
async def failing(event: Event, ctx: Context) -> str:
    raise TransientError(f"attempt {ctx.attempt} fails")


async def test_a_retry_survives_the_loss_of_its_message(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        clock.advance(4.5)
        [knock] = await os.kernel.queue.receive(10, 0)
        await os.kernel.queue.complete(knock.token)
        assert (await os.record("e-1"))["runs"]["failing"]["attempt"] == 1
        await os.sweep()
        await os.work()
        assert (await os.record("e-1"))["runs"]["failing"]["attempt"] == 2


async def test_a_retry_never_starts_before_its_time(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.99) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        record = await os.record("e-1")
        assert record["runs"]["failing"]["not_before"] == clock.time() + 8 * 0.99
        early = knock_message(os.kernel.intake.signer, Knock(record["id"], record["pk"]), id="early")
        await os.kernel.queue.send([early])
        assert await os.work() == 1
        assert (await os.record("e-1")) == record
        await os.publish(Event(id="e-1", type="job.sent"))
        assert await os.work() == 1
        assert (await os.record("e-1")) == record
        clock.advance(8)
        assert await os.work() == 1
        assert (await os.record("e-1"))["runs"]["failing"]["attempt"] == 2


async def test_a_failing_driver_is_retried_alone(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, quick, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        first = await os.record("e-1")
        assert (first["runs"]["quick"]["state"], first["runs"]["failing"]["state"]) == ("done", "retry")
        await os.recover(clock)
        last = await os.record("e-1")
        assert last["runs"]["quick"] == first["runs"]["quick"]
        run = last["runs"]["failing"]
        assert (run["state"], run["attempt"], run["fence"]) == ("dead", 3, 3)
        assert run["error"]["message"] == "attempt 3 fails"
        [letter] = await os.dead_letters("run")
        assert (letter["attempts"], letter["error"]["code"]) == (3, "VX410")
        assert "TransientError: attempt 3 fails" in letter["error"]["traceback"]


async def test_two_drivers_that_fail_at_once_are_both_retried(tmp_path: Path, atomic: bool) -> None:
    @driver("failing.too", capabilities=["job.sent"], retry=Retry(max_attempts=2, base_s=8))
    async def failing_too(event: Event) -> None:
        raise TransientError("fails too")

    clock = FakeClock()
    async with an_os(tmp_path, failing, failing_too, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        assert await os.left() == ["e-1#failing.0.1", "e-1#failing.too.0.1"]
        await os.recover(clock)
        runs = (await os.record("e-1"))["runs"]
        assert {name: run["attempt"] for name, run in runs.items()} == {"failing": 3, "failing.too": 2}
