"""A driver on a thread: what blocks holds up nobody, what does not end is stopped, and what cannot be is left alone."""

import asyncio
import threading
import time
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import an_os, until
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.manifest import Retry
from vextir_os.events.event import Event
from vextir_os.isolation import threads
from vextir_os.runs import reading

ONCE = Retry(max_attempts=1)


async def test_a_call_that_blocks_holds_up_no_other_driver(tmp_path: Path, atomic: bool) -> None:
    release = threading.Event()

    @driver("slow", capabilities=["slow.wanted"], isolation="thread")
    def slow(event: Event) -> str:
        assert release.wait(30)
        return threading.current_thread().name

    @driver("quick", capabilities=["quick.wanted"])
    async def quick(event: Event) -> str:
        return "done"

    async with an_os(tmp_path, slow, quick, atomic=atomic) as os:
        os.watch.expect("e-1")
        await os.publish(Event(id="e-1", type="slow.wanted"))
        await os.publish(Event(id="e-2", type="quick.wanted"))

        async def is_done() -> bool:
            record = await reading.find(os.kernel.store, "local", "e-2")
            return record is not None and record["runs"]["quick"]["state"] == "done"

        await until(is_done)
        assert (await os.record("e-1"))["runs"]["slow"]["state"] == "running"
        release.set()
        await os.watch.idle()
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == "vextir-slow"


async def test_async_functions_run_in_a_loop_of_their_thread(tmp_path: Path) -> None:
    loops = set()

    @driver("a", capabilities=["a.wanted"], isolation="thread")
    async def run(event: Event) -> str:
        await asyncio.sleep(0)
        loops.add(asyncio.get_running_loop())
        return "done"

    async with an_os(tmp_path, run) as os:
        assert (await os.event("a.wanted"))["runs"]["a"]["output"] == "done"
    assert asyncio.get_running_loop() not in loops


async def test_a_plain_function_may_run_a_loop_of_its_own(tmp_path: Path) -> None:
    async def inner() -> str:
        return "done"

    @driver("a", capabilities=["a.wanted"], isolation="thread")
    def run(event: Event) -> str:
        return asyncio.run(inner())

    async with an_os(tmp_path, run) as os:
        assert (await os.event("a.wanted"))["runs"]["a"]["output"] == "done"


def _endless() -> None:
    while True:
        pass


async def _waits() -> None:
    await asyncio.sleep(1_000)


@pytest.mark.parametrize("form", ["a loop", "a wait"])
async def test_what_does_not_end_in_time_is_stopped(tmp_path: Path, atomic: bool, form: str) -> None:
    ended = threading.Event()

    def loop(event: Event) -> None:
        try:
            _endless()
        finally:
            ended.set()

    async def wait(event: Event) -> None:
        try:
            await _waits()
        finally:
            ended.set()

    options: dict[str, Any] = {"capabilities": ["bad.wanted"], "isolation": "thread", "retry": ONCE}
    function = driver("bad", timeout="50ms", **options)(loop if form == "a loop" else wait)
    async with an_os(tmp_path, function, atomic=atomic) as os:
        run = (await os.event("bad.wanted"))["runs"]["bad"]
        assert run["error"]["message"].startswith("driver bad did not end within 0.05 s")

        async def is_gone() -> bool:
            return not any(thread.name == "vextir-bad" for thread in threading.enumerate())

        await until(is_gone)
    assert ended.is_set()


async def test_turns_that_cannot_be_stopped_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "STUCK", 2)
    release = threading.Event()

    @driver("bad", capabilities=["bad.wanted"], isolation="thread", timeout="20ms", retry=ONCE)
    def bad(event: Event) -> None:
        # One call of C, which no exception gets into.
        if event.data:
            release.wait(60)

    async with an_os(tmp_path, bad) as os:
        stuck = await os.run(*[Event(type="bad.wanted", data=1) for _ in range(2)])
        assert {record["runs"]["bad"]["error"]["class"] for record in stuck} == {"DriverTimeoutError"}
        error = (await os.event("bad.wanted", event_id="e-3"))["runs"]["bad"]["error"]
        assert error["kind"] == "transient"
        assert error["message"] == (
            "2 turns of driver bad could not be stopped and still run. "
            'Give what blocks a time-out of its own, or run the driver isolation="process"'
        )
        release.set()

        async def is_gone() -> bool:
            return not any(thread.name == "vextir-bad" for thread in threading.enumerate())

        await until(is_gone)
        assert (await os.event("bad.wanted", event_id="e-4"))["runs"]["bad"]["state"] == "done"


async def test_context_variables_reach_the_thread(tmp_path: Path) -> None:
    request: ContextVar[str] = ContextVar("request")

    @driver("a", capabilities=["a.wanted"], isolation="thread")
    def run(event: Event) -> str:
        return request.get()

    async with an_os(tmp_path, run, working=False) as os:
        request.set("r-1")
        await os.publish(Event(id="e-1", type="a.wanted"))
        await os.work()
        assert (await os.record("e-1"))["runs"]["a"]["output"] == "r-1"


async def test_no_more_threads_than_its_concurrency(tmp_path: Path) -> None:
    names = set()

    @driver("a", capabilities=["a.wanted"], isolation="thread", concurrency=2)
    def run(event: Event) -> None:
        names.add(threading.get_ident())
        time.sleep(0.001)

    async with an_os(tmp_path, run) as os:
        await os.run(*[Event(type="a.wanted") for _ in range(20)])
    assert len(names) <= 2
