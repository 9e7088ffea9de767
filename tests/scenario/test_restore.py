"""Restoring: what is refused with nothing changed, what is put aside, what a restore leaves that is killed."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support.backups import back_up, large
from tests.support.harness import an_os
from vextir_os import Event
from vextir_os.errors import (
    BackupError,
    DataInUseError,
    StoreFullError,
)
from vextir_os.local.keeping.archive import extract_database, read_manifest, write_archive
from vextir_os.local.keeping.restore import check_backup, restore_backup
from vextir_os.local.presence import Presence

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def backed_up(tmp_path: Path) -> Path:
    return await back_up(tmp_path)


def test_a_data_directory_may_be_a_link_to_a_folder(backed_up: Path) -> None:
    (backed_up.parent / "volume").mkdir()
    (backed_up.parent / "link").symlink_to(backed_up.parent / "volume")
    restore_backup(backed_up, backed_up.parent / "link")
    assert (backed_up.parent / "volume" / "vextir.db").is_file()


def test_a_disk_without_room_for_the_database_is_said_before_anything_is_written(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: SimpleNamespace(free=1_000))
    with pytest.raises(StoreFullError, match=r"unpacks to \d+ bytes, and .* has 1000 left"):
        restore_backup(backed_up, backed_up.parent / "second")


@pytest.mark.parametrize("replace", [False, True])
def test_nothing_is_restored_under_a_running_os(backed_up: Path, replace: bool) -> None:
    data = backed_up.parent / "first" / "data"
    before = (data / "vextir.db").read_bytes()
    presence = Presence(data, "00000000000000aa")
    presence.take()
    try:
        with pytest.raises(DataInUseError, match="worker 00000000000000aa"):
            restore_backup(backed_up, data, replace=replace)
    finally:
        presence.leave(clean=True)
    assert (data / "vextir.db").read_bytes() == before


async def test_nothing_is_restored_under_a_process_that_only_reads(backed_up: Path) -> None:
    async with an_os(backed_up.parent / "first", large, working=False) as os_:
        await os_.records()
        with pytest.raises(DataInUseError, match="a process works on"):
            restore_backup(backed_up, os_.kernel.settings.data_dir, replace=True)
        assert len(await os_.records()) == 1


def test_data_that_is_there_is_not_replaced_unasked(backed_up: Path) -> None:
    with pytest.raises(DataInUseError, match=r"holds data already.*--replace"):
        restore_backup(backed_up, backed_up.parent / "first" / "data")


def test_a_damaged_database_is_put_aside_with_its_log(backed_up: Path) -> None:
    data = backed_up.parent / "first" / "data"
    (data / "vextir.db").write_bytes(b"no database at all")
    (data / "vextir.db-wal").write_bytes(b"its log")
    done = restore_backup(backed_up, data, replace=True)
    assert done.aside is not None
    assert done.aside.read_bytes() == b"no database at all"
    assert done.aside.with_name(f"{done.aside.name}-wal").read_bytes() == b"its log"
    assert not (data / "vextir.db-wal").exists()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        pytest.param(
            "CREATE TRIGGER t AFTER INSERT ON messages BEGIN DELETE FROM documents; END", "t is not as", id="trigger"
        ),
        pytest.param("CREATE VIEW v AS SELECT 1", "v is not as schema version", id="view"),
        pytest.param("DROP INDEX documents_key", "documents_key is not as", id="no-index"),
        pytest.param("ALTER TABLE messages ADD COLUMN x TEXT DEFAULT 'y'", "messages is not as", id="column"),
        pytest.param("PRAGMA application_id=7", "another application", id="another-application"),
    ],
)
def test_a_database_that_is_not_ours_is_not_restored(backed_up: Path, statement: str, why: str) -> None:
    data = backed_up.parent / "first" / "data"
    with contextlib.closing(sqlite3.connect(data / "vextir.db", isolation_level=None)) as connection:
        connection.execute(statement)
    hostile = backed_up.parent / "hostile.backup"
    with backed_up.open("rb") as file:
        manifest = read_manifest(file, "it")
    with contextlib.closing(sqlite3.connect(data / "vextir.db")) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    with hostile.open("wb") as file:
        write_archive(file, data / "vextir.db", manifest)
    with pytest.raises(BackupError, match=why):
        restore_backup(hostile, backed_up.parent / "second")
    with pytest.raises(BackupError, match=why):
        check_backup(hostile)
    assert not (backed_up.parent / "second").exists()


def test_a_backup_of_a_newer_version_is_refused(backed_up: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vextir_os.adapters.sqlite.copying.NEWEST", 0)
    with pytest.raises(BackupError, match=r"schema version \d+, this Vextir OS \(0\) is older"):
        restore_backup(backed_up, backed_up.parent / "second")


def test_a_folder_that_cannot_be_made_is_said(backed_up: Path) -> None:
    (backed_up.parent / "taken").write_text("")
    with pytest.raises(DataInUseError, match="is no folder"):
        restore_backup(backed_up, backed_up.parent / "taken")
    (backed_up.parent / "link").symlink_to(backed_up.parent / "elsewhere")
    with pytest.raises(DataInUseError, match="is no folder"):
        restore_backup(backed_up, backed_up.parent / "link")


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param("UPDATE documents SET body = '{', due = 1", id="no-json"),
        pytest.param("UPDATE documents SET body = '[]', due = 1", id="no-object"),
        pytest.param("UPDATE documents SET body = '{\"runs\": 7}', due = 1", id="no-runs"),
        pytest.param('UPDATE documents SET body = \'{"runs": {"d": []}}\', due = 1', id="no-run"),
        pytest.param("UPDATE messages SET properties = '[1]'", id="no-properties"),
        pytest.param(
            """UPDATE messages SET body = 'x', properties = '{"vextir-kind": "event", "vextir-signature": "sealed"}'""",
            id="no-bytes",
        ),
        pytest.param(
            'UPDATE documents SET container = \'deadletters\', body = \'{"kind": "message", "body": {"base64": 7}}\'',
            id="no-letter",
        ),
    ],
)
def test_documents_that_nobody_of_us_wrote_are_not_restored_half(backed_up: Path, statement: str) -> None:
    with backed_up.open("rb") as file:
        manifest = read_manifest(file, "it")
        hostile = backed_up.parent / "hostile.db"
        with hostile.open("wb") as to:
            extract_database(file, "it", manifest, to)
    with contextlib.closing(sqlite3.connect(hostile)) as connection:
        connection.execute(statement)
        connection.commit()
    with (backed_up.parent / "hostile.backup").open("wb") as to:
        write_archive(to, hostile, manifest)
    with pytest.raises(BackupError, match="its database holds what no Vextir OS wrote"):
        restore_backup(backed_up.parent / "hostile.backup", backed_up.parent / "second")
    assert not (backed_up.parent / "second").exists()


DIES = """
import os, sys
from pathlib import Path
from vextir_os.local.keeping import restore
setattr(restore, sys.argv[1], lambda *_args, **_more: os._exit(9))
restore.restore_backup(Path(sys.argv[2]), Path(sys.argv[3]), replace=True)
"""


@pytest.mark.parametrize("at", ["extract_database", "migrate", "unseal", "leave_behind", "_put_aside", "put_in_place"])
async def test_a_restore_that_is_killed_leaves_the_data_as_they_were(backed_up: Path, at: str) -> None:
    first = backed_up.parent / "first"
    async with an_os(first, large, working=False) as os_:
        await os_.publish(Event(id="e-3", type="keep.large", data={"text": "x"}))
        await os_.work()
        before = await os_.records()
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", DIES, at, str(backed_up), str(first / "data")], check=False, cwd=ROOT
    )
    assert done.returncode == 9
    async with an_os(first, large, working=False) as os_:
        assert await os_.records() == before
    restore_backup(backed_up, first / "data", replace=True)
    assert [path.name for path in (first / "data").iterdir() if path.name.startswith(".vextir.db")] == []
    async with an_os(first, large, working=False) as os_:
        assert len(await os_.records()) == 1
        assert await os_.work() == 1
