"""Workers that die, sleep too long or meet one another: leases, fences, takeovers and the sweep.

Named after the invariants of the protocol (docs/architecture.md). The test is the worker, and its clock moves by hand.
"""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Faults
from tests.support.gate import Gate, begun, gated
from tests.support.harness import an_os, until
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Delivery, Retry
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.ports.store import Patch
from vextir_os.processor import execute
from vextir_os.runs.claimcheck import encoded_out
from vextir_os.runs.record import EVENTS
from vextir_os.runs.transitions import MAX_TAKEOVERS

LEASE_OVER_S = 48.0
"""A driver has 30 s by default: its lease is 45 s, and 2 s more are given to clocks that differ."""


@driver("quick", capabilities=["job.sent"])
async def quick(event: Event) -> str:
    return "quick"


@driver("failing", capabilities=["job.sent"], retry=Retry(max_attempts=3, base_s=8, cap_s=60))
async def failing(event: Event, ctx: Context) -> str:
    raise TransientError(f"attempt {ctx.attempt} fails")


async def test_a_zombies_commit_never_lands(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate) as zombie:
            clock.advance(LEASE_OVER_S)
            await os.sweep()
            async with begun(os, gate, 2) as heir:
                gate.open(2)
                await heir
                before = await os.record("e-1")
                gate.open(1)
                await zombie
        assert await os.record("e-1") == before
        run = before["runs"]["slow"]
        assert (run["state"], run["output"], run["fence"], run["takeovers"]) == ("done", {"call": 2}, 2, 1)
        await os.work()
        [child] = await os.records("job.done")
        assert child["event"]["data"] == {"call": 2}


