"""A driver in a process of its own: the same results as inline, a new process for each that misbehaved, none left."""

import os
from pathlib import Path

from tests.support.isolated import RETRY_NONE, a_driver, an_os_of, at_work, gone
from vextir_os.events.event import Event


async def test_it_runs_elsewhere_and_its_result_commits_like_any(tmp_path: Path, atomic: bool) -> None:
    a_driver(
        tmp_path,
        'import os\nreturn Result(output={"pid": os.getpid()}, events=[Event(type="good.done", data=event.data)])',
        name="good",
        options=', permissions=["emit:good.done"]',
    )
    async with an_os_of(tmp_path, atomic=atomic) as os_:
        record = await os_.event("good.wanted", {"n": 7})
        (emitted,) = await os_.records("good.done")
    assert record["runs"]["good"]["state"] == "done"
    assert record["runs"]["good"]["output"]["pid"] != os.getpid()
    assert (emitted["event"]["data"], emitted["event"]["source"]) == ({"n": 7}, "/drivers/good")


async def test_a_process_is_used_again(tmp_path: Path) -> None:
    a_driver(tmp_path, "import os\nreturn os.getpid()", name="good")
    async with an_os_of(tmp_path) as os_:
        first, second = [(await os_.event("good.wanted", event_id=f"e-{n}"))["runs"]["good"]["output"] for n in (1, 2)]
    assert first == second


async def test_plain_functions_with_typed_data_run_there(tmp_path: Path) -> None:
    a_driver(
        tmp_path,
        "return data.n + 1",
        name="good",
        form="",
        top="from dataclasses import dataclass\n@dataclass\nclass Order:\n    n: int\n",
    )
    path = tmp_path / "drivers/good/driver.py"
    path.write_text(path.read_text().replace("event: Event, ctx: Context", "data: Order"))
    async with an_os_of(tmp_path) as os_:
        assert (await os_.event("good.wanted", {"n": 1}))["runs"]["good"]["output"] == 2
        bad = (await os_.event("good.wanted", {"n": "many"}, "e-2"))["runs"]["good"]
    assert (bad["state"], bad["error"]["class"], bad["error"]["kind"]) == ("dead", "InvalidPayloadError", "invalid")
    assert "driver `good`: n: Input should be a valid integer" in bad["error"]["message"]


async def test_an_endless_loop_ends_at_its_time_out_and_the_next_event_is_done(tmp_path: Path, atomic: bool) -> None:
    body = 'while event.data["loops"]:\n    pass\nreturn "done"'
    a_driver(tmp_path, body, options=', timeout="300ms"' + RETRY_NONE)
    async with an_os_of(tmp_path, atomic=atomic) as os_:
        run = (await os_.event("bad.wanted", {"loops": True}))["runs"]["bad"]
        assert (run["state"], run["error"]["class"], run["error"]["kind"]) == (
            "dead",
            "DriverTimeoutError",
            "transient",
        )
        assert run["error"]["message"].startswith("driver bad did not end within 0.3 s")
        assert (await os_.event("bad.wanted", {"loops": False}, "e-2"))["runs"]["bad"]["output"] == "done"
    await gone(tmp_path)


async def test_many_events_share_few_processes(tmp_path: Path, atomic: bool) -> None:
    a_driver(tmp_path, "import os\nreturn os.getpid()", name="good", options=", concurrency=2")
    async with an_os_of(tmp_path, atomic=atomic) as os_:
        records = await os_.run(*[Event(type="good.wanted") for _ in range(40)])
    pids = {record["runs"]["good"]["output"] for record in records}
    assert {record["runs"]["good"]["state"] for record in records} == {"done"}
    assert 1 <= len(pids) <= 2


async def test_no_process_outlives_the_os(tmp_path: Path) -> None:
    a_driver(tmp_path, "return 1", name="good")
    async with an_os_of(tmp_path) as os_:
        await os_.event("good.wanted")
        assert len(at_work(tmp_path)) == 2
    assert at_work(tmp_path) == set()


async def test_a_driver_that_is_no_file_says_so(tmp_path: Path) -> None:
    from tests.support.harness import an_os
    from vextir_os.driverkit.decorator import driver
    from vextir_os.driverkit.manifest import Retry

    @driver("here", capabilities=["here.wanted"], isolation="process", retry=Retry(max_attempts=1))
    def here(event: Event) -> int:
        return 1

    async with an_os(tmp_path, here) as os_:
        error = (await os_.event("here.wanted"))["runs"]["here"]["error"]
    assert error["message"] == (
        "driver `here` has no file that a process could load it from. "
        "Put it into drivers/<name>/driver.py, or run it `inline` or `thread`"
    )
