"""How processes end: by a person's cancel, with the OS, when nothing comes, when they are worn."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import ANN, Harness, until
from tests.support.isolated import RETRY_NONE, a_driver, an_os_of, at_work, gone
from vextir_os.errors import DriverBusyError
from vextir_os.events.event import Event
from vextir_os.isolation import pool, process
from vextir_os.isolation.spawn import start
from vextir_os.local.runner import Runner


async def running(os_: Harness, root: Path) -> None:
    """Wait until a turn is at work."""

    async def is_running() -> bool:
        return len(at_work(root)) == 2

    await until(is_running)


async def test_a_person_who_cancels_ends_the_process(tmp_path: Path, atomic: bool) -> None:
    a_driver(tmp_path, 'ctx.log("began")\nwhile event.data:\n    pass', options=RETRY_NONE)
    async with an_os_of(tmp_path, atomic=atomic) as os_:
        os_.watch.expect("e-1")
        await os_.publish(Event(id="e-1", type="bad.wanted", data=1))
        await running(os_, tmp_path)
        await os_.kernel.control.cancel("e-1", ANN)
        await os_.watch.idle()
        assert (await os_.record("e-1"))["runs"]["bad"]["state"] == "cancelled"
        await gone(tmp_path)


async def test_a_run_that_outlasts_the_drain_is_given_up_with_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vextir_os.local.pool._STOP_S", 0.05)
    a_driver(tmp_path, "while True:\n    pass")
    async with an_os_of(tmp_path, working=False) as os_:
        async with Runner(os_.kernel):
            await os_.publish(Event(id="e-1", type="bad.wanted"))
            await running(os_, tmp_path)
        await gone(tmp_path)
        # Whoever comes next takes it over: nothing is written in its name.
        assert (await os_.record("e-1"))["runs"]["bad"]["state"] == "running"


async def test_a_process_that_nothing_comes_for_ends(tmp_path: Path) -> None:
    a_driver(tmp_path, "import os\nreturn os.getpid()")
    async with an_os_of(tmp_path) as os_:
        os_.kernel.processor.parts.hosts._idle_s = 0.05
        first = (await os_.event("bad.wanted"))["runs"]["bad"]["output"]
        await gone(tmp_path)
        assert (await os_.event("bad.wanted", event_id="e-2"))["runs"]["bad"]["output"] != first


async def test_a_process_is_replaced_after_so_many_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "CALLS", 2)
    a_driver(tmp_path, "import os\nreturn os.getpid()", options=", concurrency=1")
    async with an_os_of(tmp_path) as os_:
        pids = [(await os_.event("bad.wanted", event_id=f"e-{n}"))["runs"]["bad"]["output"] for n in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


async def test_a_process_that_has_grown_is_replaced(tmp_path: Path) -> None:
    a_driver(tmp_path, "import os\nlen(bytearray(event.data))\nreturn os.getpid()", options=', memory="400MB"')
    async with an_os_of(tmp_path) as os_:
        small, large, after = [
            (await os_.event("bad.wanted", size, f"e-{size}"))["runs"]["bad"]["output"]
            for size in (1_000, 350_000_000, 2_000)
        ]
    assert small == large != after


async def test_where_no_process_starts_the_run_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails = [True]

    def failing(*given: Any) -> Any:
        if fails:
            raise OSError(fails.pop(), "no room")
        return start(*given)

    monkeypatch.setattr("vextir_os.isolation.pool.start", failing)
    a_driver(tmp_path, "return 1")
    async with an_os_of(tmp_path, draw=0.001) as os_:
        run = (await os_.event("bad.wanted"))["runs"]["bad"]
    assert (run["state"], run["attempt"], DriverBusyError.kind) == ("done", 1, "transient")


async def test_changed_code_runs_in_a_new_process(tmp_path: Path) -> None:
    a_driver(tmp_path, "return 'old'")
    async with an_os_of(tmp_path) as os_:
        assert (await os_.event("bad.wanted"))["runs"]["bad"]["output"] == "old"
    a_driver(tmp_path, "return 'new'")
    async with an_os_of(tmp_path) as os_:
        assert (await os_.event("bad.wanted", event_id="e-2"))["runs"]["bad"]["output"] == "new"


async def test_a_file_that_changed_since_the_index_is_not_run(tmp_path: Path) -> None:
    a_driver(tmp_path, "return 'old'", options=RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        a_driver(tmp_path, "return 'new'", options=RETRY_NONE)
        error = (await os_.event("bad.wanted"))["runs"]["bad"]["error"]
    assert (error["class"], error["code"]) == ("StaleIndexError", "VX403")
    assert "drivers/bad was changed since the driver index was built" in error["message"]


async def test_a_module_that_cannot_be_imported_says_its_line(tmp_path: Path) -> None:
    a_driver(
        tmp_path, "return 1", top="import os\nif os.environ['HOME'] == os.getcwd():\n    1 / 0", options=RETRY_NONE
    )
    async with an_os_of(tmp_path) as os_:
        error = (await os_.event("bad.wanted"))["runs"]["bad"]["error"]
        await gone(tmp_path)
    assert error["class"] == "DriverImportError"
    assert error["message"].startswith("drivers/bad/driver.py:5: the module cannot be imported: ZeroDivisionError")


async def test_who_waits_for_a_process_is_served_in_turn(tmp_path: Path) -> None:
    a_driver(tmp_path, "return 1", options=", concurrency=1")
    async with an_os_of(tmp_path) as os_:
        waiting = pool.ProcessPool(os_.kernel.registry.get("bad"), tmp_path)
        first = await waiting.take()
        second = asyncio.create_task(waiting.take())
        third = asyncio.create_task(waiting.take())
        await asyncio.sleep(0)
        second.cancel()
        waiting._give(first)
        assert await third is first
        for host in waiting.close():
            await host.gone.wait()


async def test_a_warden_that_is_killed_takes_its_process_along(tmp_path: Path) -> None:
    a_driver(tmp_path, "import time\nwhile event.data:\n    time.sleep(0.01)", options=RETRY_NONE)
    async with an_os_of(tmp_path) as os_:
        os_.watch.expect("e-1")
        await os_.publish(Event(id="e-1", type="bad.wanted", data=1))
        await running(os_, tmp_path)
        (pool_,) = os_.kernel.processor.parts.hosts._processes.values()
        (host,) = pool_._live
        host._started.warden.kill()
        await os_.watch.idle()
        error = (await os_.record("e-1"))["runs"]["bad"]["error"]
        assert error["message"] == "the process of driver bad was ended, and its warden with it"
        await gone(tmp_path)
        assert (await os_.event("bad.wanted", 0, "e-2"))["runs"]["bad"]["state"] == "done"


async def test_large_data_goes_in_and_out(tmp_path: Path, atomic: bool) -> None:
    a_driver(tmp_path, "return event.data")
    async with an_os_of(tmp_path, atomic=atomic) as os_:
        run = (await os_.event("bad.wanted", "x" * 5_000_000))["runs"]["bad"]
    assert (run["state"], bool(run["output_ref"])) == ("done", True)
