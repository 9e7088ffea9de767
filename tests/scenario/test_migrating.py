"""An older database under this release: brought up to date on a copy, by hand, or by being opened."""

import contextlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import ANN, an_os
from vextir_os import Event, InvalidError, driver
from vextir_os.adapters.sqlite import schema
from vextir_os.adapters.sqlite.schema import MIGRATIONS, Migration
from vextir_os.api.idempotency import remember
from vextir_os.errors import DataInUseError, ForeignFileError, NotFoundError, StoreError
from vextir_os.events import jsonio
from vextir_os.events.limits import INLINE_BYTES
from vextir_os.local.keeping.migrating import migrate_copy, migrate_data
from vextir_os.local.presence import Presence
from vextir_os.runs.kinds import KINDS, unreadable


@driver("old.take", capabilities=["old.asked"])
async def take(event: Event) -> dict[str, int]:
    return {"size": len(event.data["text"])}


@pytest.fixture
async def first_version(tmp_path: Path) -> Path:
    """A data directory as the first schema had it: an event that is done, one with a blob that waits."""
    async with an_os(tmp_path, take, working=False) as os:
        await os.publish(Event(id="e-1", type="old.asked", data={"text": "abc"}))
        await os.work()
        await os.publish(Event(id="e-2", type="old.asked", data={"text": "x" * 2 * INLINE_BYTES}))
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "vextir.db", isolation_level=None)) as connection:
        connection.execute(
            "CREATE TABLE first(name TEXT PRIMARY KEY, size INTEGER NOT NULL, sha256 TEXT NOT NULL, data BLOB NOT NULL)"
        )
        connection.execute("INSERT INTO first SELECT name, size, sha256, data FROM blobs")
        connection.execute("DROP TABLE blobs")
        for statement in schema._statements(MIGRATIONS[0].script):
            if statement.startswith("CREATE TABLE blobs"):
                connection.execute(statement)
        connection.execute("INSERT INTO blobs SELECT * FROM first")
        connection.execute("DROP TABLE first")
        connection.execute("PRAGMA user_version=1")
    return tmp_path


def version(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "data" / "vextir.db")) as connection:
        found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return found


async def test_an_older_database_is_brought_up_to_date_by_being_opened(first_version: Path) -> None:
    async with an_os(first_version, take, working=False) as os:
        assert await os.work() == 1
        assert (await os.record("e-2"))["runs"]["old.take"]["output"] == {"size": 2 * INLINE_BYTES}
        assert (await os.record("e-1"))["runs"]["old.take"]["output"] == {"size": 3}
    assert version(first_version) == len(MIGRATIONS)


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(first_version: Path) -> None:
    data = first_version / "data"
    before = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file()}
    found = migrate_copy(data)
    assert (found.before, [(step.version, step.says) for step in found.steps], found.problems) == (
        1, [(2, "blobs know when they were written")], [],
    )  # fmt: skip
    kept = {path.name: path.read_bytes() for path in data.iterdir() if path.is_file() and path.suffix != ".db-shm"}
    assert kept["vextir.db"] == before["vextir.db"]
    assert {name for name in kept if not name.endswith(("-wal", "-shm"))} == {
        name for name in before if not name.endswith(("-wal", "-shm"))
    }
    assert version(first_version) == 1


def test_by_hand_each_step_is_done_once(first_version: Path) -> None:
    data = first_version / "data"
    assert [step.version for step in migrate_data(data).steps] == [2]
    again = migrate_data(data)
    assert (again.before, again.steps) == (len(MIGRATIONS), [])


def test_migrations_only_add(first_version: Path) -> None:
    adds = re.compile(r"CREATE (UNIQUE )?INDEX|CREATE TABLE|ALTER TABLE \w+ ADD COLUMN")
    statements = [one for migration in MIGRATIONS for one in schema._statements(migration.script)]
    assert [one for one in statements if not adds.match(one)] == []


async def test_what_a_process_of_the_release_before_writes_is_taken(first_version: Path) -> None:
    with contextlib.closing(sqlite3.connect(first_version / "data" / "vextir.db", isolation_level=None)) as older:
        older.execute("SELECT count(*) FROM blobs").fetchone()
        migrate_data(first_version / "data")
        older.execute("INSERT INTO blobs(name, size, sha256, data) VALUES('local~1/x', 1, '', x'00')")
        assert older.execute("SELECT at FROM blobs WHERE name = 'local~1/x'").fetchone() == (0.0,)


