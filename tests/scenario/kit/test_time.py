"""Time of an OS under test: it stands still, jumps where somebody sleeps, and passes where a test says so."""

import asyncio
import contextlib
import threading
import time
from datetime import timedelta

import pytest

from tests.scenario.kit.cast import greet, guest, sleep
from tests.scenario.kit.test_looking import BOTH
from vextir_os import Context, Event, Retry, TransientError, driver
from vextir_os.errors import UsageError
from vextir_os.testing import open_os
from vextir_os.testing.clock import START


@BOTH
async def test_a_driver_that_sleeps_is_through_at_once_and_the_clock_has_moved(atomic: bool) -> None:
    async with open_os(sleep, atomic=atomic) as os:
        assert os.clock.now == START
        await os.publish(Event(type="nap.wanted", data={"seconds": 90}))
        assert os.output("sleeper") == {"slept": 90}
        assert os.clock.now == START + timedelta(seconds=90)


async def test_time_stands_still_while_nobody_says_otherwise() -> None:
    async with open_os(greet) as os:
        before = os.clock.now
        await os.publish(guest())
        await asyncio.to_thread(time.sleep, 0.02)
        assert os.clock.now == before


@BOTH
async def test_a_driver_that_sleeps_too_long_meets_its_time_out(atomic: bool) -> None:
    async with open_os(sleep, atomic=atomic) as os:
        await os.publish(Event(type="nap.wanted", data={"seconds": 1_000}))
        assert str(os.run("sleeper").error) == (
            "DriverTimeoutError: driver sleeper did not end within 120 s. Raise its `timeout`, or split its work"
        )


@BOTH
async def test_a_retry_waits_for_its_time_and_advance_brings_it(atomic: bool) -> None:
    async with open_os(greet, atomic=atomic) as os:
        failing = os.fail("greeter", TransientError("down"), times=2)
        await os.publish(guest())
        run = os.run("greeter")
        assert (run.state, run.status, run.attempts, str(run.error)) == ("retry", "queued", 1, "TransientError: down")
        await os.advance("10m")
        assert (os.run("greeter").state, os.run("greeter").attempts, os.calls("greeter")) == ("done", 3, 1)
        assert (failing.happened, failing.left) == (2, 0)
        assert os.clock.now == START + timedelta(minutes=10)


async def test_what_is_not_due_yet_is_not_brought_by_a_shorter_time() -> None:
    @driver("patient", capabilities=["work.wanted"], retry=Retry(max_attempts=2, base_s=3600, cap_s=3600))
    async def work(event: Event, ctx: Context) -> int:
        if ctx.attempt == 1:
            raise TransientError("not yet")
        return ctx.attempt

    async with open_os(work, seed=1) as os:
        await os.publish(Event(type="work.wanted"))
        due = os.run("patient").next_at
        assert due is not None
        await os.advance((due - os.clock.now).total_seconds() - 10)
        assert os.run("patient").state == "retry"
        await os.advance(timedelta(seconds=20))
        assert os.output("patient") == 2


async def test_finish_lets_pass_what_is_needed_and_no_more() -> None:
    async with open_os(greet) as os:
        os.fail("greeter", TransientError("down"), times=3)
        await os.publish(guest())
        await os.finish()
        assert os.run("greeter").state == "done"
        assert os.clock.now < START + timedelta(minutes=5)


async def test_finish_says_what_does_not_come_to_an_end() -> None:
    @driver("endless", capabilities=["work.wanted"], retry=Retry(max_attempts=100, base_s=3600, cap_s=3600))
    async def work(event: Event) -> None:
        raise TransientError("never")

    async with open_os(work) as os:
        await os.publish(Event(type="work.wanted"))
        with pytest.raises(AssertionError, match=r"after 2h not finished: \(?\[<record e-1 \(work.wanted\): queued"):
            await os.finish("2h")


async def test_a_span_of_time_that_is_none_is_refused() -> None:
    async with open_os(greet) as os:
        with pytest.raises(UsageError, match="time cannot pass by 'soon' is not a duration such as"):
            await os.advance("soon")


async def test_a_driver_that_waits_for_a_thread_is_waited_for_in_real_time() -> None:
    @driver("threaded", capabilities=["work.wanted"])
    async def work(event: Event) -> str:
        await asyncio.to_thread(time.sleep, 0.05)
        return "by a thread"

    async with open_os(work) as os:
        await os.publish(Event(type="work.wanted"))
        assert os.output("threaded") == "by a thread"
        assert os.clock.now < START + timedelta(seconds=30)


async def test_a_driver_that_speaks_to_a_server_in_the_tests_own_loop_gets_its_answer() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    @driver("caller", capabilities=["call.wanted"])
    async def call(event: Event) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\n")
        line = await reader.readline()
        writer.close()
        return line.decode().strip()

    async with server, open_os(call) as os:
        await os.publish(Event(type="call.wanted"))
        assert os.output("caller") == "hello"


async def test_what_a_driver_leaves_running_goes_on_as_time_passes() -> None:
    done: list[str] = []
    left: list[asyncio.Task[None]] = []

    @driver("starter", capabilities=["work.wanted"])
    async def start(event: Event) -> None:
        async def later() -> None:
            await asyncio.sleep(5)
            done.append("later")

        left.append(asyncio.create_task(later()))

    async with open_os(start) as os:
        await os.publish(Event(type="work.wanted"))
        assert (done, os.clock.now) == ([], START)
        await os.advance(10)
        assert (done, os.clock.now) == (["later"], START + timedelta(seconds=10))


@BOTH
async def test_a_limit_of_one_run_at_once_costs_the_time_of_the_runs_and_no_more(atomic: bool) -> None:
    @driver("single", capabilities=["work.wanted"], concurrency=1)
    async def work(event: Event) -> str:
        await asyncio.sleep(5)
        return event.id

    async with open_os(work, atomic=atomic) as os:
        await os.publish(*(Event(type="work.wanted") for _ in range(4)))
        await os.finish()
        assert sorted(os.outputs) == ["e-1", "e-2", "e-3", "e-4"]
        assert timedelta(seconds=20) <= os.clock.now - START < timedelta(seconds=25)


async def test_a_year_passes_in_no_time() -> None:
    async with open_os(greet) as os:
        await os.publish(guest())
        await os.advance("365d")
        assert os.clock.now == START + timedelta(days=365)
        # Its retention is over.
        assert os.records == ()


async def test_a_thread_that_a_dead_worker_left_holds_up_no_time() -> None:
    @driver("threaded", capabilities=["work.wanted"])
    async def work(event: Event, ctx: Context) -> int:
        await asyncio.to_thread(time.sleep, 0.02)
        await asyncio.sleep(20)
        return 1

    async with open_os(work, limit_s=10) as os:
        os.crash_at("after driver")
        await os.publish(Event(type="work.wanted"))
        assert (os.output("threaded"), os.calls("threaded")) == (1, 2)
        await os.advance("1h")


def test_what_never_comes_to_rest_is_told_and_its_thread_ends() -> None:
    @driver("stubborn", capabilities=["work.wanted"])
    async def work(event: Event) -> None:
        while True:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1)

    before = threading.active_count()
    with pytest.raises(AssertionError, match=r"did not come to rest within 0\.5 s"), open_os(work, limit_s=0.5) as os:
        os.publish(Event(type="work.wanted"))
    assert threading.active_count() == before
