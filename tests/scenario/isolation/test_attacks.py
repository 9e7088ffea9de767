"""A driver that means harm: to its process, to the channel, to the OS. Its run fails and says why; the OS goes on."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.isolated import RETRY_NONE, a_driver, an_os_of, gone
from vextir_os.events.event import Event

CHANNEL = """
import os, socket, stat
def sockets():
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                yield number
        except OSError:
            pass
"""
"""How hostile code finds the channel: it tries each descriptor."""

ENDS = {
    "crash": ("import faulthandler\nfaulthandler._sigsegv()", "was killed by SIGSEGV"),
    "abort": ("import os\nos.abort()", "was killed by SIGABRT"),
    "exit of the process": ("import os\nos._exit(3)", "ended itself with status 3"),
    "killed": ("import os\nos.kill(os.getpid(), 9)", "was killed by SIGKILL"),
    "closed all": ("import os\nos.closerange(0, 256)\nwhile True: pass", "closed its channel to the OS"),
    "garbage": (CHANNEL + "for n in sockets(): os.write(n, b'\\xff' * 100)", "wrote a frame of 4294967295 bytes"),
    "no JSON": (CHANNEL + "for n in sockets(): os.write(n, b'\\0\\0\\0\\3abc')", "wrote a frame that is not JSON"),
    "no object": (CHANNEL + "for n in sockets(): os.write(n, b'\\0\\0\\0\\1[')", "wrote a frame that is not JSON"),
    "a number": (CHANNEL + "for n in sockets(): os.write(n, b'\\0\\0\\0\\0017')", "wrote a frame that holds a int"),
    "another call": (
        CHANNEL + "for n in sockets(): os.write(n, b'\\0\\0\\0\\x19' + b'{\"call\":999,\"events\":[ ]}')",
        "wrote what answers no question",
    ),
    "half a frame": (
        CHANNEL + "for n in sockets(): os.write(n, b'\\0\\1\\0\\0{\"call\":')\nos._exit(0)",
        "ended itself with status 0",
    ),
    "forged failure": (
        CHANNEL + 'body = b\'{"call":%d,"failure":{"kind":"ok"}}\' % CALL\n'
        "for n in sockets(): os.write(n, len(body).to_bytes(4, 'big') + body)",
        "wrote a failure of no kind",
    ),
    "forged event": (
        CHANNEL + 'body = b\'{"call":%d,"events":[{"type":"UPPER","evil":1}]}\' % CALL\n'
        "for n in sockets(): os.write(n, len(body).to_bytes(4, 'big') + body)",
        "wrote an event that is none",
    ),
    "deep": (
        CHANNEL + "body = b'{\"call\":%d,\"events\":[],\"output\":' % CALL + b'[' * 5_000 + b']' * 5_000 + b'}'\n"
        "for n in sockets(): os.write(n, len(body).to_bytes(4, 'big') + body)",
        "wrote a frame that is not JSON",
    ),
}


async def test_its_run_says_what_became_of_it_and_the_next_event_is_served(tmp_path: Path) -> None:
    a_driver(tmp_path, 'exec(event.data.replace("CALL", str(ctx.attempt)), {})', options=RETRY_NONE)
    wrong = {}
    async with an_os_of(tmp_path) as os_:
        for name, (body, message) in ENDS.items():
            run = (await os_.event("bad.wanted", body, name.replace(" ", "-")))["runs"]["bad"]
            said = (run["state"], run["error"]["class"], run["error"]["kind"])
            text = run["error"]["message"]
            if said != ("dead", "DriverCrashError", "bug") or not text.startswith(
                f"the process of driver bad {message}"
            ):
                wrong[name] = run["error"]
        assert (await os_.event("bad.wanted", "1", "good"))["runs"]["bad"]["state"] == "done"
    assert wrong == {}
    await gone(tmp_path)


RAISES: dict[str, tuple[str, str]] = {
    "exit": ("import sys\nsys.exit(3)", "SystemExit"),
    "Ctrl-C": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "generator": ("raise GeneratorExit", "GeneratorExit"),
    "recursion": ("def f(): f()\nf()", "RecursionError"),
    "bad text": ("class E(Exception):\n    def __str__(self): raise SystemExit\nraise E", "E"),
    "surrogate": ("raise ValueError('\\ud800')", "ValueError"),
    "long": ("raise ValueError('x' * 10_000_000)", "ValueError"),
}


async def test_whatever_it_raises_is_its_failure(tmp_path: Path) -> None:
    a_driver(tmp_path, "exec(event.data, {})", options=RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        records = await os_.run(*[Event(type="bad.wanted", data=body) for body, _ in RAISES.values()])
    errors = [record["runs"]["bad"]["error"] for record in records]
    assert [error["class"] for error in errors] == [name for _, name in RAISES.values()]
    assert {error["kind"] for error in errors} == {"bug"}
    assert max(len(str(error)) for error in errors) < 50_000


async def test_an_answer_over_its_limit_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    a_driver(tmp_path, "return 'x' * 90_000_000", options=RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        error = (await os_.event("bad.wanted"))["runs"]["bad"]["error"]
    assert error["kind"] == "bug"
    assert error["message"].startswith("driver `bad`: the output is too many bytes as JSON")


async def test_a_gigabyte_of_output_is_dropped_and_the_rest_of_the_log_stays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = 'import os\nprint("first")\nchunk = b"x" * 1_000_000\nfor _ in range(event.data):\n    os.write(1, chunk)'
    a_driver(tmp_path, body, options=RETRY_NONE)
    with caplog.at_level("INFO", "vextir.driver"):
        async with an_os_of(tmp_path) as os_:
            assert (await os_.event("bad.wanted", 1_000))["runs"]["bad"]["state"] == "done"
            assert (await os_.event("bad.wanted", 0, "e-2"))["runs"]["bad"]["state"] == "done"
    said = [(line.getMessage(), bound(line)) for line in caplog.records]
    assert said[0] == ("first", "e-1")
    assert said[-1] == ("first", "e-2")
    assert any("bytes of further output were dropped" in text for text, _ in said)
    assert sum(len(text) for text, _ in said) < 100_000


def bound(line: Any) -> str:
    """Return the event that a log line is of."""
    return str(line.vextir["event_id"])


async def test_a_flood_of_log_lines_is_cut(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    a_driver(tmp_path, "for n in range(3_000):\n    ctx.log('line', n=n, thing=object())")
    with caplog.at_level("INFO", "vextir.driver"):
        async with an_os_of(tmp_path) as os_:
            assert (await os_.event("bad.wanted"))["runs"]["bad"]["state"] == "done"
    assert len(caplog.records) == 1_000
    bound_to: Any = caplog.records[0]
    assert bound_to.vextir["fields"]["thing"].startswith("<object object")


async def test_what_an_earlier_turn_logs_is_not_said_for_another_event(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    body = """
import threading
kept = globals().setdefault("kept", [])
if not event.data:
    kept.append(ctx)
else:
    late = threading.Thread(target=kept[0].log, args=("of the first",))
    late.start()
    late.join()
    ctx.log("of the second")
""".strip()
    a_driver(tmp_path, body, options=", concurrency=1" + RETRY_NONE)
    with caplog.at_level("INFO", "vextir.driver"):
        async with an_os_of(tmp_path) as os_:
            for data, name in ((0, "e-1"), (1, "e-2")):
                assert (await os_.event("bad.wanted", data, name))["runs"]["bad"]["error"] is None
    assert [(line.getMessage(), bound(line)) for line in caplog.records] == [("of the second", "e-2")]


async def test_threads_that_log_together_write_whole_lines(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    body = """
import threading
threads = [threading.Thread(target=ctx.log, args=("x" * 7_000,)) for _ in range(40)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
""".strip()
    a_driver(tmp_path, body, options=RETRY_NONE)
    with caplog.at_level("INFO", "vextir.driver"):
        async with an_os_of(tmp_path) as os_:
            assert (await os_.event("bad.wanted"))["runs"]["bad"]["error"] is None
    assert [len(line.getMessage()) for line in caplog.records] == [7_000] * 40
