"""Real damage to the file and the disk: what is refused, what is said, and what works afterwards."""

import asyncio
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from vextir_os.adapters.sqlite import opening
from vextir_os.adapters.sqlite.schema import APPLICATION_ID, MIGRATIONS, Migration, migrate
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.errors import (
    ForeignFileError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from vextir_os.ports.queue import Message


async def make(path: Path) -> None:
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        await storage.queue("q").send([Message(id=f"m{n}", body=b"x" * 500) for n in range(200)])


def modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_file_and_folder_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "v.db"
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        assert modes(path.parent) == {"v.db": 0o600, "v.db-wal": 0o600, "v.db-shm": 0o600}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_an_empty_file_is_set_up(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    path.touch()
    await make(path)
    async with open_storage(path) as storage:
        assert (await storage.broker.counts("q")).active == 200


@pytest.mark.parametrize("content", [b"# notes\nbuy milk\n", b"x", b"SQLite format 2\x00" + b"\x00" * 100], ids=repr)
async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "v.db"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match=r"v\.db is no SQLite database"):
        await open_storage(path).start()
    assert path.read_bytes() == content
    assert list(modes(tmp_path)) == ["v.db"]


@pytest.mark.parametrize("application", [0, 0x12345])
async def test_another_applications_database_is_refused_and_left_alone(tmp_path: Path, application: int) -> None:
    path = tmp_path / "v.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE photos(a)")
    other.execute(f"PRAGMA application_id={application}")
    other.commit()
    other.close()
    before = path.read_bytes()
    with pytest.raises(ForeignFileError, match="database of another application"):
        await open_storage(path).start()
    assert path.read_bytes() == before


async def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    await make(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(ForeignFileError, match=r"schema version 99, this Vextir OS knows versions up to 2\. Upgrade"):
        await open_storage(path).start()


def test_a_migration_that_fails_leaves_the_version_before_it_whole(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "v.db", isolation_level=None)
    migrate(connection, "v.db")
    script = "CREATE TABLE more(a); INSERT INTO more VALUES(1); CREATE TABLE messages(again)"
    broken = [*MIGRATIONS, Migration("more", script)]
    with pytest.raises(sqlite3.OperationalError, match="messages already exists"):
        migrate(connection, "v.db", broken)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'more'").fetchone() == (0,)
    migrate(connection, "v.db", [*MIGRATIONS, Migration("more", "CREATE TABLE more(a)")])
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
    connection.close()


async def test_an_old_sqlite_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "OLDEST", (99, 0, 0))
    with pytest.raises(StoreError, match=r"this Python has SQLite 3\.\d+\.\d+; 99\.0 or newer is needed"):
        await open_storage(tmp_path / "v.db").start()


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailableError, match=r"file/v\.db cannot be opened"):
        await open_storage(tmp_path / "file" / "v.db").start()


async def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    await make(path)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    with pytest.raises(StoreCorruptError, match=r"v\.db is damaged .*restore a backup"):
        async with open_storage(path) as storage:
            await storage.queue("q").receive(100, 0)


async def test_a_damaged_head_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    await make(path)
    with path.open("r+b") as file:
        file.seek(16)
        file.write(b"\xff" * 80)
    with pytest.raises(StoreCorruptError, match="is damaged"):
        await open_storage(path).start()


async def test_a_full_disk_fails_the_whole_group_and_loses_nothing_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    async with open_storage(path, max_pages=100) as storage:
        await storage.broker.declare("q")
        queue = storage.queue("q")
        acknowledged = []
        for number in range(1000):
            name = f"m{number}"
            try:
                await queue.send([Message(id=name, body=b"x" * 3000)])
            except StoreFullError:
                break
            acknowledged.append(name)
        else:
            pytest.fail("the limit was never reached")
        assert len(acknowledged) > 10
        small = asyncio.ensure_future(storage.store.create("events", {"id": "small", "pk": "p"}))
        await asyncio.sleep(0)
        # Both are handed over in one turn of the loop, so they are one group.
        large = queue.send([Message(id="large", body=b"x" * 100_000)])
        group = await asyncio.gather(small, large, return_exceptions=True)
        assert [type(result) for result in group] == [StoreFullError, StoreFullError]
        assert "nothing was written" in str(group[0])
        assert (await storage.broker.counts("q")).active == len(acknowledged)
        received = await queue.receive(1000, 0)
        assert [delivery.message.id for delivery in received] == acknowledged
        await asyncio.gather(*(queue.complete(delivery.token) for delivery in received))
        await queue.send([Message(id="later", body=b"x" * 3000)])
        assert [delivery.message.id for delivery in await queue.receive(10, 0)] == ["later"]
