"""The doctor on the data: a database that is whole or not, workers, what does not go on. Each finding is provoked."""

import os
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.patient import a_patient, said
from vextir_os.adapters.sqlite.looking import look_into
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.cli.doctor import data, machine
from vextir_os.cli.doctor.checks import examine
from vextir_os.cli.doctor.finding import Patient
from vextir_os.errors import StoreCorruptError
from vextir_os.local.presence import FOLDER, Presence, census
from vextir_os.ports.queue import Message

WORKER = "0123456789abcdef"


@asynccontextmanager
async def a_store(patient: Patient) -> AsyncIterator[SqliteStorage]:
    async with open_storage(patient.database) as storage:
        await storage.broker.declare("events")
        yield storage


def contents(folder: Path) -> dict[str, bytes]:
    # The -shm file is memory that the processes share, in which also a reader marks its place.
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.suffix != ".db-shm"}


def test_no_database_is_well(tmp_path: Path) -> None:
    assert said(data.database(a_patient(tmp_path))) == ["ok: there is none yet; the first start makes it"]


async def test_a_database_is_looked_at_without_changing_a_byte(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient) as storage:
        await storage.store.create("events", {"id": "a", "pk": "p", "created": 1.0})
        open_ = contents(patient.data_dir)
        (line,) = said(data.database(patient))
        assert line.startswith("ok: whole; ")
        assert contents(patient.data_dir) == open_
    closed = contents(patient.data_dir)
    assert list(closed) == ["vextir.db"]
    assert said(data.database(patient))[0].startswith("ok: whole; ")
    assert said(data.stuck(patient)) == ["ok: nothing is overdue, no dead letter is open"]
    assert contents(patient.data_dir) == closed


async def test_a_damaged_database_is_a_problem(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient) as storage:
        for number in range(200):
            await storage.store.create("events", {"id": f"{number:09}", "pk": "p", "text": "x" * 500})
    raw = bytearray(patient.database.read_bytes())
    raw[20_000:60_000] = b"\x5a" * 40_000
    patient.database.write_bytes(raw)
    (found,) = data.database(patient)
    assert found.level == "problem"
    assert "damaged" in found.what
    assert "restore a backup" in found.advice


async def test_whatever_of_a_database_is_damaged_is_told_as_damage(tmp_path: Path) -> None:
    patient = a_patient(tmp_path, VEXTIR_PORT="0")
    async with a_store(patient) as storage:
        for number in range(50):
            document = {"id": f"{number}", "pk": "p", "created": 1.0, "due": 1.0, "text": "x" * 300}
            await storage.store.create("events", document)
            await storage.store.create("deadletters", {"id": f"{number}", "pk": "local", "state": "open"})
            await storage.queue("events").send([Message(id=f"{number}", body=b"{}")])
    whole, draw = patient.database.read_bytes(), random.Random(7)  # noqa: S311 - no secret
    for _ in range(40):
        raw = bytearray(whole)
        for _ in range(draw.randint(1, 200)):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        patient.database.write_bytes(raw)
        for finding in examine(patient, [("database", data.database), ("stuck", data.stuck), ("clock", machine.clock)]):
            assert "the check failed" not in finding.what
    assert [path.name for path in patient.data_dir.iterdir()] == ["vextir.db"]


async def test_a_value_that_no_os_of_ours_writes_is_damage(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient) as storage:
        await storage.store.create("deadletters", {"id": "a", "pk": "local"})
    with sqlite3.connect(patient.database) as connection:
        connection.execute("UPDATE documents SET body = x'5b5d5b'")
    connection.close()
    with pytest.raises(StoreCorruptError, match="holds what no Vextir OS writes"), look_into(patient.database) as look:
        look.newest("deadletters", 1)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"no database at all", "problem: {path} is no SQLite database"),
        (b"", "ok: there is none yet; the first start makes it"),
    ],
)
def test_a_file_that_is_no_database_is_named(tmp_path: Path, raw: bytes, line: str) -> None:
    patient = a_patient(tmp_path)
    patient.data_dir.mkdir()
    patient.database.write_bytes(raw)
    assert said(data.database(patient)) == [line.format(path=patient.database)]


