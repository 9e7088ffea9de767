"""A worker's process is gone: its leases and locks end at once, and others go on. Who only looks dead does no harm.

The clocks of these tests do not move: whatever is done again is done under a lease and a lock that have time left.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Faults
from tests.support.gate import Gate, begun, gated
from tests.support.harness import Harness, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.errors import StoreUnavailableError
from vextir_os.events.event import Event
from vextir_os.processor.departed import Freed
from vextir_os.runs.transitions import MAX_TAKEOVERS

NOTHING = Freed(runs=0, messages=0)


@contextlib.asynccontextmanager
async def two(folder: Path, gate: Gate, atomic: bool, **more: Any) -> AsyncIterator[tuple[Harness, Harness]]:
    """Run two workers on the same data that stop at the same gate; the test is what makes them work."""
    clock = FakeClock()
    async with (
        an_os(folder, gated(gate), atomic=atomic, clock=clock, working=False) as one,
        an_os(folder, gated(gate), atomic=atomic, clock=clock, working=False, **more) as other,
    ):
        yield one, other


async def test_the_run_of_a_worker_that_is_gone_is_claimed_at_once_under_the_next_fence(
    tmp_path: Path, atomic: bool
) -> None:
    gate = Gate()
    async with two(tmp_path, gate, atomic) as (dead, heir):
        await dead.publish(Event(id="e-1", type="job.sent"))
        async with begun(dead, gate):
            assert await heir.work() == 0
            assert await heir.kernel.departed.release(dead.kernel.worker) == Freed(runs=1, messages=1)
            async with begun(heir, gate, 2):
                run = (await heir.record("e-1"))["runs"]["slow"]
                assert (run["state"], run["fence"], run["takeovers"]) == ("running", 2, 1)
                assert run["owner"].startswith(f"{heir.kernel.worker}.")


async def test_a_worker_that_only_looks_dead_commits_nothing_over_its_heir(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()
    async with two(tmp_path, gate, atomic) as (frozen, heir):
        await frozen.publish(Event(id="e-1", type="job.sent"))
        async with begun(frozen, gate) as zombie:
            await heir.kernel.departed.release(frozen.kernel.worker)
            async with begun(heir, gate, 2) as work:
                gate.open(2)
                await work
            before = await heir.record("e-1")
            gate.open(1)
            await zombie
        assert await heir.record("e-1") == before
        assert (before["runs"]["slow"]["output"], before["runs"]["slow"]["fence"]) == ({"call": 2}, 2)
        await heir.work()
        assert [child["event"]["data"] for child in await heir.records("job.done")] == [{"call": 2}]
        assert await heir.left() == []


async def test_a_worker_that_only_looks_dead_commits_what_nobody_took(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()
    async with two(tmp_path, gate, atomic) as (frozen, other):
        await frozen.publish(Event(id="e-1", type="job.sent"))
        async with begun(frozen, gate):
            await other.kernel.departed.release(frozen.kernel.worker)
        run = (await frozen.record("e-1"))["runs"]["slow"]
        assert (run["state"], run["fence"], run["takeovers"]) == ("done", 1, 0)
        await other.work()
        assert len(await other.records("job.done")) == 1
        assert gate.began == 1


async def test_nothing_of_workers_that_live_is_touched(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()
    async with two(tmp_path, gate, atomic) as (alive, other):
        await alive.publish(Event(id="e-1", type="job.sent"), Event(id="e-2", type="job.sent"))
        async with begun(alive, gate), begun(other, gate, 2):
            before = await other.records()
            assert await other.kernel.departed.release("0123456789abcdef") == NOTHING
            assert await other.records() == before
            assert await other.kernel.departed.release(alive.kernel.worker) == Freed(runs=1, messages=1)
            leases = [record["runs"]["slow"]["lease_until"] for record in await other.records()]
            assert (leases[0] < before[0]["runs"]["slow"]["lease_until"], leases[1]) == (
                True,
                before[1]["runs"]["slow"]["lease_until"],
            )


async def test_a_worker_is_given_up_twice_and_its_runs_end_once(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()
    async with two(tmp_path, gate, atomic) as (dead, heir):
        await dead.publish(Event(id="e-1", type="job.sent"))
        async with begun(dead, gate):
            assert await heir.kernel.departed.release(dead.kernel.worker) != NOTHING
            before = await heir.records()
            assert await heir.kernel.departed.release(dead.kernel.worker) == NOTHING
            assert await heir.records() == before


async def test_what_an_outage_left_of_it_is_done_by_the_next_look(tmp_path: Path, atomic: bool) -> None:
    gate, faults = Gate(), Faults()
    async with two(tmp_path, gate, atomic, faults=faults) as (dead, heir):
        await dead.publish(Event(id="e-1", type="job.sent"))
        async with begun(dead, gate):
            faults.next("query", "down")
            with pytest.raises(StoreUnavailableError, match="no answer to query"):
                await heir.kernel.departed.release(dead.kernel.worker)
            faults.next("transact" if atomic else "replace", "lost")
            await heir.kernel.departed.release(dead.kernel.worker)
            async with begun(heir, gate, 2):
                assert (await heir.record("e-1"))["runs"]["slow"]["fence"] == 2


async def test_a_message_that_was_lost_with_a_worker_is_not_needed(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()
    async with two(tmp_path, gate, atomic) as (dead, heir):
        await dead.publish(Event(id="e-1", type="job.sent"))
        [delivery] = await dead.kernel.queue.receive(1, 0)
        zombie = asyncio.create_task(dead.handle(delivery))
        await gate.entered(1)
        await dead.kernel.queue.complete(delivery.token)
        assert await heir.kernel.departed.release(dead.kernel.worker) == Freed(runs=1, messages=0)
        async with begun(heir, gate, 2):
            assert (await heir.record("e-1"))["runs"]["slow"]["fence"] == 2
        await zombie


async def test_an_idempotent_driver_whose_worker_is_gone_runs_again_at_once(tmp_path: Path, atomic: bool) -> None:
    clock, calls = FakeClock(), []

    @driver("quick", capabilities=["job.sent"], delivery="idempotent")
    async def quick(event: Event) -> int:
        calls.append(event.id)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return len(calls)

    async with (
        an_os(tmp_path, quick, atomic=atomic, clock=clock, working=False) as dead,
        an_os(tmp_path, quick, atomic=atomic, clock=clock, working=False) as heir,
    ):
        await dead.publish(Event(id="e-1", type="job.sent"))
        with pytest.raises(KeyboardInterrupt):
            await dead.work()
        assert await heir.work() == 0
        assert await heir.kernel.departed.release(dead.kernel.worker) == Freed(runs=0, messages=1)
        assert await heir.work() == 1
        assert (await heir.record("e-1"))["runs"]["quick"]["output"] == 2


async def test_a_driver_that_kills_every_worker_is_dead_lettered_without_time_passing(
    tmp_path: Path, atomic: bool
) -> None:
    clock, lives = FakeClock(), []

    @driver("killer", capabilities=["job.sent"])
    async def killer(event: Event) -> None:
        lives.append(event.id)
        raise KeyboardInterrupt

    async with contextlib.AsyncExitStack() as stack:
        workers = [
            await stack.enter_async_context(an_os(tmp_path, killer, atomic=atomic, clock=clock, working=False))
            for _ in range(MAX_TAKEOVERS + 2)
        ]
        await workers[0].publish(Event(id="e-1", type="job.sent"))
        for before, worker in zip([None, *workers], workers, strict=False):
            if before is not None:
                await worker.kernel.departed.release(before.kernel.worker)
            with contextlib.suppress(KeyboardInterrupt):
                await worker.work()
        run = (await workers[0].record("e-1"))["runs"]["killer"]
        assert (run["state"], len(lives)) == ("dead", MAX_TAKEOVERS + 1)
        assert run["error"]["message"] == "the worker died 6 times while it ran this driver, at most 5 are allowed"


async def test_only_records_that_are_due_within_a_lease_are_looked_at(tmp_path: Path, atomic: bool) -> None:
    @driver("later", capabilities=["mail.sent"], retry=Retry(base_s=3_600, cap_s=3_600))
    async def later(event: Event, ctx: Context) -> None:
        raise TransientError("not now")

    clock, faults = FakeClock(), Faults()
    async with (
        an_os(tmp_path, later, atomic=atomic, clock=clock, working=False, draw=0.9) as dead,
        an_os(tmp_path, later, atomic=atomic, clock=clock, working=False, faults=faults) as heir,
    ):
        await dead.publish(*(Event(id=f"e-{number}", type="mail.sent") for number in range(5)))
        await dead.work()
        seen: list[Any] = []
        query = heir.kernel.departed._parts.desk.store.query

        async def watched(*arguments: Any, **options: Any) -> Any:
            page = await query(*arguments, **options)
            seen.extend(page.items)
            return page

        heir.kernel.departed._parts.desk.store.query = watched  # type: ignore[method-assign]
        assert await heir.kernel.departed.release(dead.kernel.worker) == NOTHING
        assert (seen, faults.calls) == ([], ["query"])
