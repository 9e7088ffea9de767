"""Drivers that promise to beat: one that falls silent is ended before its time-out, and the record says so."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import an_os
from tests.support.isolated import a_driver, an_os_of
from vextir_os import Context, Event, Retry, driver
from vextir_os.driverkit.call import declared
from vextir_os.errors import ManifestError

ONCE = Retry(max_attempts=1)


async def error_of(tmp_path: Path, driver_: Any, atomic: bool) -> dict[str, Any]:
    async with an_os(tmp_path, driver_, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        [run] = (await os.record("e-1"))["runs"].values()
    error: dict[str, Any] = run["error"] or {"output": run["output"]}
    return error


async def test_a_driver_that_falls_silent_is_ended_with_what_it_said_last(tmp_path: Path, atomic: bool) -> None:
    seen: list[str] = []

    @driver("job", capabilities=["job.sent"], heartbeat="40ms", timeout="1h", retry=ONCE)
    async def work(event: Event, ctx: Context) -> None:
        ctx.heartbeat("page 3")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    error = await error_of(tmp_path, work, atomic)
    assert (error["class"], error["code"], error["kind"]) == ("HeartbeatError", "VX423", "transient")
    assert error["message"] == (
        "driver job gave no heartbeat for 0.04 s; its last note was 'page 3'. "
        "Call ctx.heartbeat() more often, or raise its `heartbeat`"
    )
    assert seen == ["cancelled"]


async def test_a_driver_that_never_beats_is_told_so(tmp_path: Path, atomic: bool) -> None:
    @driver("job", capabilities=["job.sent"], heartbeat="20ms", timeout="1h", retry=ONCE)
    async def work(event: Event) -> None:
        await asyncio.Event().wait()

    error = await error_of(tmp_path, work, atomic)
    assert "driver job gave no heartbeat for 0.02 s, and not once before." in error["message"]


async def test_a_driver_that_beats_goes_on_for_longer_than_it_may_be_silent(tmp_path: Path, atomic: bool) -> None:
    @driver("job", capabilities=["job.sent"], heartbeat="400ms", timeout="1h", retry=ONCE)
    async def work(event: Event, ctx: Context) -> str:
        for page in range(50):
            await asyncio.sleep(0.01)
            ctx.heartbeat(f"page {page}")
        return "read"

    assert await error_of(tmp_path, work, atomic) == {"output": "read"}


async def test_a_driver_that_never_waits_needs_no_beat(tmp_path: Path, atomic: bool) -> None:
    @driver("job", capabilities=["job.sent"], heartbeat="10ms", retry=ONCE)
    async def work(event: Event) -> str:
        return "done"

    assert await error_of(tmp_path, work, atomic) == {"output": "done"}


async def test_the_time_out_holds_for_who_beats_too(tmp_path: Path, atomic: bool) -> None:
    @driver("job", capabilities=["job.sent"], heartbeat="50ms", timeout="150ms", retry=ONCE)
    async def work(event: Event, ctx: Context) -> None:
        while True:
            ctx.heartbeat()
            await asyncio.sleep(0.005)

    error = await error_of(tmp_path, work, atomic)
    assert error["class"] == "DriverTimeoutError"
    assert "driver job did not end within 0.15 s" in error["message"]


async def test_who_promised_nothing_may_beat(tmp_path: Path, atomic: bool) -> None:
    @driver("job", capabilities=["job.sent"], retry=ONCE)
    async def work(event: Event, ctx: Context) -> str:
        ctx.heartbeat("nobody listens")
        return "done"

    assert await error_of(tmp_path, work, atomic) == {"output": "done"}


@pytest.mark.parametrize("isolation", ["thread", "process"])
async def test_silence_is_noticed_on_threads_and_in_processes(tmp_path: Path, isolation: str) -> None:
    body = 'ctx.heartbeat("page 3")\nimport time\nwhile True:\n    time.sleep(0.01)'
    options = f', isolation="{isolation}", heartbeat="150ms", retry=Retry(max_attempts=1)'
    a_driver(tmp_path, body, options=options, form="")
    async with an_os_of(tmp_path) as os:
        run = (await os.event("bad.wanted"))["runs"]["bad"]
    assert (run["state"], run["error"]["class"]) == ("dead", "HeartbeatError")
    assert "its last note was 'page 3'" in run["error"]["message"]


@pytest.mark.parametrize("isolation", ["thread", "process"])
async def test_beats_are_heard_from_threads_and_processes(tmp_path: Path, isolation: str) -> None:
    body = 'import time\nfor _ in range(40):\n    time.sleep(0.02)\n    ctx.heartbeat("on")\nreturn "done"'
    options = f', isolation="{isolation}", heartbeat="600ms", retry=Retry(max_attempts=1)'
    a_driver(tmp_path, body, options=options, form="")
    async with an_os_of(tmp_path) as os:
        assert (await os.event("bad.wanted"))["runs"]["bad"]["output"] == "done"


@pytest.mark.parametrize(
    ("heartbeat", "message"),
    [
        ("soon", "heartbeat 'soon' is not a duration"),
        ("1ms", "heartbeat 0.001 is not between 10 ms and 1 hour"),
        ("30s", "heartbeat 30 s is not less than the timeout of 30 s. Raise `timeout`, or leave `heartbeat` out"),
    ],
)
def test_a_heartbeat_that_makes_no_sense_is_refused(heartbeat: str, message: str) -> None:
    async def work(event: Event) -> None: ...

    with pytest.raises(ManifestError) as caught:
        driver("job", capabilities=["job.sent"], heartbeat=heartbeat)(work)
    assert message in str(caught.value)


def test_a_heartbeat_stands_in_the_manifest() -> None:
    @driver("job", capabilities=["job.sent"], heartbeat="10s")
    async def work(event: Event) -> None: ...

    manifest = declared(work)
    assert manifest is not None
    assert manifest.heartbeat_s == 10.0