def test_a_pipe_in_the_place_of_the_database_holds_nobody_up(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    patient.data_dir.mkdir()
    os.mkfifo(patient.database)
    assert said(data.database(patient)) == [f"problem: {patient.database} is no SQLite database"]
    assert said(data.workers(patient)) == ["ok: no process works on the data, and nothing waits"]


def test_a_database_of_another_application_is_a_problem(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    patient.data_dir.mkdir()
    with sqlite3.connect(patient.database) as connection:
        connection.execute("CREATE TABLE theirs(x)")
    connection.close()
    (line,) = said(data.database(patient))
    assert "is a SQLite database of another application" in line


async def test_another_journal_is_a_warning(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient):
        pass
    with sqlite3.connect(patient.database) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    assert said(data.database(patient), "warning") == ["its journal mode is not wal"]


async def test_a_database_too_large_to_look_through_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient) as storage:
        for number in range(300):
            await storage.store.create("events", {"id": f"{number}", "pk": "p", "text": "x" * 2_000})
    monkeypatch.setattr(data, "LOOK_S", -1.0)
    monkeypatch.setattr("vextir_os.adapters.sqlite.looking._STEPS", 1)
    (line,) = said(data.database(patient))
    assert "it is too large to look through" in line


async def test_messages_that_nobody_works_on_are_a_warning(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    assert said(data.workers(patient)) == ["ok: no process works on the data, and nothing waits"]
    async with a_store(patient) as storage:
        await storage.queue("events").send([Message(id="a", body=b"{}"), Message(id="b", body=b"{}")])
    assert said(data.workers(patient)) == ["warning: 2 messages wait, and no process works on the data"]
    presence = Presence(patient.data_dir, WORKER)
    presence.take()
    assert said(data.workers(patient)) == ["ok: 1 process works on the data"]
    assert census(patient.data_dir).alive == (WORKER,)
    presence.leave(clean=False)
    assert said(data.workers(patient), "warning")[1] == "1 worker ended without giving back what they held"
    assert [path.name for path in (patient.data_dir / FOLDER).iterdir()] == [f"{WORKER}.lock"]


async def test_records_that_are_overdue_are_a_warning(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient) as storage:
        for late in (7_200, 400, 10, -100):
            document = {"id": f"{late}", "pk": "p", "created": 1.0, "due": time.time() - late}
            await storage.store.create("events", document)
    assert said(data.stuck(patient)) == ["warning: 2 records are overdue, the first for 2.0 h"]


async def test_dead_letters_that_are_open_are_a_warning(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient) as storage:
        for number, state in enumerate(["open", "replayed", "open"]):
            await storage.store.create("deadletters", {"id": f"{number}", "pk": "local", "state": state})
    assert said(data.stuck(patient)) == ["warning: 2 dead letters open"]


@pytest.mark.parametrize(("most", "level"), [("10", "ok"), ("6", "warning"), ("5", "problem")])
async def test_a_queue_that_is_nearly_full_is_a_warning_and_a_full_one_a_problem(
    tmp_path: Path, most: str, level: str
) -> None:
    patient = a_patient(tmp_path, VEXTIR_MAX_QUEUE_DEPTH=most)
    async with a_store(patient) as storage:
        await storage.queue("events").send([Message(id=f"{number}", body=b"{}") for number in range(5)])
    (found,) = data.stuck(patient)
    assert found.level == level


async def test_a_log_that_does_not_shrink_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = a_patient(tmp_path)
    monkeypatch.setattr(data, "_LOG_BYTES", 1_000)
    async with a_store(patient) as storage:
        await storage.store.create("events", {"id": "a", "pk": "p", "created": 1.0})
        assert said(data.stuck(patient)) == ["warning: the log of the database has 0 MB"]


async def test_large_values_without_a_record_are_a_warning_where_nothing_is_under_way(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with a_store(patient) as storage:
        await storage.store.create("events", {"id": "local~a", "pk": "p", "created": 1.0})
        await storage.blobs.put("local~a/out", b"x" * 10)
        await storage.blobs.put("local~gone/out", b"x" * 500_000)
    assert said(data.stuck(patient)) == ["warning: 1 large values, 0.5 MB, belong to no record"]
    async with a_store(patient) as storage:
        await storage.queue("events").send([Message(id="a", body=b"{}")])
    assert said(data.stuck(patient)) == ["ok: nothing is overdue, no dead letter is open"]
