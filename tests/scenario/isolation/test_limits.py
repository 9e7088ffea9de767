"""Limits of a process: each that is hit ends the turn with an error that names it and its value; the next is done."""

from pathlib import Path

import pytest

from tests.support.isolated import RETRY_NONE, a_driver, an_os_of, gone

LIMITS = [
    pytest.param(
        "held = []\nwhile event.data:\n    held.append(bytearray(2_000_000))",
        ', memory="100MB"',
        "DriverLimitError",
        "driver bad used more memory than its limit of 100MB",
        id="memory-by-and-by",
    ),
    pytest.param(
        'return len(b"x" * (2_000_000_000 if event.data else 1))',
        ', memory="100MB"',
        "DriverLimitError",
        "driver bad used more memory than its limit of 100MB",
        id="memory-at-once",
    ),
    pytest.param(
        "import os, time\nfor _ in range(3 if event.data else 0):\n    if not os.fork():\n"
        "        held = b'x' * 60_000_000\n        time.sleep(20)\nwhile event.data:\n    time.sleep(0.01)",
        ', memory="150MB", processes=3',
        "DriverLimitError",
        "driver bad used more memory than its limit of 150MB, it held ",
        id="memory-of-all-together",
    ),
    pytest.param(
        "while event.data:\n    pass",
        ', cpu="200ms"',
        "DriverLimitError",
        "driver bad used more CPU time than its limit of 0.2 s in one turn",
        id="cpu-in-python",
    ),
    pytest.param(
        'import re\nreturn bool(re.match("(a+)+b", "a" * (60 if event.data else 1)))',
        ', cpu="200ms"',
        "DriverLimitError",
        "driver bad used more CPU time than its limit of 0.2 s in one turn",
        id="cpu-in-c",
    ),
    pytest.param(
        "pow(3, 10 ** (9 if event.data else 1))",
        ', timeout="300ms"',
        "DriverTimeoutError",
        "driver bad did not end within 0.3 s",
        id="time-in-c",
    ),
    pytest.param(
        'with open("big", "wb") as file:\n    file.seek(300_000_000 if event.data else 1)\n    file.write(b"x")',
        "",
        "DriverLimitError",
        "driver bad wrote a file over the limit of 256MB",
        id="a-large-file",
    ),
    pytest.param(
        'held = [open("/dev/null") for _ in range(1_000 if event.data else 1)]',
        "",
        "DriverLimitError",
        "driver bad holds more open files than the limit of 256",
        id="open-files",
    ),
    pytest.param(
        "import subprocess\nrunning = [subprocess.Popen(['sleep', '20']) for _ in range(4 if event.data else 0)]\n"
        "while running:\n    pass",
        ", processes=2",
        "DriverLimitError",
        "driver bad started more processes than its limit of 2, there were 4",
        id="processes",
    ),
]


@pytest.mark.parametrize(("body", "options", "name", "message"), LIMITS)
async def test_a_limit_that_is_hit_is_named_and_the_next_event_is_done(
    tmp_path: Path, body: str, options: str, name: str, message: str
) -> None:
    a_driver(tmp_path, body, options=options + RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        run = (await os_.event("bad.wanted", 1))["runs"]["bad"]
        assert (run["state"], run["error"]["class"]) == ("dead", name)
        assert run["error"]["message"].startswith(message)
        assert run["error"]["kind"] == ("transient" if name == "DriverTimeoutError" else "bug")
        assert (await os_.event("bad.wanted", None, "e-2"))["runs"]["bad"]["state"] == "done"
    await gone(tmp_path)
