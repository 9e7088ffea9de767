"""Limits of a process: each that is hit ends the turn with an error that names it and its value; the next is done."""

from pathlib import Path

from tests.support.isolated import RETRY_NONE, a_driver, an_os_of, gone
from vextir_os.events.event import Event

LIMITS = {
    "memory": (
        "held = []\nwhile event.data:\n    held.append(bytearray(2_000_000))",
        ', memory="100MB"',
        "DriverLimitError",
        "driver {} used more memory than its limit of 100MB",
    ),
    "memory_at_once": (
        'return len(b"x" * (2_000_000_000 if event.data else 1))',
        ', memory="100MB"',
        "DriverLimitError",
        "driver {} used more memory than its limit of 100MB",
    ),
    "memory_of_all": (
        (
            "import os, time\nfor _ in range(3 if event.data else 0):\n    if not os.fork():\n"
            "        held = b'x' * 60_000_000\n"
            "        time.sleep(20)\nwhile event.data:\n    time.sleep(0.01)"
        ),
        ', memory="150MB", processes=3',
        "DriverLimitError",
        "driver {} used more memory than its limit of 150MB, it held ",
    ),
    "cpu": (
        "while event.data:\n    pass",
        ', cpu="200ms"',
        "DriverLimitError",
        "driver {} used more CPU time than its limit of 0.2 s in one turn",
    ),
    "cpu_in_c": (
        'import re\nreturn bool(re.match("(a+)+b", "a" * (60 if event.data else 1)))',
        ', cpu="200ms"',
        "DriverLimitError",
        "driver {} used more CPU time than its limit of 0.2 s in one turn",
    ),
    "time_in_c": (
        "pow(3, 10 ** (9 if event.data else 1))",
        ', timeout="300ms"',
        "DriverTimeoutError",
        "driver {} did not end within 0.3 s",
    ),
    "large_file": (
        'with open("big", "wb") as file:\n    file.seek(300_000_000 if event.data else 1)\n    file.write(b"x")',
        "",
        "DriverLimitError",
        "driver {} wrote a file over the limit of 256MB",
    ),
    "open_files": (
        'held = [open("/dev/null") for _ in range(1_000 if event.data else 1)]',
        "",
        "DriverLimitError",
        "driver {} holds more open files than the limit of 256",
    ),
    "processes": (
        (
            "import subprocess\nrunning = [subprocess.Popen(['sleep', '20']) for _ in range(4 if event.data else 0)]\n"
            "while running:\n    pass"
        ),
        ", processes=2",
        "DriverLimitError",
        "driver {} started more processes than its limit of 2, there were 4",
    ),
}


async def test_a_limit_that_is_hit_is_named_and_the_next_event_is_done(tmp_path: Path) -> None:
    for name, (body, options, _, _) in LIMITS.items():
        a_driver(tmp_path, body, name=name, options=options + RETRY_NONE)
    wrong = {}
    async with an_os_of(tmp_path) as os_:
        for name, (_, _, kind, message) in LIMITS.items():
            error = (await os_.event(f"{name}.wanted", 1, name))["runs"][name]["error"]
            expected = (kind, "transient" if kind == "DriverTimeoutError" else "bug")
            if (error["class"], error["kind"]) != expected or not error["message"].startswith(message.format(name)):
                wrong[name] = error
        again = await os_.run(*[Event(type=f"{name}.wanted") for name in ("memory", "processes", "time_in_c")])
    assert wrong == {}
    assert [run["state"] for record in again for run in record["runs"].values()] == ["done"] * 3
    await gone(tmp_path)
