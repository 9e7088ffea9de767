"""Real processes on one file: one is killed or frozen in the middle of a run, and another goes on with its work.

A lease lasts 45 s here and a message's lock 60 s; the tests wait for neither.
"""

import asyncio
import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Faults, FaultyStore
from tests.support.harness import Harness, an_os, until
from tests.support.kill_child import Ahead
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.manifest import Delivery
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.local.deaths import Deaths
from vextir_os.local.presence import FOLDER
from vextir_os.local.runner import Runner
from vextir_os.processor.departed import Departed

ROOT = Path(__file__).parents[2]
BOTH_LOCKS_OVER_S = 70.0


@dataclasses.dataclass(frozen=True)
class Worker:
    """A worker in a process of its own; its driver waits to be let go."""

    process: "subprocess.Popen[bytes]"

    async def says(self, word: str) -> None:
        """Wait for its next line, which is this word."""
        assert self.process.stdout is not None
        assert await asyncio.to_thread(self.process.stdout.readline) == f"{word}\n".encode()

    def freeze(self) -> None:
        """Stop it where it is."""
        self.process.send_signal(signal.SIGSTOP)
        assert os.waitid(os.P_PID, self.process.pid, os.WSTOPPED) is not None

    async def end(self) -> None:
        """Let its driver end, then the worker, and wait for both."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"go\n")
        self.process.stdin.close()
        await self.says("over")


@contextlib.contextmanager
def a_worker(folder: Path, atomic: bool, delivery: Delivery = "default") -> Iterator[Worker]:
    mode = "one-transaction" if atomic else "outbox"
    command = [sys.executable, "-m", "tests.support.worker_child", str(folder), mode, delivery]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    try:
        yield Worker(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            stream.close()


def heirs(delivery: Delivery) -> Any:
    @driver("slow", capabilities=["job.sent"], permissions=["emit:job.done"], delivery=delivery)
    async def slow(event: Event) -> Result:
        return Result(output={"by": "heir"}, events=[Event(type="job.done", data="heir")])

    return slow


@contextlib.asynccontextmanager
async def in_the_middle(
    folder: Path, atomic: bool, delivery: Delivery = "default", ahead_s: float = 0.0
) -> AsyncIterator[tuple[Worker, Harness]]:
    """Have a worker begin a run; beside it an OS on the same data that does not work yet."""
    with a_worker(folder, atomic, delivery) as worker:
        await worker.says("up")
        async with an_os(folder, heirs(delivery), atomic=atomic, working=False, clock=Ahead(ahead_s)) as os:
            await os.publish(Event(id="e-1", type="job.sent"))
            await worker.says("began")
            yield worker, os


async def finished(os: Harness) -> bool:
    records = await os.records("job.sent")
    return bool(records) and "due" not in records[0] and await os.left() == []


@pytest.mark.parametrize("delivery", ["default", "idempotent"])
async def test_another_worker_goes_on_at_once_with_the_work_of_one_that_is_killed(
    tmp_path: Path, atomic: bool, delivery: Delivery
) -> None:
    async with in_the_middle(tmp_path, atomic, delivery) as (worker, os):
        async with Runner(os.kernel):
            worker.process.kill()
            await until(lambda: finished(os))
        run = (await os.record("e-1"))["runs"]["slow"]
        assert (run["output"], run["takeovers"]) == ({"by": "heir"}, 1 if delivery == "default" else 0)
        assert [child["event"]["data"] for child in await os.records("job.done")] == ["heir"]
        assert list((tmp_path / "data" / FOLDER).iterdir()) == []


async def test_a_start_goes_on_at_once_with_the_work_of_a_worker_that_was_killed(tmp_path: Path, atomic: bool) -> None:
    async with in_the_middle(tmp_path, atomic) as (worker, _):
        worker.process.kill()
        worker.process.wait()
    async with an_os(tmp_path, heirs("default"), atomic=atomic) as os:
        await until(lambda: finished(os))
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == {"by": "heir"}


async def test_a_death_that_falls_into_an_outage_is_dealt_with_afterwards(
    tmp_path: Path, atomic: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with in_the_middle(tmp_path, atomic) as (worker, other):
        worker.process.kill()
        worker.process.wait()
        faults = Faults()
        faults.next("query", "down")
        parts = other.kernel.processor.parts
        parts = dataclasses.replace(
            parts, desk=dataclasses.replace(parts.desk, store=FaultyStore(parts.desk.store, faults))
        )
        departed = Departed(parts, other.kernel.departed._give_up)
        deaths = Deaths(dataclasses.replace(other.kernel, departed=departed))
        await deaths.look()
        assert "whose process is gone: no answer to query; nothing was done" in caplog.text
        assert (await other.record("e-1"))["runs"]["slow"]["lease_until"] > other.kernel.clock.time()
        await deaths.look()
        assert "is gone: its 1 runs and 1 messages go to others at once" in caplog.text
        assert (await other.record("e-1"))["runs"]["slow"]["lease_until"] < other.kernel.clock.time()


async def test_a_frozen_worker_keeps_its_run_until_its_lease_is_over(tmp_path: Path, atomic: bool) -> None:
    async with in_the_middle(tmp_path, atomic) as (worker, other):
        worker.freeze()
        before = await other.record("e-1")
        await Deaths(other.kernel).look()
        assert await other.record("e-1") == before
        worker.process.send_signal(signal.SIGCONT)
        await worker.end()
        run = (await other.record("e-1"))["runs"]["slow"]
        assert (run["output"], run["fence"]) == ({"by": "child"}, 1)


async def test_a_frozen_worker_that_wakes_up_commits_nothing_over_its_heir(tmp_path: Path, atomic: bool) -> None:
    async with in_the_middle(tmp_path, atomic, ahead_s=BOTH_LOCKS_OVER_S) as (worker, other):
        worker.freeze()
        async with Runner(other.kernel):
            await until(lambda: finished(other))
            before = await other.record("e-1")
            worker.process.send_signal(signal.SIGCONT)
            await worker.end()
        assert await other.record("e-1") == before
        assert (before["runs"]["slow"]["output"], before["runs"]["slow"]["fence"]) == ({"by": "heir"}, 2)
        assert [child["event"]["data"] for child in await other.records("job.done")] == ["heir"]


async def test_a_worker_that_stops_in_good_order_leaves_no_file_behind(tmp_path: Path) -> None:
    async with an_os(tmp_path, heirs("default")):
        assert len(list((tmp_path / "data" / FOLDER).iterdir())) == 1
    assert list((tmp_path / "data" / FOLDER).iterdir()) == []
