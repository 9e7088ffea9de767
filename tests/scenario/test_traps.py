"""Ways to be wrong that look right, as tests: each was a hole in a first draft of the protocol (docs/architecture.md).

What each trap is guarded by, here or in another file, stands in `tests/scenario/protocol.py`.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.support.clock import FakeClock
from tests.support.faults import Faults
from tests.support.gate import Gate, begun, gated
from tests.support.harness import ANN, Harness, an_os, until
from vextir_os.adapters.sqlite.entities import EntityProperties
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.runs.deadletter import dead_run_id
from vextir_os.testing.wires import Do

RETRY = Retry(max_attempts=3, base_s=20, cap_s=60)
RETRY_DUE_S = 11.0
"""With half of every draw the first retry comes after 10 s."""


@driver("failing", capabilities=["job.sent"], retry=RETRY)
async def failing(event: Event, ctx: Context) -> int:
    if ctx.attempt == 1:
        raise TransientError("the first attempt fails")
    return ctx.attempt


@driver("failing.too", capabilities=["job.sent"], retry=RETRY)
async def failing_too(event: Event, ctx: Context) -> int:
    if ctx.attempt == 1:
        raise TransientError("the first attempt fails")
    return ctx.attempt


async def run_of(os: Harness, name: str) -> Any:
    return (await os.record("e-1"))["runs"][name]


@contextlib.asynccontextmanager
async def failed_while_another_runs(os: Harness, gate: Gate) -> AsyncIterator["asyncio.Task[None]"]:
    """Publish one event for `slow`, held at the gate, and `failing`, whose first attempt is over."""
    await os.publish(Event(id="e-1", type="job.sent"))

    async def knock_is_sent() -> bool:
        return "e-1#failing.0.1" in await os.left()

    async with begun(os, gate) as worker:
        await until(knock_is_sent)
        yield worker


async def test_a_crash_between_a_failed_attempt_and_its_knock_leaves_a_retry_that_comes(
    tmp_path: Path, atomic: bool
) -> None:
    """Not only dead leases are looked for: this run has none."""
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, faults=faults, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.next(*(("transact", None, "crash after") if atomic else ("send", "crash before")))
        await os.work()
        assert (await run_of(os, "failing"))["state"] == "retry"
        clock.advance(400)
        for delivery in await os.kernel.queue.receive(10, 0):
            await os.kernel.queue.complete(delivery.token)
        assert await os.left() == []
        await os.sweep()
        await os.work()
        assert (await run_of(os, "failing"))["output"] == 2


async def test_a_retry_comes_while_another_run_of_its_event_is_still_at_work(tmp_path: Path, atomic: bool) -> None:
    """One lease for the event would make a duplicate of this knock, and the run would be lost."""
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        async with failed_while_another_runs(os, gate):
            clock.advance(RETRY_DUE_S)
            assert await os.work() == 1
            assert (await run_of(os, "failing"))["output"] == 2
            assert (await run_of(os, "slow"))["state"] == "running"
        assert (await run_of(os, "slow"))["fence"] == 1


async def test_what_another_worker_commits_beside_it_costs_a_healthy_run_nothing(tmp_path: Path, atomic: bool) -> None:
    """A refused ETag says that somebody wrote, not that the run was taken."""
    gate, clock, faults = Gate(), FakeClock(), Faults()
    async with an_os(
        tmp_path, gated(gate), failing, atomic=atomic, clock=clock, working=False, draw=0.5, faults=faults
    ) as os:
        async with failed_while_another_runs(os, gate):
            clock.advance(RETRY_DUE_S)
            assert await os.work() == 1
            faults.calls.clear()
        assert faults.calls[:2] == (["transact", "read"] if atomic else ["replace", "read"])
        run = await run_of(os, "slow")
        assert (run["state"], run["output"], run["fence"], gate.began) == ("done", {"call": 1}, 1, 1)


async def test_retries_of_two_drivers_are_two_messages_where_duplicates_are_dropped(
    tmp_path: Path, atomic: bool
) -> None:
    """Named by the attempt alone, the second one would be taken for the first."""
    clock = FakeClock()
    async with an_os(tmp_path, failing, failing_too, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.kernel.queue._broker.declare(os.kernel.queue.name, EntityProperties(duplicate_window_s=600))  # type: ignore[attr-defined]
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        clock.advance(RETRY_DUE_S)
        assert await os.work() == 2
        assert [(await run_of(os, name))["output"] for name in ("failing", "failing.too")] == [2, 2]


class After(Faults):
    """Lets something happen right after a call, once it is armed, before the caller goes on."""

    def __init__(self, call: str, act: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._call, self._act = call, act
        self.armed = False

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        answer = await super().through(call, do, meddle)
        if self.armed and call == self._call:
            self.armed = False
            await self._act()
        return answer


async def test_what_is_committed_between_anothers_send_and_its_mark_is_still_sent(tmp_path: Path) -> None:
    """One mark for all that was published would hide it."""
    one, two, clock = Gate(), Gate(), FakeClock()

    async def another_commits_and_dies() -> None:
        faults.next("send", "crash before")
        two.open(1)

        async def is_committed() -> bool:
            return bool((await run_of(os, "two"))["state"] == "done")

        await until(is_committed)

    faults = After("send", another_commits_and_dies)
    first, second = gated(one, "one"), failing_once_then(two)
    async with an_os(tmp_path, first, second, atomic=False, clock=clock, working=False, draw=0.5, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, one) as worker:

            async def knock_is_sent() -> bool:
                return "e-1#two.0.1" in await os.left()

            await until(knock_is_sent)
            clock.advance(RETRY_DUE_S)
            async with begun(os, two):
                faults.armed = True
                one.open(1)
                await worker
        assert [entry["run"] for entry in (await os.record("e-1"))["outbox"]] == ["two"]
        await os.recover(clock)
        assert {child["event"]["source"] for child in await os.records("job.done")} == {"/drivers/one", "/drivers/two"}


def failing_once_then(gate: Gate) -> Callable[..., Awaitable[Any]]:
    """Return a driver that fails at its first attempt, and stops at the gate at its second."""

    @driver("two", capabilities=["job.sent"], permissions=["emit:job.done"], retry=RETRY)
    async def two(event: Event, ctx: Context) -> Result:
        if ctx.attempt == 1:
            raise TransientError("the first attempt fails")
        number = await gate.pass_()
        return Result(output={"call": number}, events=[Event(type="job.done", data={"call": number})])

    return two


async def test_the_slower_of_two_idempotent_deliveries_publishes_nothing_of_its_own(
    tmp_path: Path, atomic: bool
) -> None:
    """Its events would go out under the ids of the ones that were committed."""
    gate, clock = Gate(), FakeClock()

    @driver("slow", capabilities=["job.sent"], permissions=["emit:job.done"], delivery="idempotent")
    async def slow(event: Event) -> Result:
        number = await gate.pass_()
        return Result(output={"call": number}, events=[Event(type="job.done", data={"call": number})])

    async with an_os(tmp_path, slow, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate, 1) as loser, begun(os, gate, 2) as winner:
            gate.open(2)
            await winner
            sent = await os.left()
            gate.open(1)
            await loser
            assert [name for name in await os.left() if name not in sent] == []
        assert (await run_of(os, "slow"))["output"] == {"call": 2}
        await os.work()
        assert [child["event"]["data"] for child in await os.records("job.done")] == [{"call": 2}]


async def test_a_slow_publisher_removes_nothing_of_a_later_rerun(tmp_path: Path) -> None:
    """Named without its rerun, what the replayed run has still to send would go with what the first one sent."""
    clock = FakeClock()

    @driver("shop", capabilities=["job.sent"], permissions=["emit:job.done"])
    async def shop(event: Event, ctx: Context) -> Result:
        if ctx.rerun == 0:
            raise InvalidError("the first run fails for good")
        return Result(events=[Event(type="job.done", data={"rerun": ctx.rerun})])

    async def replayed_and_dies() -> None:
        await os.kernel.dead_letters.replay(dead_run_id((await os.record("e-1"))["id"], "shop", 0), ANN)
        faults.next("send", "crash before")
        await os.work()
        assert [(entry["rerun"], entry["n"]) for entry in (await os.record("e-1"))["outbox"]] == [
            (0, 0),
            (0, 1),
            (1, 0),
        ]

    faults = After("send", replayed_and_dies)
    async with an_os(tmp_path, shop, atomic=False, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        faults.armed = True
        await os.work()
        assert [(entry["rerun"], entry["n"]) for entry in (await os.record("e-1"))["outbox"]] == [(1, 0)]
        await os.recover(clock)
        assert [child["event"]["data"] for child in await os.records("job.done")] == [{"rerun": 1}]
