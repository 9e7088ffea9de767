"""Limits of drivers: the last of a burst, one at a time. Whatever fails; both modes."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Fault, Faults
from tests.support.gate import Gate, begun
from tests.support.harness import ANN, an_os
from tests.support.limits import BOB, deliver, handle_next, job, run_of, states
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.events.event import Event

# The last of a burst


def last_one(ran: list[str], **options: Any) -> Callable[..., Any]:
    @driver("index", capabilities=["job.sent"], debounce="5s", debounce_key="data.page", **options)
    async def index(event: Event) -> None:
        ran.append(event.id)

    return index


async def test_of_a_burst_the_last_event_runs_and_the_others_say_which(tmp_path: Path, atomic: bool) -> None:
    ran, clock = list[str](), FakeClock()
    async with an_os(tmp_path, last_one(ran), atomic=atomic, clock=clock, working=False) as os:
        for number in range(1, 4):
            await os.publish(job(number, page="a"))
            await os.work()
            clock.advance(3)
        await os.publish(job(9, page="b"))
        await os.work()
        assert (ran, (await run_of(os, 1))["state"]) == ([], "cancelled")
        clock.advance(2)
        await os.work()
        assert ran == ["e-3"]
        clock.advance(5)
        await os.work()
        assert ran == ["e-3", "e-9"]
        for number, by in ((1, "e-2"), (2, "e-3")):
            run = await run_of(os, number)
            assert (run["state"], run["error"]["message"]) == ("cancelled", f"superseded by {by}: it came within 5 s")
        assert not any("due" in record for record in await os.records())


async def test_a_burst_that_never_ends_runs_at_its_longest_wait(tmp_path: Path, atomic: bool) -> None:
    ran, clock = list[str](), FakeClock()
    async with an_os(
        tmp_path, last_one(ran, debounce_max="20s"), atomic=atomic, clock=clock, working=False, synchronous="NORMAL"
    ) as os:
        for number in range(60):
            await os.publish(job(number, page="a"))
            await os.work()
            clock.advance(1)
        assert [int(name[2:]) for name in ran] == pytest.approx([20, 41], abs=2)
        await os.recover(clock)
        assert ran[-1] == "e-59"


async def test_a_debounced_event_outlasts_the_loss_of_its_knock_and_its_worker(tmp_path: Path, atomic: bool) -> None:
    for at in range(20):
        for fault in ("crash before", "crash after", "lost"):
            ran, clock, faults = list[str](), FakeClock(), Faults(at, fault)
            async with an_os(
                tmp_path / f"{at}{fault}", last_one(ran), atomic=atomic, clock=clock, working=False, faults=faults,
                synchronous="NORMAL",
            ) as os:  # fmt: skip
                await os.publish(job(1, page="a"))
                await os.publish(job(2, page="a"))
                await os.work()
                clock.advance(6)
                await os.work()
                await os.recover(clock, rounds=12)
                found = {number: (await run_of(os, number))["state"] for number in (1, 2)}
                assert found[2] == "done", (at, fault)
                assert ran.count("e-2") >= 1


async def test_bursts_of_tenants_are_apart(tmp_path: Path, atomic: bool) -> None:
    ran, clock = list[str](), FakeClock()
    async with an_os(tmp_path, last_one(ran), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1, page="a"), who=ANN)
        await os.publish(job(2, page="a"), who=BOB)
        await os.work()
        clock.advance(6)
        await os.work()
        assert sorted(ran) == ["e-1", "e-2"]


# One at a time


def single(gate: Gate, mode: Any, **options: Any) -> Callable[..., Any]:
    @driver("sync", capabilities=["job.sent"], singleton=mode, singleton_key="data.user", **options)
    async def sync(event: Event) -> int:
        return await gate.pass_()

    return sync


async def test_while_one_runs_a_new_one_is_skipped_with_the_reason(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, single(gate, "skip"), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1, user="a"), job(2, user="a"), job(3, user="b"))
        async with begun(os, gate):
            await handle_next(os)
            run = await run_of(os, 2)
            assert (run["state"], run["fence"]) == ("cancelled", 1)
            assert run["error"]["message"] == "skipped: e-1 runs, and the driver is a singleton"
            async with begun(os, gate, 2):
                pass
        await os.publish(job(4, user="a"))
        async with begun(os, gate, 3):
            pass
        assert await states(os) == ["done", "cancelled", "done", "done"]
        assert not any("due" in record for record in await os.records())


async def test_while_one_waits_for_its_next_attempt_a_new_one_is_skipped(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()

    @driver("sync", capabilities=["job.sent"], singleton="skip", retry=Retry(max_attempts=2, base_s=100))
    async def sync(event: Event, ctx: Context) -> str:
        if ctx.attempt == 1 and event.id == "e-1":
            raise TransientError("not yet")
        return "now"

    async with an_os(tmp_path, sync, atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(job(1))
        await os.work()
        clock.advance(60)
        await os.publish(job(2))
        await os.work()
        clock.advance(60)
        await os.work()
        assert [(await run_of(os, number))["state"] for number in (1, 2)] == ["done", "cancelled"]


async def test_a_new_one_cancels_the_running_one(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, single(gate, "cancel_running"), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1, user="a"))
        first = await deliver(os, gate, 1)
        clock.advance(1)
        await os.publish(job(2, user="a"))
        async with begun(os, gate, 2):
            run = await run_of(os, 1)
            assert (run["state"], run["error"]["message"]) == (
                "cancelled", "superseded by e-2: the driver is a singleton"
            )  # fmt: skip
            await first
            assert (await run_of(os, 1))["state"] == "cancelled"
        assert (await run_of(os, 2))["output"] == 2


async def test_an_older_event_that_comes_late_cancels_nothing(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, single(gate, "cancel_running"), atomic=atomic, clock=clock, working=False) as os:
        await os.kernel.pausing.pause("capability", "job.sent", ANN, for_s=5)
        await os.publish(job(1, user="a"))
        await os.work()
        clock.advance(6)
        await os.publish(job(2, user="a"))
        async with begun(os, gate):
            await os.sweep()
            await os.work()
            run = await run_of(os, 1)
            assert (run["state"], run["error"]["message"]) == (
                "cancelled", "superseded by e-2: it came later, and the driver is a singleton"
            )  # fmt: skip
        assert (await run_of(os, 2))["state"] == "done"


@pytest.mark.parametrize("fault", ["crash before", "crash after", "lost"])
async def test_a_crash_while_one_cancels_another_leaves_one_that_runs(
    tmp_path: Path, atomic: bool, fault: Fault
) -> None:
    for at in range(16):
        gate, clock, faults = Gate(), FakeClock(), Faults()
        async with an_os(
            tmp_path / str(at), single(gate, "cancel_running"), atomic=atomic, clock=clock, working=False,
            faults=faults, synchronous="NORMAL",
        ) as os:  # fmt: skip
            await os.publish(job(1, user="a"))
            first = await deliver(os, gate, 1)
            clock.advance(1)
            await os.publish(job(2, user="a"))
            faults._at, faults._fault = len(faults.calls) + at, fault
            [delivery] = await os.kernel.queue.receive(1, 0)
            second = asyncio.create_task(os.handle(delivery))
            await asyncio.wait([second], timeout=0.05)
            gate.open_all()
            await asyncio.gather(first, second)
            faults._at = -1

            async def open_gate(gate: Gate = gate) -> None:
                while True:
                    gate.open_all()
                    await asyncio.sleep(0)

            opening = asyncio.create_task(open_gate())
            await os.recover(clock, rounds=12)
            opening.cancel()
            assert (await run_of(os, 2))["state"] == "done", at
            assert (await run_of(os, 1))["state"] in ("cancelled", "done"), at


async def test_a_driver_without_limits_reads_and_writes_no_more_than_before(tmp_path: Path, atomic: bool) -> None:
    faults = Faults()

    @driver("plain", capabilities=["job.sent"])
    async def plain(event: Event) -> None:
        return None

    async with an_os(tmp_path, plain, atomic=atomic, clock=FakeClock(), working=False, faults=faults) as os:
        await os.publish(job(1))
        faults.calls.clear()
        await os.work()
        assert faults.calls == (["transact", "transact"] if atomic else ["create", "replace"])
