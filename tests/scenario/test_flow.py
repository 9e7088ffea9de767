"""Limits of drivers: runs at once, starts in time, the last of a burst, one at a time. Whatever fails; both modes."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Fault, Faults
from tests.support.gate import Gate, begun
from tests.support.harness import ANN, Harness, an_os, until
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.processor import execute

BOB = Principal(kind="user", id="bob", tenant="acme")


def job(number: int, **data: Any) -> Event:
    return Event(id=f"e-{number}", type="job.sent", data=data or {"n": number})


async def run_of(os: Harness, number: int) -> Mapping[str, Any]:
    [run] = (await os.record(f"e-{number}"))["runs"].values()
    return dict(run)


async def states(os: Harness) -> list[str]:
    return [run["state"] for record in await os.records() for run in record["runs"].values()]


class Crowd:
    """A driver body that counts how many of it run at once."""

    def __init__(self) -> None:
        self.now = self.most = self.calls = 0

    async def pass_(self) -> None:
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(3):
            await asyncio.sleep(0)
        self.now -= 1


async def deliver(os: Harness, gate: Gate, number: int) -> "asyncio.Task[None]":
    """Take the next delivery; its driver is held at the gate as call `number`."""
    [delivery] = await os.kernel.queue.receive(1, 0)
    task = asyncio.create_task(os.handle(delivery))
    await gate.entered(number)
    return task


async def handle_next(os: Harness) -> None:
    [delivery] = await os.kernel.queue.receive(1, 0)
    await os.handle(delivery)


# Runs at once


async def test_no_more_than_the_limit_run_at_once(tmp_path: Path, atomic: bool) -> None:
    crowd = Crowd()

    @driver("few", capabilities=["job.sent"], concurrency=3)
    async def few(event: Event) -> None:
        await crowd.pass_()

    async with an_os(tmp_path, few, atomic=atomic) as os:
        await os.run(*(job(number) for number in range(60)))
        assert (crowd.most, crowd.calls) == (3, 60)
        assert set(await states(os)) == {"done"}


async def test_two_workers_on_one_file_share_a_limit(tmp_path: Path, atomic: bool) -> None:
    crowd = Crowd()

    @driver("few", capabilities=["job.sent"], concurrency=3)
    async def few(event: Event) -> None:
        await crowd.pass_()

    async with an_os(tmp_path, few, atomic=atomic) as one, an_os(tmp_path, few, atomic=atomic) as two:
        for number in range(60):
            await (one if number % 2 else two).publish(job(number))

        async def all_done() -> bool:
            found = await states(one)
            return len(found) == 60 and set(found) == {"done"}

        await until(all_done)
        assert (crowd.most <= 3, crowd.calls) == (True, 60)


async def test_more_than_the_line_holds_all_get_their_turn(tmp_path: Path, atomic: bool) -> None:
    crowd = Crowd()

    @driver("few", capabilities=["job.sent"], concurrency=2)
    async def few(event: Event) -> None:
        await crowd.pass_()

    async with an_os(tmp_path, few, atomic=atomic, synchronous="NORMAL") as os:
        await os.run(*(job(number) for number in range(450)))
        assert (crowd.most, crowd.calls) == (2, 450)


async def test_a_run_that_finds_no_place_waits_in_the_store_and_is_called(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()

    @driver("one", capabilities=["job.sent"], concurrency=1)
    async def one(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, one, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1), job(2))
        async with begun(os, gate):
            assert await os.work() == 1
            run = await run_of(os, 2)
            assert (run["state"], run["fence"], run["wait"]["reason"]) == ("ready", 0, "driver one runs 1 at once")
            assert (await os.record("e-2"))["due"] == clock.time() + 45
            assert len(await os.left()) == 1
        async with begun(os, gate, 2):
            pass
        assert (await run_of(os, 2))["output"] == 2


async def test_a_limit_holds_for_each_value_of_its_key(tmp_path: Path, atomic: bool) -> None:
    seen: dict[str, Crowd] = {"a": Crowd(), "b": Crowd(), "": Crowd()}
    total = Crowd()

    @driver("few", capabilities=["job.sent"], concurrency=1, concurrency_key="data.customer")
    async def few(event: Event) -> None:
        await asyncio.gather(seen[event.data.get("customer", "")].pass_(), total.pass_())

    async with an_os(tmp_path, few, atomic=atomic) as os:
        await os.run(*(job(n, **({"customer": "ab"[n % 3]} if n % 3 < 2 else {"n": n})) for n in range(30)))
        assert [crowd.most for crowd in seen.values()] == [1, 1, 1]
        assert total.calls == 30


async def test_tenants_do_not_share_a_key(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()

    @driver("one", capabilities=["job.sent"], concurrency=1, concurrency_key="data.customer")
    async def one(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, one, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.publish(job(1, customer="a"))
        await os.publish(job(2, customer="a"), who=BOB)
        tasks = [await deliver(os, gate, 1), await deliver(os, gate, 2)]
        gate.open_all()
        await asyncio.gather(*tasks)
        assert await states(os) == ["done", "done"]


async def test_the_place_of_a_worker_that_died_comes_free_by_itself(tmp_path: Path, atomic: bool) -> None:
    clock, calls = FakeClock(), list[str]()

    @driver("one", capabilities=["job.sent"], concurrency=1)
    async def one(event: Event) -> str:
        calls.append(event.id)
        if calls == ["e-1"]:
            raise KeyboardInterrupt
        return "done"

    async with an_os(tmp_path, one, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1), job(2))
        with pytest.raises(KeyboardInterrupt):
            await os.work()
        await os.work()
        assert calls == ["e-1"]
        await os.recover(clock)
        assert sorted(calls) == ["e-1", "e-1", "e-2"]
        assert await states(os) == ["done", "done"]
        assert (await run_of(os, 1))["takeovers"] == 1


async def test_the_heir_of_a_dead_worker_takes_its_place_over_while_others_wait(tmp_path: Path, atomic: bool) -> None:
    clock, calls = FakeClock(), list[str]()

    @driver("one", capabilities=["job.sent"], concurrency=1)
    async def one(event: Event) -> str:
        calls.append(event.id)
        if calls == ["e-1"]:
            raise KeyboardInterrupt
        return "done"

    async with an_os(tmp_path, one, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1))
        with pytest.raises(KeyboardInterrupt):
            await os.work()
        clock.advance(48)
        await os.publish(job(2))
        await os.work()
        assert (await run_of(os, 2))["state"] == "ready"
        await os.sweep()
        await os.work()
        assert calls == ["e-1", "e-1", "e-2"]


async def test_a_zombie_and_its_heir_are_one_run(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()

    @driver("one", capabilities=["job.sent"], concurrency=1)
    async def one(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, one, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1), job(2))
        async with begun(os, gate) as zombie:
            clock.advance(48)
            await os.sweep()
            [other] = await os.kernel.queue.receive(1, 0)
            async with begun(os, gate, 2):
                gate.open(1)
                await zombie
                await os.handle(other)
                assert (await run_of(os, 2))["state"] == "ready"
        async with begun(os, gate, 3):
            pass
        assert await states(os) == ["done", "done"]


async def test_duplicates_take_one_place(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()

    @driver("two", capabilities=["job.sent"], concurrency=2)
    async def two(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, two, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1))
        await os.publish(job(1))
        await os.publish(job(2))
        async with begun(os, gate):
            await handle_next(os)
            async with begun(os, gate, 2):
                assert gate.began == 2
        assert await states(os) == ["done", "done"]


@pytest.mark.parametrize("fault", ["crash before", "crash after", "down", "lost", "late", "meddled"])
async def test_whatever_goes_wrong_all_end_and_never_too_many_at_once(
    tmp_path: Path, atomic: bool, fault: Fault
) -> None:
    """A fault at every call of the store and the queue in turn."""
    for at in range(0, 60, 1):
        clock, faults, crowd = FakeClock(), Faults(at, fault), Crowd()

        @driver("one", capabilities=["job.sent"], concurrency=1, throttle="10/s", retry=Retry(max_attempts=3, base_s=2))
        async def one(event: Event, ctx: Context, crowd: Crowd = crowd) -> None:
            await crowd.pass_()
            if event.id == "e-1" and ctx.attempt == 1:
                raise TransientError("once")

        async with an_os(
            tmp_path / str(at), one, atomic=atomic, clock=clock, working=False, faults=faults, synchronous="NORMAL"
        ) as os:
            await os.publish(job(1), job(2))
            deliveries = await os.kernel.queue.receive(2, 0)
            await asyncio.gather(*(os.handle(delivery) for delivery in deliveries))
            await faults.land()
            await os.recover(clock, rounds=20)
            assert (crowd.most, await states(os)) == (1, ["done", "done"]), at
        if len(faults.calls) <= at:
            break
    assert at > 10


async def test_a_long_run_keeps_its_place_with_its_lease(
    tmp_path: Path, atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "lease_s", lambda _timeout_s: 0.015)
    monkeypatch.setattr(execute, "MARGIN_S", 500.0)
    gate, clock = Gate(), FakeClock()

    @driver("long", capabilities=["job.sent"], timeout="2m", concurrency=1)
    async def long(event: Event) -> int:
        return await gate.pass_()

    async with an_os(tmp_path, long, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1))
        await os.handle((await os.kernel.queue.receive(1, 0))[0])
        async with begun(os, gate, lane="slow"):
            clock.advance(85)

            async def renewed() -> bool:
                return bool((await run_of(os, 1))["lease_until"] == clock.time() + 0.015)

            await until(renewed)
            clock.advance(36)
            await os.publish(job(2))
            await handle_next(os)
            knocks = await os.kernel.lanes["slow"].receive(10, 0)
            [knock] = [knock for knock in knocks if knock.message.id.startswith("e-2")]
            await os.handle(knock)
            assert (await run_of(os, 2))["wait"]["reason"] == "driver long runs 1 at once"


# Starts in time


async def test_a_throttle_lets_so_many_start_in_a_period_and_the_others_wait(tmp_path: Path, atomic: bool) -> None:
    clock, starts = FakeClock(), list[float]()

    @driver("slowly", capabilities=["job.sent"], throttle="10/m")
    async def slowly(event: Event) -> None:
        starts.append(clock.time())

    async with an_os(tmp_path, slowly, atomic=atomic, clock=clock, working=False, synchronous="NORMAL") as os:
        began = clock.time()
        await os.publish(*(job(number) for number in range(35)))
        await os.work()
        assert len(starts) == 10
        run = await run_of(os, 20)
        assert (run["state"], run["attempt"], run["wait"]["reason"]) == (
            "ready", 0, "driver slowly starts 10 times in 60 s"
        )  # fmt: skip
        while len(starts) < 35:
            clock.advance(1)
            await os.work()
            assert clock.time() - began < 250
        for start in starts:
            assert sum(start <= other < start + 60 for other in starts) <= 10
        assert set(await states(os)) == {"done"}


async def test_a_throttle_outlasts_the_loss_of_its_knocks(tmp_path: Path, atomic: bool) -> None:
    clock, starts = FakeClock(), list[str]()

    @driver("slowly", capabilities=["job.sent"], throttle="1/10s")
    async def slowly(event: Event) -> None:
        starts.append(event.id)

    async with an_os(tmp_path, slowly, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(job(1), job(2))
        await os.work()
        clock.advance(11)
        for knock in await os.kernel.queue.receive(10, 0):
            await os.kernel.queue.complete(knock.token)
        await os.recover(clock)
        assert starts == ["e-1", "e-2"]


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