def test_a_migration_that_would_fail_fails_on_the_copy(first_version: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = (*MIGRATIONS, Migration("breaks", "CREATE TABLE more(a); CREATE TABLE messages(again)"))
    monkeypatch.setattr("vextir_os.local.keeping.migrating.MIGRATIONS", broken)
    with pytest.raises(StoreError, match="messages already exists"):
        migrate_copy(first_version / "data")
    assert version(first_version) == 1
    with pytest.raises(StoreError, match="messages already exists"):
        migrate_data(first_version / "data")
    assert version(first_version) == 2


def test_a_migration_that_loses_something_is_noticed_on_the_copy(
    first_version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lossy = (MIGRATIONS[0], Migration("loses", "; ".join((MIGRATIONS[1].script, "DELETE FROM blobs"))))
    monkeypatch.setattr("vextir_os.local.keeping.migrating.MIGRATIONS", lossy)
    assert migrate_copy(first_version / "data").problems == ["there is not as much in it as before"]


def test_a_document_that_this_release_cannot_read_is_named(first_version: Path) -> None:
    with contextlib.closing(sqlite3.connect(first_version / "data" / "vextir.db")) as connection:
        connection.execute("UPDATE documents SET body = replace(body, '\"v\":1', '\"v\":3') WHERE container = 'events'")
        connection.commit()
    assert migrate_copy(first_version / "data").problems == ["events has a document 'event' of version 3 (1 of them)"]


def test_a_database_of_a_newer_release_is_refused_and_left_alone(first_version: Path) -> None:
    with contextlib.closing(sqlite3.connect(first_version / "data" / "vextir.db")) as connection:
        connection.execute("PRAGMA user_version=99")
    for act in (migrate_copy, migrate_data):
        with pytest.raises(
            ForeignFileError, match=r"schema version 99, this Vextir OS knows versions up to \d\. Upgrade"
        ):
            act(first_version / "data")
    assert version(first_version) == 99


def test_nothing_is_migrated_by_hand_under_a_running_os(first_version: Path) -> None:
    presence = Presence(first_version / "data", "00000000000000aa")
    presence.take()
    try:
        with pytest.raises(DataInUseError, match="worker 00000000000000aa"):
            migrate_data(first_version / "data")
        assert [step.version for step in migrate_copy(first_version / "data").steps] == [2]
    finally:
        presence.leave(clean=True)


def test_there_must_be_data_to_migrate(tmp_path: Path) -> None:
    for act in (migrate_copy, migrate_data):
        with pytest.raises(NotFoundError, match="there is no data in"):
            act(tmp_path)


@pytest.mark.parametrize(
    ("document", "why"),
    [
        pytest.param({"v": 1, "kind": "event"}, "", id="known"),
        pytest.param({"v": 2, "kind": "event"}, "a document 'event' of version 2", id="newer"),
        pytest.param({"v": 0, "kind": "event"}, "a document 'event' of version 0", id="none-before-the-first"),
        pytest.param({"kind": "event"}, "a document 'event' of version None", id="without-version"),
        pytest.param({"v": 1, "kind": "budget"}, "a document of the kind 'budget'", id="unknown"),
        pytest.param({"v": 1, "kind": ["x"]}, "a document of the kind \"['x']\"", id="no-kind"),
    ],
)
def test_a_release_reads_what_it_writes_and_the_version_before(document: dict[str, Any], why: str) -> None:
    assert unreadable(document) == why


async def test_every_kind_of_document_says_its_kind_and_version(tmp_path: Path) -> None:
    clock = FakeClock()

    @driver("all.limits", capabilities=["all.asked"], concurrency=1, throttle="5/s", debounce="1s", singleton="skip")
    async def limits(event: Event) -> None:
        if event.data == "bad":
            raise InvalidError("no")

    async with an_os(tmp_path, limits, clock=clock, working=False) as os:
        await os.kernel.pausing.pause("capability", "all.none", ANN, for_s=None, reason="")
        await os.publish(Event(id="e-1", type="all.asked"), Event(id="e-2", type="all.asked", data="bad"))
        await os.recover(clock, rounds=20)
        await os.publish(Event(id="e-3", type="all.asked", data="bad"))
        await os.publish(Event(id="e-4", type="all.other", partitionkey="k", ordered=True))
        await os.publish(Event(id="e-5", type="all.asked", partitionkey="k", ordered=True))
        await os.send(b"no event", "m-1")
        await os.work()
        clock.advance(1.5)
        await os.work()
        await remember(os.kernel.store, "key", ANN, "request", ttl_s=60)
    with contextlib.closing(sqlite3.connect(tmp_path / "data" / "vextir.db")) as connection:
        documents = [jsonio.loads(row[0]) for row in connection.execute("SELECT body FROM documents")]
    assert [unreadable(document) for document in documents if unreadable(document)] == []
    assert {document["kind"] for document in documents} == KINDS.keys()
