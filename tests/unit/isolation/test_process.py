"""The OS's end of the channel, against a process that writes anything: each turn ends, nothing else is disturbed."""

import asyncio
import contextlib
import os
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vextir_os.driverkit.manifest import Manifest
from vextir_os.driverkit.result import Result
from vextir_os.errors import DriverCrashError
from vextir_os.events import jsonio
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.isolation.frames import frame
from vextir_os.isolation.process import Host
from vextir_os.isolation.spawn import Started
from vextir_os.runs.context import RunContext
from vextir_os.runs.failure import ReportedFailure

MANIFEST = Manifest(id="bad", kind="tool", capabilities=("bad.wanted",), isolation="process")
CTX = RunContext(
    driver="bad",
    event_id="e-1",
    principal=Principal(kind="user", id="ann", tenant="local"),
    attempt=1,
    rerun=0,
    now=0.0,
)
ANSWERS: tuple[dict[str, Any], ...] = (
    {"call": 1, "output": 7, "events": []},
    {"call": 1, "failure": {"kind": "bug", "detail": {"message": "no", "code": "VX400"}}},
    {"call": 2, "output": 7, "events": []},
    {"call": 1, "log": "text", "fields": {"a": 1, "message": "clash"}},
    {"call": 1, "log": 7},
    {"call": 1, "beat": "forged"},
    {"call": 1, "beat": 7},
    {},
)
PIECES = st.lists(
    st.binary(max_size=50)
    | st.sampled_from([frame(jsonio.dumps(answer)) for answer in ANSWERS])
    | st.builds(lambda answer, end: frame(jsonio.dumps(answer))[:end], st.sampled_from(ANSWERS), st.integers(0, 30)),
    max_size=6,
)


@pytest.fixture(scope="module")
def over() -> "subprocess.Popen[bytes]":
    """Stand in for a warden that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process


async def one_turn(over: "subprocess.Popen[bytes]", pieces: list[bytes]) -> tuple[Any, list[Any]]:
    """Return what a turn gave, and what the event loop had to report."""
    control, warden = socket.socketpair()
    channel, process = socket.socketpair()
    output, written = os.pipe()
    for end in (control, channel):
        end.setblocking(False)
    os.set_blocking(output, False)
    reported: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    gone: list[Host] = []
    host = Host(
        MANIFEST,
        Started(warden=over, control=control, channel=channel, output=output, folder=Path("/nowhere")),
        gone.append,
    )
    turn = asyncio.ensure_future(host.call(Event(type="bad.wanted", id="e-1", source="/cli"), CTX))
    await asyncio.sleep(0)
    for piece in pieces:
        with contextlib.suppress(BrokenPipeError):
            process.sendall(piece)
        await asyncio.sleep(0)
    process.close()
    warden.sendall(b'{"ended": 0, "alive": false, "limit": null, "value": null, "left": 0}\n')
    warden.close()
    os.close(written)
    (given,) = await asyncio.gather(turn, return_exceptions=True)
    await host.gone.wait()
    assert gone == [host]
    return given, reported


@settings(max_examples=150)
@given(PIECES)
def test_a_turn_ends_well_or_as_a_crash_whatever_is_written(
    over: "subprocess.Popen[bytes]", pieces: list[bytes]
) -> None:
    given, reported = asyncio.run(one_turn(over, pieces))
    assert isinstance(given, (Result, ReportedFailure, DriverCrashError)), given
    assert reported == []


def test_an_answer_counts_and_what_follows_it_does_not(over: "subprocess.Popen[bytes]") -> None:
    given, _ = asyncio.run(one_turn(over, [frame(jsonio.dumps(ANSWERS[0])), b"\xff" * 50]))
    assert given == Result(output=7)


def test_the_answer_of_another_call_is_a_crash(over: "subprocess.Popen[bytes]") -> None:
    given, _ = asyncio.run(one_turn(over, [frame(jsonio.dumps(ANSWERS[2]))]))
    assert isinstance(given, DriverCrashError)
