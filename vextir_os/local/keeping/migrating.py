"""Bringing a database up to date by hand, or on a copy first: what would be done, and whether it works.

Opening does the same by itself. By hand it is done without starting anything, before the OS is started again.
"""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from vextir_os.adapters.sqlite import copying
from vextir_os.adapters.sqlite.failures import translate
from vextir_os.adapters.sqlite.opening import open_writer
from vextir_os.adapters.sqlite.schema import MIGRATIONS, check_ours, migrate
from vextir_os.adapters.sqlite.storage import FILE
from vextir_os.errors import DataInUseError, NotFoundError
from vextir_os.local.keeping.files import beside
from vextir_os.local.presence import lives
from vextir_os.runs.kinds import unreadable

_BUSY_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration: from a schema version to the next, what it does, how long it took."""

    version: int
    says: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What was done, or would be.

    Attributes:
        before: Schema version of the database.
        steps: The migrations, in order.
        problems: What is wrong with the result; empty when all is well. Found on a copy alone.
    """

    before: int
    steps: Sequence[Step]
    problems: Sequence[str] = ()


def migrate_copy(data_dir: Path) -> Migrated:
    """Bring a copy of the database up to date and look at all of it; the data stay as they are, and may be in use.

    Needs room for a copy beside the database while it works.

    Raises:
        NotFoundError: There is no database.
        ForeignFileError: It is another application's, or of a newer version.
        StoreError: A migration failed, or the disk is full.
    """
    database = _database(data_dir)
    with beside(database) as copy:
        copying.copy_database(database, copy)
        with copying.open_copy(copy) as connection:
            check_ours(connection, str(database))
            before, held = copying.schema_version(connection), dict(copying.counts(connection))
            steps = _steps(connection, str(database), before)
            problems = [damage] if (damage := copying.damage(connection)) else []
            if dict(copying.counts(connection)) != held:
                problems.append("there is not as much in it as before")
            problems += _unreadable(connection)
    return Migrated(before=before, steps=steps, problems=problems)


def migrate_data(data_dir: Path) -> Migrated:
    """Bring the database up to date; each step is done as a whole or not at all.

    Raises:
        NotFoundError: There is no database.
        DataInUseError: An OS runs on it.
        ForeignFileError: It is another application's, or of a newer version.
        StoreError: A migration failed; the version before it is whole.
    """
    database = _database(data_dir)
    workers = lives(data_dir)
    if workers:
        raise DataInUseError(
            f"an OS runs on {data_dir}: worker {', '.join(workers)}", hint="Stop it first; --dry-run works beside it"
        )
    try:
        with closing(sqlite3.connect(database, timeout=_BUSY_S, isolation_level=None)) as connection:
            check_ours(connection, str(database))
            before = copying.schema_version(connection)
            steps = _steps(connection, str(database), before)
        open_writer(str(database), busy_timeout_s=_BUSY_S).close()
    except sqlite3.Error as error:
        raise translate(error, str(database)) from error
    return Migrated(before=before, steps=steps)


def _database(data_dir: Path) -> Path:
    database = data_dir / FILE
    if not database.is_file():
        raise NotFoundError(f"there is no data in {data_dir}", hint="Name the project with --project DIR")
    return database


def _steps(connection: sqlite3.Connection, path: str, before: int) -> list[Step]:
    steps = []
    for version in range(before, len(MIGRATIONS)):
        began = time.perf_counter()
        migrate(connection, path, MIGRATIONS[: version + 1])
        said = MIGRATIONS[version].says
        steps.append(Step(version=version + 1, says=said, seconds=time.perf_counter() - began))
    return steps


def _unreadable(connection: sqlite3.Connection) -> list[str]:
    """Return what this release could not read, each once, with how often."""
    found: dict[str, int] = {}
    for container in copying.containers(connection):
        for _, document in copying.documents_of(connection, container):
            why = unreadable(document)
            if why:
                found[f"{container} has {why}"] = found.get(f"{container} has {why}", 0) + 1
    return [f"{why} ({count:,} of them)" for why, count in found.items()]
