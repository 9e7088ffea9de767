"""Limits of drivers: runs at once, starts in time. Whatever fails; both modes."""

import asyncio
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Fault, Faults
from tests.support.gate import Gate, begun
from tests.support.harness import an_os, until
from tests.support.limits import BOB, Crowd, deliver, handle_next, job, run_of, states
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.events.event import Event
from vextir_os.processor import execute

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
