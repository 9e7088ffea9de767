"""Several real processes on one file, and processes that are killed. `VEXTIR_SOAK=1` makes the numbers larger."""

import asyncio
import collections
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.errors import StoreBusyError
from vextir_os.ports.queue import Message

SOAK = os.environ.get("VEXTIR_SOAK") == "1"
ROOT = Path(__file__).parents[3]


Child = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def child() -> Iterator[Child]:
    """Start second processes; those that still run at the end of the test are killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.sqlite_child", *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def lines(process: "subprocess.Popen[str]") -> list[str]:
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    return output.split()


def test_of_processes_that_open_a_new_file_at_once_all_succeed(tmp_path: Path, child: Child) -> None:
    processes = [child("open", tmp_path / "new" / "v.db") for _ in range(6)]
    assert [lines(process) for process in processes] == [["open"]] * 6


@pytest.mark.parametrize("pairs", [1, 2], ids=["two processes", "four processes"])
def test_processes_that_send_and_receive_at_once_lose_and_double_nothing(
    tmp_path: Path, child: Child, pairs: int
) -> None:
    count = 2000 if SOAK else 100
    path = tmp_path / "v.db"
    assert lines(child("open", path)) == ["open"]
    receivers = [child("receive", path, 2) for _ in range(pairs)]
    senders = [child("send", path, f"s{n}", count) for n in range(pairs)]
    sent = collections.Counter(name for process in senders for name in lines(process))
    completed = collections.Counter(name for process in receivers for name in lines(process))
    assert len(sent) == count * pairs
    assert completed == sent


@pytest.mark.parametrize("after", [1, 7, 40] if not SOAK else [1, 10, 100, 1000, 5000])
async def test_every_acknowledged_send_survives_a_killed_sender(tmp_path: Path, child: Child, after: int) -> None:
    path = tmp_path / "v.db"
    process = child("send", path, "k", 1_000_000)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(after)]
    assert all(acknowledged), "the sender died by itself"
    os.kill(process.pid, signal.SIGKILL)
    acknowledged += process.stdout.read().split("\n")[:-1]
    process.wait()
    async with open_storage(path) as storage:
        found: list[str] = []
        while deliveries := await storage.queue("q").receive(1000, 0):
            found += [delivery.message.id for delivery in deliveries]
    # One more may be there: committed, and killed before it could say so.
    assert found[: len(acknowledged)] == acknowledged
    assert len(found) <= len(acknowledged) + 1


async def test_a_waiting_receiver_notices_what_another_process_sends(tmp_path: Path, child: Child) -> None:
    path = tmp_path / "v.db"
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        task = asyncio.create_task(storage.queue("q").receive(5, 60))
        process = child("send", path, "other", 1)
        [delivery] = await task
        assert delivery.message.id == "other-0"
        assert await asyncio.to_thread(lines, process) == ["other-0"]


async def test_a_file_that_another_process_locks_is_busy_and_works_again(tmp_path: Path, child: Child) -> None:
    path = tmp_path / "v.db"
    async with open_storage(path, busy_timeout_s=0.05) as storage:
        await storage.broker.declare("q")
        holder = child("hold", path)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        sends = [storage.queue("q").send([Message(id=f"m{n}", body=b"")]) for n in range(3)]
        errors = await asyncio.gather(*sends, return_exceptions=True)
        assert [type(error) for error in errors] == [StoreBusyError] * 3
        assert "another process holds the write lock" in str(errors[0])
        assert "nothing was written" in str(errors[0])
        holder.communicate()
        await storage.queue("q").send([Message(id="later", body=b"")])
        assert [d.message.id for d in await storage.queue("q").receive(10, 0)] == ["later"]


async def test_a_wait_that_is_over_while_the_file_is_locked_ends_with_the_reason(tmp_path: Path, child: Child) -> None:
    path, clock = tmp_path / "v.db", FakeClock()
    async with open_storage(path, clock, busy_timeout_s=0.01) as storage:
        await storage.broker.declare("q")
        over = asyncio.create_task(storage.queue("q").receive(1, 5))
        still = asyncio.create_task(storage.queue("q").receive(1, 50))
        await asyncio.sleep(0)
        await storage.broker.counts("q")
        holder = child("hold", path)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        clock.advance(6)
        storage.wake()
        with pytest.raises(StoreBusyError, match="another process holds the write lock"):
            await over
        holder.communicate()
        await storage.queue("q").send([Message(id="m", body=b"")])
        assert [delivery.message.id for delivery in await still] == ["m"]


async def test_reads_go_on_while_another_process_locks_the_file(tmp_path: Path, child: Child) -> None:
    path = tmp_path / "v.db"
    async with open_storage(path) as storage:
        await storage.store.create("events", {"id": "r", "pk": "p"})
        holder = child("hold", path)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert (await storage.store.read("events", "p", "r")).document["id"] == "r"
        holder.communicate()
