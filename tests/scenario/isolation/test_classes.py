"""Class drivers on threads and in processes: one instance in each, started once."""

from pathlib import Path

import pytest

from tests.support.drivers import write_driver
from tests.support.isolated import an_os_of
from vextir_os import Event

CLASS = """
import itertools
import os
import threading

STARTS = itertools.count(1)

@driver("counter", capabilities=["count.*"], isolation="{isolation}", concurrency=1)
class Counter:
    async def start(self):
        self.start_number = next(STARTS)
        self.calls = 0

    {form}def handle(self, event: Event, ctx: Context):
        self.calls += 1
        return [os.getpid(), threading.get_ident(), self.start_number, self.calls]
"""


@pytest.mark.parametrize("form", ["", "async "], ids=["plain", "async"])
@pytest.mark.parametrize("isolation", ["thread", "process"])
async def test_an_instance_is_started_once_where_it_runs(tmp_path: Path, isolation: str, form: str) -> None:
    write_driver(tmp_path, "counter", CLASS.format(isolation=isolation, form=form))
    async with an_os_of(tmp_path) as os:
        records = [await os.event("count.up", event_id=f"e-{number}") for number in range(3)]
    outputs = [record["runs"]["counter"]["output"] for record in records]
    assert len({(pid, thread) for pid, thread, _, _ in outputs}) == 1
    assert [(start, calls) for _, _, start, calls in outputs] == [(1, 1), (1, 2), (1, 3)]


@pytest.mark.parametrize("isolation", ["thread", "process"])
async def test_a_start_that_fails_there_counts_as_it_does_inline(tmp_path: Path, isolation: str) -> None:
    source = f"""
        from vextir_os import Retry

        @driver("counter", capabilities=["count.*"], isolation="{isolation}", retry=Retry(max_attempts=1))
        class Counter:
            async def start(self):
                raise RuntimeError("no route")

            async def handle(self, event: Event): ...
        """
    write_driver(tmp_path, "counter", source)
    async with an_os_of(tmp_path) as os:
        error = (await os.event("count.up"))["runs"]["counter"]["error"]
    assert (error["class"], error["code"], error["kind"]) == ("DriverStartError", "VX421", "transient")
    assert "driver counter could not start: RuntimeError: no route" in error["message"]


async def test_versions_beside_each_other_have_processes_of_their_own(tmp_path: Path) -> None:
    for version in ("1", "2"):
        source = f"""
            import os

            @driver("counter", capabilities=["count.*"], version="{version}", isolation="process")
            async def count(event: Event):
                return [{version}, os.getpid()]
            """
        write_driver(tmp_path, f"counter_{version}", source)
    async with an_os_of(tmp_path) as os:
        records = [await os.run(Event(id=f"e-{number}", type="count.up")) for number in range(12)]
    outputs = {tuple(record["runs"]["counter"]["output"]) for [record] in records}
    assert len(outputs) == 2
    assert {version for version, _ in outputs} == {1, 2}