async def test_a_zombies_large_output_does_not_replace_what_was_committed(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()

    @driver("big", capabilities=["job.sent"], permissions=["emit:job.done"])
    async def big(event: Event) -> Result:
        text = f"{await gate.pass_()}" * 100_000
        return Result(output=text, events=[Event(type="job.done", data=text)])

    @driver("read", capabilities=["job.done"])
    async def read(event: Event) -> Any:
        return sorted(set(event.data))

    async with an_os(tmp_path, big, read, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate) as zombie:
            clock.advance(LEASE_OVER_S)
            await os.sweep()
            async with begun(os, gate, 2) as heir:
                gate.open(2)
                await heir
                gate.open(1)
                await zombie
        record = await os.record("e-1")
        output = await encoded_out(record["id"], record["runs"]["big"]["output_ref"], os.kernel.blobs)
        assert output == b'"' + b"2" * 100_000 + b'"'
        await os.work()
        [child] = await os.records("job.done")
        assert child["runs"]["read"]["output"] == ["2"]


async def test_a_zombie_that_ends_before_its_heir_changes_nothing(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate) as zombie:
            clock.advance(LEASE_OVER_S)
            await os.sweep()
            async with begun(os, gate, 2):
                gate.open(1)
                await zombie
                assert (await os.record("e-1"))["runs"]["slow"]["state"] == "running"
                assert await os.records("job.done") == []
                gate.open(2)
        await os.work()
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == {"call": 2}
        assert [child["event"]["data"] for child in await os.records("job.done")] == [{"call": 2}]


async def test_a_slow_owner_whose_lease_is_over_commits_when_nobody_took_its_run(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            clock.advance(LEASE_OVER_S)
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["state"], run["output"], run["fence"]) == ("done", {"call": 1}, 1)


async def test_a_duplicate_under_a_live_lease_writes_nothing_and_sends_nothing(tmp_path: Path, atomic: bool) -> None:
    gate, clock, faults = Gate(), FakeClock(), Faults()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            before = await os.record("e-1")
            faults.calls.clear()
            assert await os.work() == 1
            assert faults.calls == ["transact" if atomic else "create", "read"]
            assert await os.record("e-1") == before
        assert gate.began == 1


async def test_the_sweep_never_owns_a_run(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            clock.advance(LEASE_OVER_S)
            before = await os.record("e-1")
            assert (await os.kernel.sweep.run()).knocked == 1
            after = await os.record("e-1")
            assert {**before, "due": after["due"]} == after
            assert after["due"] == clock.time() + 60
            assert (await os.kernel.sweep.run()).knocked == 0


async def test_a_record_that_the_sweep_bumped_is_looked_at_by_its_knock(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            clock.advance(LEASE_OVER_S)
            await os.sweep()
            async with begun(os, gate, 2):
                assert (await os.record("e-1"))["runs"]["slow"]["fence"] == 2


@pytest.mark.parametrize(("delivery", "uncounted"), [("default", 0), ("idempotent", 3)])
async def test_a_driver_that_kills_its_process_is_dead_lettered(
    tmp_path: Path, atomic: bool, delivery: Delivery, uncounted: int
) -> None:
    clock, lives = FakeClock(), []

    @driver("killer", capabilities=["job.sent"], delivery=delivery)
    async def killer(event: Event) -> None:
        lives.append(event.id)
        raise KeyboardInterrupt

    async with an_os(tmp_path, killer, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        for _ in range(uncounted + MAX_TAKEOVERS + 3):
            with contextlib.suppress(KeyboardInterrupt):
                await os.work()
            clock.advance(70)
            await os.sweep()
        run = (await os.record("e-1"))["runs"]["killer"]
        assert (run["state"], len(lives)) == ("dead", uncounted + MAX_TAKEOVERS + 1)
        assert run["error"]["message"] == "the worker died 6 times while it ran this driver, at most 5 are allowed"
        [letter] = await os.dead_letters("run")
        assert (letter["driver"], letter["event_id"], letter["error"]) == ("killer", "e-1", run["error"])


async def test_of_two_runs_in_one_worker_each_asserts_its_own_fence(tmp_path: Path, atomic: bool) -> None:
    one, two, clock = Gate(), Gate(), FakeClock()
    async with an_os(tmp_path, gated(one, "one"), gated(two, "two"), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, one) as worker:
            await two.entered(1)
            record = await os.record("e-1")
            stolen = [Patch("set", "runs.two.fence", 2), Patch("set", "runs.two.owner", "another")]
            await os.kernel.store.patch(EVENTS, record["pk"], record["id"], stolen)
            one.open(1)
            two.open(1)
            await worker
        runs = (await os.record("e-1"))["runs"]
        assert (runs["one"]["state"], runs["one"]["output"]) == ("done", {"call": 1})
        assert (runs["two"]["state"], runs["two"]["owner"], runs["two"]["output"]) == ("running", "another", None)
        await os.work()
        assert len(await os.records("job.done")) == 1


async def test_a_run_commits_at_most_once(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with contextlib.AsyncExitStack() as workers:
            for number in range(1, 5):
                await workers.enter_async_context(begun(os, gate, number))
                clock.advance(LEASE_OVER_S)
                await os.sweep()
            for number in (2, 1, 4, 3):
                gate.open(number)
                await asyncio.sleep(0)
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["state"], run["output"], run["fence"]) == ("done", {"call": 4}, 4)
        await os.recover(clock)
        assert [child["event"]["data"] for child in await os.records("job.done")] == [{"call": 4}]


async def test_the_event_of_the_record_counts_when_another_of_its_id_takes_over(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()

    @driver("echo", capabilities=["job.sent"])
    async def echo(event: Event) -> Any:
        return event.data

    async with an_os(tmp_path, echo, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent", data={"pay": 1}))
        faults.next(*(("transact", None, "crash before") if atomic else ("replace", "crash before")))
        await os.work()
        clock.advance(LEASE_OVER_S)
        await os.publish(Event(id="e-1", type="job.sent", data={"pay": 1_000_000}))
        await os.work()
        record = await os.record("e-1")
        assert record["runs"]["echo"]["output"] == record["event"]["data"] == {"pay": 1}


async def test_a_driver_that_is_not_installed_here_waits_for_a_worker_that_has_it(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, quick, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next(*(("transact", None, "crash before") if atomic else ("replace", "crash before")))
        await os.work()
    clock.advance(70)
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False) as os:
        await os.sweep()
        await os.work()
        assert (await os.record("e-1"))["runs"]["quick"]["state"] == "running"
    clock.advance(70)
    async with an_os(tmp_path, quick, atomic=atomic, clock=clock, working=False) as os:
        await os.recover(clock)
        assert (await os.record("e-1"))["runs"]["quick"]["state"] == "done"


async def test_a_driver_that_cancels_its_own_task_is_dead_lettered_as_a_killer(tmp_path: Path, atomic: bool) -> None:
    """It cannot be told from a worker that is being stopped."""

    @driver("suicidal", capabilities=["job.sent"])
    async def suicidal(event: Event) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(60)

    clock = FakeClock()
    async with an_os(tmp_path, suicidal, quick, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        for _ in range(MAX_TAKEOVERS + 3):
            for delivery in await os.kernel.queue.receive(10, 0):
                await asyncio.wait([asyncio.create_task(os.handle(delivery))])
            clock.advance(70)
            await os.sweep()
        runs = (await os.record("e-1"))["runs"]
        assert (runs["suicidal"]["state"], runs["suicidal"]["error"]["class"]) == ("dead", "WorkerLost")
        assert runs["quick"]["state"] == "done"


async def test_a_long_run_keeps_its_lease_through_a_renewal_that_fails(
    tmp_path: Path, atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "lease_s", lambda _timeout_s: 0.015)
    gate, clock, faults = Gate(), FakeClock(), Faults()

    @driver("long", capabilities=["job.sent"], timeout="2m")
    async def long(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, long, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.handle((await os.kernel.queue.receive(1, 0))[0])
        async with begun(os, gate, lane="slow"):
            faults.next("transact" if atomic else "replace", "down", "lost")
            clock.advance(85)

            async def renewed() -> bool:
                return bool((await os.record("e-1"))["runs"]["long"]["lease_until"] == clock.time() + 0.015)

            await until(renewed)
        run = (await os.record("e-1"))["runs"]["long"]
        assert (run["state"], run["output"], run["fence"]) == ("done", 1, 1)


async def test_a_worker_that_is_stopped_leaves_its_run_to_others(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        [delivery] = await os.kernel.queue.receive(1, 0)
        stopped = asyncio.create_task(os.handle(delivery))
        await gate.entered(1)
        stopped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stopped
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["state"], run["attempt"], run["error"]) == ("running", 0, None)
        clock.advance(LEASE_OVER_S)
        await os.sweep()
        async with begun(os, gate, 2):
            gate.open(2)
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == {"call": 2}
