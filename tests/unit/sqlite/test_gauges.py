"""What a storage says of itself: messages by queue and state, the oldest that waits, sizes, groups."""

import sqlite3
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite import gauges
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.ports.gauges import QueueGauge
from vextir_os.ports.queue import Message


def message(name: str, **more: str) -> Message:
    return Message(id=name, body=b"{}", **more)  # type: ignore[arg-type]


async def queue(storage: SqliteStorage, name: str) -> QueueGauge:
    return next(one for one in (await storage.gauges()).queues if one.name == name)


async def test_messages_are_counted_by_state_and_session_or_none(storage: SqliteStorage, broker: Broker) -> None:
    await broker.send("events", [message(name) for name in "abc"])
    await broker.send("events", [message("later")], at=2_000_000_000.0)
    [locked] = await broker.receive("events", 1, 0)
    await broker.defer(locked.token)
    await broker.receive("events", 1, 0)
    await broker.send("ordered", [message("o", session="s-1")])
    assert (await queue(storage, "events")).messages == {"active": 1, "locked": 1, "scheduled": 1, "deferred": 1}
    assert (await queue(storage, "ordered")).messages["active"] == 1


async def test_the_oldest_is_that_of_those_that_wait(storage: SqliteStorage, broker: Broker, clock: FakeClock) -> None:
    assert (await queue(storage, "events")).oldest_at is None
    await broker.send("events", [message("first")])
    clock.advance(5)
    second = clock.time()
    await broker.send("events", [message("second")])
    await broker.receive("events", 1, 0)
    assert (await queue(storage, "events")).oldest_at == second


async def test_what_stands_behind_many_others_still_has_an_age(
    storage: SqliteStorage, broker: Broker, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "_WALKED", 3)
    await broker.send("events", [message(f"m{number}") for number in range(5)], at=2_000_000_000.0)
    clock.advance(7)
    await broker.send("events", [message("waits")])
    assert (await queue(storage, "events")).oldest_at == clock.time()


async def test_counting_ends_at_a_bound(
    storage: SqliteStorage, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "COUNTED", 4)
    await broker.send("events", [message(f"m{number}") for number in range(9)])
    assert (await queue(storage, "events")).messages["active"] == 4


async def test_no_count_walks_the_messages(storage: SqliteStorage, broker: Broker) -> None:
    counted = "EXPLAIN QUERY PLAN SELECT count(*) FROM messages WHERE entity = ? AND "

    def plans(connection: sqlite3.Connection, _now: float) -> list[str]:
        return [row[3] for state in gauges._WHERE.values() for row in connection.execute(counted + state, (1,))]

    found: list[str] = await storage._database.read(plans)
    assert len(found) == len(gauges._WHERE)
    assert [plan for plan in found if "USING INDEX messages_" not in plan] == []


async def test_sizes_are_those_of_the_files(tmp_path: Path) -> None:
    path = tmp_path / "vextir.db"
    async with open_storage(path) as storage:
        await storage.store.create("events", {"id": "a", "pk": "a"})
        found = (await storage.gauges()).bytes_by_file
        assert found["data"] == path.stat().st_size
        assert found["log"] > 0


async def test_units_of_one_turn_are_counted_as_one_group(storage: SqliteStorage, broker: Broker) -> None:
    before = await storage.gauges()
    waiting = [broker.send("events", [message(f"m{number}")]) for number in range(5)]
    for one in waiting:
        await one
    after = await storage.gauges()
    grown = [new - old for new, old in zip(after.group_units, before.group_units, strict=True)]
    assert grown[(5).bit_length()] == 1
    assert after.units - before.units >= 5
