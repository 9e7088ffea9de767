"""Ids of documents that have expired, remembered for a while: taken, named as gone, forgotten. Blobs go at once."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.errors import AlreadyExistsError, GoneError, NotFoundError
from vextir_os.ports.atomic import Create
from vextir_os.ports.store import Where

MEMORY_S = 100.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: FakeClock) -> AsyncIterator[SqliteStorage]:
    async with open_storage(tmp_path / "v.db", clock, memories={"events": MEMORY_S}) as opened:
        yield opened


def document(ttl: float = 10.0, **more: Any) -> dict[str, Any]:
    return {"v": 1, "id": "acme~1", "pk": "acme~c", "event_id": "e-1", "ttl": ttl, "text": "x" * 1_000, **more}


@pytest.mark.parametrize("purged", [False, True])
async def test_an_id_is_taken_as_long_as_it_is_remembered(
    storage: SqliteStorage, clock: FakeClock, purged: bool
) -> None:
    await storage.store.create("events", document())
    clock.advance(11)
    if purged:
        assert await storage.store.purge() == 1
    with pytest.raises(AlreadyExistsError):
        await storage.store.create("events", document())
    with pytest.raises(AlreadyExistsError):
        await storage.atomic.transact([Create("events", document())])
    with pytest.raises(GoneError, match=r"events/acme~1 has expired"):
        await storage.store.read("events", "acme~c", "acme~1")
    clock.advance(MEMORY_S)
    with pytest.raises(NotFoundError, match="there is no document") as found:
        await storage.store.read("events", "acme~c", "acme~1")
    assert not isinstance(found.value, GoneError)
    etag = await storage.store.create("events", document())
    assert (await storage.store.read("events", "acme~c", "acme~1")).etag == etag


async def test_many_creates_of_one_group_meet_what_is_remembered_as_one_does(
    storage: SqliteStorage, clock: FakeClock
) -> None:
    import asyncio

    await storage.store.create("events", document())
    clock.advance(11)
    await storage.store.purge()
    new = [document(id=f"acme~{number}") for number in range(1, 9)]
    found = await asyncio.gather(
        *(storage.atomic.transact([Create("events", one)]) for one in new), return_exceptions=True
    )
    assert [type(answer).__name__ for answer in found] == ["AlreadyExistsError"] + ["list"] * 7


async def test_what_is_remembered_is_in_no_list_and_takes_little_room(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path
) -> None:
    await storage.store.create("events", document())
    clock.advance(11)
    await storage.store.purge()
    for where in ([], [Where("event_id", "=", "e-1")], [Where("pk", "=", "acme~c")]):
        assert (await storage.store.query("events", where)).items == []
    with closing(sqlite3.connect(tmp_path / "v.db")) as connection:
        rows = connection.execute("SELECT lookup, due, body FROM documents").fetchall()
    assert rows == [(None, None, "{}")]


async def test_a_container_that_remembers_nothing_forgets_at_once(storage: SqliteStorage, clock: FakeClock) -> None:
    await storage.store.create("state", document())
    clock.advance(11)
    await storage.store.create("state", document())
    clock.advance(11)
    assert await storage.store.purge() == 1
    with pytest.raises(NotFoundError, match="there is no document"):
        await storage.store.read("state", "acme~c", "acme~1")


async def test_ids_are_removed_when_their_time_is_over(
    storage: SqliteStorage, clock: FakeClock, tmp_path: Path
) -> None:
    for number in range(5):
        await storage.store.create("events", document(id=f"acme~{number}"))
    clock.advance(11)
    assert [await storage.store.purge(limit=3) for _ in range(3)] == [3, 2, 0]
    clock.advance(MEMORY_S)
    assert [await storage.store.purge(limit=3) for _ in range(3)] == [3, 2, 0]
    with closing(sqlite3.connect(tmp_path / "v.db")) as connection:
        assert connection.execute("SELECT count(*) FROM documents").fetchone() == (0,)


async def test_blobs_go_with_their_document_and_with_no_other(storage: SqliteStorage, clock: FakeClock) -> None:
    mine = await storage.blobs.put("acme~1/data-1", b"mine")
    other = await storage.blobs.put("acme~11/data-1", b"another's")
    await storage.store.create("events", document())
    clock.advance(11)
    await storage.store.purge()
    with pytest.raises(NotFoundError):
        await storage.blobs.get(mine)
    assert await storage.blobs.get(other) == b"another's"


def test_what_a_purge_looks_for_stands_in_an_index(tmp_path: Path) -> None:
    from vextir_os.adapters.sqlite import documents
    from vextir_os.adapters.sqlite.schema import migrate

    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, "memory")
        for statement in (documents._EXPIRED, documents._PAST):
            plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1, 1)).fetchall()
            assert any("documents_expiring" in row[3] for row in plan), plan
            assert not any(row[3].startswith("SCAN documents") for row in plan), plan
