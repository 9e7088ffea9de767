"""Nothing that a turn started outlives it: whatever its session, parents and environment, and however the turn ends."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.harness import until
from tests.support.isolated import RETRY_NONE, a_driver, an_os_of, at_work, gone

ROOT = Path(__file__).parents[3]

FORKS = """
import os, time
for number in range(event.data["count"]):
    if os.fork():
        continue
    # Each ends by itself after a time: a test that fails leaves nothing for long.
    if number % 4 == 1:
        os.setsid()
    elif number % 4 == 2:
        os.setsid()
        if os.fork():
            os._exit(0)
    elif number % 4 == 3:
        os.execve("/bin/sleep", ["sleep", "20"], {})
    time.sleep(20)
    os._exit(0)
time.sleep(0.05)
end = event.data["end"]
if end == "raises":
    raise ValueError("after all")
elif end == "dies":
    os._exit(1)
elif end == "loops":
    while True:
        pass
return "done"
""".strip()


@pytest.mark.parametrize("end", ["returns", "raises", "dies", "loops"])
async def test_a_turn_that_starts_processes_leaves_none(
    tmp_path: Path, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    a_driver(tmp_path, FORKS, options=', processes=100, timeout="1s"' + RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        record = await os_.event("bad.wanted", {"count": 20, "end": end})
        wanted = {"returns": None, "raises": "ValueError", "dies": "DriverCrashError", "loops": "DriverTimeoutError"}
        assert (record["runs"]["bad"]["error"] or {}).get("class") == wanted[end]
        # The warden, and the process that serves the next turn.
        await gone(tmp_path, but=2)
        fine = (await os_.event("bad.wanted", {"count": 0, "end": "returns"}, "e-2"))["runs"]["bad"]
        assert fine["output"] == "done"
    assert at_work(tmp_path) == set()
    if end in ("returns", "raises"):
        # The twenty, and five that have ended and that nobody has waited for.
        assert "driver bad left 25 processes behind at the end of its turn; they are ended" in caplog.text


async def test_two_hundred_processes_are_over_the_limit_and_gone_within_two_seconds(tmp_path: Path) -> None:
    a_driver(tmp_path, FORKS, options=", processes=4" + RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        error = (await os_.event("bad.wanted", {"count": 200, "end": "loops"}))["runs"]["bad"]["error"]
        assert (error["class"], error["kind"]) == ("DriverLimitError", "bug")
        assert error["message"].startswith("driver bad started more processes than its limit of 4, there were ")
        await gone(tmp_path)


CHILD = """
import asyncio, sys
from pathlib import Path
from tests.support.isolated import an_os_of
from vextir_os.events.event import Event

async def main():
    async with an_os_of(Path(sys.argv[1])) as os_:
        await os_.publish(Event(id="e-1", type="bad.wanted", data={"count": 8, "end": "loops"}))
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_an_os_that_is_killed_leaves_no_process_and_its_run_is_taken_over(tmp_path: Path) -> None:
    a_driver(tmp_path, FORKS, options=", processes=100")
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, str(tmp_path), cwd=ROOT)
    try:

        async def has_forked() -> bool:
            return len(at_work(tmp_path)) >= 10

        await until(has_forked, within_s=30.0)
    finally:
        killed.kill()
        await killed.wait()
    await gone(tmp_path)
    a_driver(tmp_path, "return 'taken over'", options=", processes=100")
    async with an_os_of(tmp_path) as os_:

        async def is_done() -> bool:
            return bool((await os_.record("e-1"))["runs"]["bad"]["state"] == "done")

        await until(is_done, within_s=20.0)
        run = (await os_.record("e-1"))["runs"]["bad"]
    assert (run["output"], run["attempt"], run["takeovers"]) == ("taken over", 0, 1)
