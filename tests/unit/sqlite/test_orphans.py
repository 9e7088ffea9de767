"""Blobs that nobody names go, and no others: whatever is under way, waits, or is written again."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Crash, Faults
from tests.support.harness import an_os
from vextir_os import Event, Result, driver
from vextir_os.adapters.sqlite import orphans
from vextir_os.adapters.sqlite.orphans import APART_S
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.events.limits import INLINE_BYTES
from vextir_os.ports.queue import Message

LARGE = "x" * 2 * INLINE_BYTES


def names(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "vextir.db")) as connection:
        return [row[0].partition("/")[0] for row in connection.execute("SELECT name FROM blobs ORDER BY name")]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqliteStorage]:
    async with open_storage(tmp_path / "vextir.db", clock) as opened:
        await opened.store.purge()
        yield opened


async def looks(storage: SqliteStorage, clock: FakeClock, count: int, apart_s: float = APART_S + 1) -> int:
    removed = 0
    for _ in range(count):
        clock.advance(apart_s)
        removed += await storage.store.purge()
    return removed


async def test_a_blob_that_nobody_names_goes_at_the_second_look(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path
) -> None:
    await storage.blobs.put("acme~1/data-1", b"orphan")
    assert await looks(storage, clock, 1) == 0
    assert await storage.store.purge() == 0
    assert await looks(storage, clock, 1) == 1
    assert names(tmp_path) == []


async def test_what_looks_like_a_name_in_a_foreign_message_does_no_harm(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path
) -> None:
    await storage.broker.declare("q")
    await storage.blobs.put("acme~1/data-1", b"orphan")
    bodies = [b'"vextir-blob:\xff\xfe%ff%zz', b"vextir-blob:", b'vextir-blob:acme~1/dat"', b"\x00" * 10]
    await storage.queue("q").send([Message(id=str(number), body=body) for number, body in enumerate(bodies)])
    assert await looks(storage, clock, 2) == 1


async def test_what_is_young_is_not_looked_at(storage: SqliteStorage, clock: FakeClock, tmp_path: Path) -> None:
    for number in range(4):
        clock.advance(APART_S - 1)
        await storage.blobs.put(f"acme~{number}/data-1", b"orphan")
        await storage.store.purge()
    assert len(names(tmp_path)) >= 2


async def test_a_blob_that_is_written_again_is_another_one(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path
) -> None:
    await storage.blobs.put("acme~1/data-1", b"orphan")
    await looks(storage, clock, 1)
    clock.advance(APART_S)
    # A sender tries once more: the blob is there, its message not yet.
    await storage.blobs.put("acme~1/data-1", b"orphan")
    clock.advance(1)
    await storage.store.purge()
    assert names(tmp_path) == ["acme~1"]


async def test_the_blob_of_a_document_stays_as_long_as_it_does(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path
) -> None:
    await storage.blobs.put("acme~1/data-1", b"mine")
    await storage.store.create("events", {"v": 1, "id": "acme~1", "pk": "acme~x", "ttl": 10 * APART_S})
    await looks(storage, clock, 6)
    assert names(tmp_path) == ["acme~1"]
    await looks(storage, clock, 6)
    assert names(tmp_path) == []


async def test_many_blobs_are_looked_at_in_parts(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_ROWS", 3)
    for number in range(10):
        await storage.blobs.put(f"acme~{number}/data", b"x")
        clock.advance(0.1)
        if number % 2:
            await storage.store.create("events", {"v": 1, "id": f"acme~{number}", "pk": f"acme~{number}"})
    assert await looks(storage, clock, 2) == 5
    assert names(tmp_path) == [f"acme~{number}" for number in range(1, 10, 2)]


async def test_more_blobs_of_one_moment_than_one_part_holds_are_all_seen(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_ROWS", 3)
    for number in range(8):
        await storage.blobs.put(f"acme~{number}/data", b"x")
    await looks(storage, clock, 4)
    assert names(tmp_path) == []


@driver("orphan.make", capabilities=["orphan.asked"], permissions=["emit:orphan.made"])
async def make(event: Event) -> Result:
    return Result(output=LARGE, events=[Event(type="orphan.made", data={"text": LARGE})])


@driver("orphan.take", capabilities=["orphan.made"])
async def take(event: Event) -> int:
    return len(event.data["text"])


@pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])
async def test_what_waits_for_days_finds_its_blobs(tmp_path: Path, clock: FakeClock, atomic: bool) -> None:
    faults = Faults()
    async with an_os(tmp_path, make, take, clock=clock, atomic=atomic, working=False, faults=faults, lock_s=300) as os:
        await os.publish(
            Event(id="e-1", type="orphan.asked"), Event(id="e-2", type="orphan.made", data={"text": LARGE})
        )
        # The worker dies with all committed and nothing published.
        faults.next("send", "crash before")
        [delivery, _] = await os.kernel.queue.receive(2, 0)
        with suppress(Crash):
            await os.kernel.processor.process(delivery)
        kept = names(tmp_path / "data")
        assert len(kept) == 3
        for _ in range(5):
            clock.advance(APART_S + 1)
            await os.kernel.sweep._purge()
        assert names(tmp_path / "data") == kept
        await os.recover(clock)
        outputs = [record["runs"]["orphan.take"]["output"] for record in await os.records("orphan.made")]
        assert outputs == [len(LARGE)] * 2


async def test_the_blob_of_a_late_duplicate_goes_with_what_is_remembered_of_it(
    tmp_path: Path, clock: FakeClock
) -> None:
    settings: dict[str, Any] = {"retention_s": 60, "dedupe_s": 20_000}
    async with an_os(tmp_path, take, clock=clock, working=False, **settings) as os:
        for _ in range(2):
            await os.publish(Event(id="e-1", type="orphan.made", data={"text": LARGE}))
            await os.work()
            clock.advance(61)
            await os.sweep()
        assert len(names(tmp_path / "data")) == 1
        clock.advance(20_000)
        await os.sweep()
        assert names(tmp_path / "data") == []
