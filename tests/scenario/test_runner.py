"""The runner goes on: through outages of the store and the queue, and past deliveries that end in an error."""

import asyncio
import dataclasses
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import Faults, FaultyQueue
from tests.support.harness import Harness, an_os
from vextir_os.adapters.sqlite.queue import SqliteQueue
from vextir_os.driverkit.decorator import driver
from vextir_os.errors import StoreCorruptError, StoreFullError
from vextir_os.events.event import Event
from vextir_os.local import pool
from vextir_os.local.runner import Runner


@driver("echo", capabilities=["mail.*"])
async def echo(event: Event) -> Any:
    return event.data


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of milliseconds, where a real outage is waited out for seconds."""
    monkeypatch.setattr(pool, "_HOLD_S", (0.001, 0.002))


@asynccontextmanager
async def running(os: Harness, faults: Faults) -> AsyncIterator[Runner]:
    """Run the OS on a queue with these faults."""
    async with Runner(dataclasses.replace(os.kernel, queue=FaultyQueue(os.kernel.queue, faults))) as at_work:
        yield at_work


async def test_the_runner_outlasts_an_outage_of_store_and_queue(tmp_path: Path, atomic: bool) -> None:
    faults = Faults()
    async with an_os(tmp_path, echo, atomic=atomic, working=False, faults=faults) as os:
        faults.next("receive", "down", "down", None, "down")
        faults.next("complete", "down", "lost")
        faults.next("transact" if atomic else "create", "down", "down", "lost")
        async with running(os, faults):
            assert (await os.event("mail.received", 7))["runs"]["echo"]["output"] == 7
            await os.settled()


async def test_a_full_disk_does_not_end_the_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with an_os(tmp_path, echo, working=False) as os:
        receive, full = SqliteQueue.receive, [StoreFullError("the disk is full; nothing was written")] * 3

        async def once_full(queue: SqliteQueue, limit: int, wait: float) -> Any:
            if full:
                raise full.pop()
            return await receive(queue, limit, wait)

        monkeypatch.setattr(SqliteQueue, "receive", once_full)
        async with Runner(os.kernel):
            assert (await os.event("mail.received", 7))["runs"]["echo"]["output"] == 7
        assert full == []


async def test_a_damaged_file_ends_the_runner_with_its_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with an_os(tmp_path, echo, working=False) as os:

        async def damaged(_queue: Any, _limit: int, _wait: float) -> Any:
            raise StoreCorruptError("the database is damaged")

        monkeypatch.setattr(type(os.kernel.queue), "receive", damaged)
        async with Runner(os.kernel) as at_work:
            with pytest.raises(StoreCorruptError, match="the database is damaged"):
                await at_work.wait()


async def test_an_error_in_the_processor_gives_the_message_back_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with an_os(tmp_path, echo, working=False) as os:
        process, bugs = os.kernel.processor.process, [ValueError("a bug of ours")]

        async def buggy(delivery: Any) -> Any:
            if bugs:
                raise bugs.pop()
            return await process(delivery)

        monkeypatch.setattr(os.kernel.processor, "process", buggy)
        with caplog.at_level(logging.ERROR, "vextir.runner"):
            async with Runner(os.kernel):
                assert (await os.event("mail.received", 7))["runs"]["echo"]["state"] == "done"
        assert "message e-1 goes back after an error in the processor" in caplog.text
        assert "ValueError: a bug of ours" in caplog.text


async def test_stopping_lets_the_runs_at_work_end(tmp_path: Path, atomic: bool) -> None:
    began, gate = asyncio.Event(), asyncio.Event()

    @driver("slow", capabilities=["mail.*"])
    async def slow(event: Event) -> str:
        began.set()
        await gate.wait()
        return "ended"

    async with an_os(tmp_path, slow, atomic=atomic, working=False) as os:
        async with Runner(os.kernel):
            await os.publish(Event(id="e-1", type="mail.received"))
            await began.wait()
            asyncio.get_running_loop().call_later(0.01, gate.set)
        assert (await os.record("e-1"))["runs"]["slow"]["output"] == "ended"
        assert await os.left() == []
