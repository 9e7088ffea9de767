"""A writer that waits for another process's transaction: what comes in meanwhile goes into its own."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import until
from vextir_os.adapters.sqlite import opening
from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.database import Database
from vextir_os.adapters.sqlite.engine import Engine


class Tries:
    """A clock for the writer that counts how often the write lock was found taken; its time-out never comes."""

    def __init__(self) -> None:
        self.found_taken = 0

    def sleep(self, seconds: float) -> None:
        self.found_taken += 1
        time.sleep(seconds)

    def monotonic(self) -> float:
        return 0.0


class CountingEngine(Engine):
    """Counts the commits."""

    commits = 0

    def committed(self) -> None:
        self.commits += 1
        super().committed()


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> Tries:
    counted = Tries()
    monkeypatch.setattr(opening, "time", counted)
    return counted


@pytest.fixture
def engine() -> CountingEngine:
    return CountingEngine(Core())


@pytest.fixture
async def database(tmp_path: Path, engine: CountingEngine, tries: Tries) -> AsyncIterator[Database]:
    database = Database(str(tmp_path / "v.db"), clock=FakeClock(), companion=engine)
    await database.start(lambda connection, _now: connection.execute("CREATE TABLE t(a)"))
    engine.commits = 0
    yield database
    await database.close()


@contextlib.contextmanager
def written_by_another(path: str) -> Iterator[None]:
    """Hold the write lock, as another process would."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def insert(connection: sqlite3.Connection, _now: float) -> None:
    connection.execute("INSERT INTO t VALUES(1)")


async def waits(tries: Tries) -> None:
    """Wait until the writer has found the lock taken."""

    async def is_waiting() -> bool:
        return tries.found_taken > 0

    await until(is_waiting)


async def test_what_comes_in_while_another_process_writes_shares_one_transaction(
    database: Database, engine: CountingEngine, tries: Tries
) -> None:
    with written_by_another(database.path):
        first = database.submit(insert)
        await waits(tries)
        later = [database.submit(insert, durable=number % 2 == 0) for number in range(10)]
        await asyncio.sleep(0)
    await asyncio.gather(first, *later)
    assert engine.commits == 1


async def test_a_transaction_that_does_not_wait_for_the_disk_takes_in_nothing_that_must(
    database: Database, engine: CountingEngine, tries: Tries
) -> None:
    with written_by_another(database.path):
        soft = database.submit(insert, durable=False)
        await waits(tries)
        hard = database.submit(insert)
        await asyncio.sleep(0)
    await asyncio.gather(soft, hard)
    assert engine.commits == 2


async def test_what_was_submitted_before_the_end_is_written_though_another_process_writes(
    database: Database, tries: Tries
) -> None:
    with written_by_another(database.path):
        first = database.submit(insert)
        await waits(tries)
        later = database.submit(insert)
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
    await asyncio.gather(first, later, closing)
    with contextlib.closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (2,)
