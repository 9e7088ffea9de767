"""Looks into a database file without changing it, broken or not, while others use it or nobody does. Knows no rules.

A file that nobody has open is read without locks, since even a reader would leave a log beside it.
"""

import contextlib
import sqlite3
import stat
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vextir_os.adapters.sqlite import gauges
from vextir_os.adapters.sqlite.failures import translate
from vextir_os.adapters.sqlite.opening import MAGIC
from vextir_os.adapters.sqlite.schema import check_ours
from vextir_os.errors import (
    ForeignFileError,
    NotFoundError,
    StoreCorruptError,
    StoreError,
    StoreUnavailableError,
    UndecodableError,
)
from vextir_os.events.jsonio import loads
from vextir_os.ports.gauges import QueueGauge

_BUSY_S = 2.0
_STEPS = 100_000
_HEADER_BYTES, _WRITE_VERSION, _WAL = 100, 18, 2
_OVERDUE = "SELECT due FROM documents WHERE container = ? AND due < ? ORDER BY due LIMIT ?"
_NEWEST = "SELECT body FROM documents WHERE container = ? ORDER BY row DESC LIMIT ?"
# A blob is called `<record id>/<part>`, and a record id holds no slash.
_STRAYS = (
    "SELECT size FROM blobs WHERE NOT EXISTS (SELECT 1 FROM documents WHERE container = ? "
    "AND id = substr(blobs.name, 1, instr(blobs.name, '/') - 1)) LIMIT ?"
)


class Counted(NamedTuple):
    """How many there are, as far as was counted, and a number that goes with them."""

    number: int
    measure: float


class Look:
    """What a database holds. Its methods raise `StoreError`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def is_wal(self) -> bool:
        """Whether the file is set to write ahead; its header says so (sqlite.org/fileformat2.html), 2 in byte 18."""
        with self._path.open("rb") as file:
            return file.read(_HEADER_BYTES)[_WRITE_VERSION] == _WAL

    def damage(self, limit_s: float) -> tuple[Sequence[str], bool]:
        """Return what is damaged, five places at most, and whether the whole file was looked at within the time."""
        until = time.monotonic() + limit_s
        self._connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        try:
            with _translated(self._path):
                found = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(5)")]
        except StoreError as error:
            if getattr(error.__cause__, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                raise
            return (), False
        finally:
            self._connection.set_progress_handler(None, 0)
        return [text for text in found if text != "ok"], True

    def queues(self) -> list[QueueGauge]:
        """Return a gauge per queue."""
        with _translated(self._path):
            return gauges.queues(self._connection)

    def overdue(self, container: str, before: float, most: int) -> Counted:
        """Return how many documents were due before a time, `most` at most, and when the first was."""
        with _translated(self._path):
            dues = [float(row[0]) for row in self._connection.execute(_OVERDUE, (container, before, most))]
            return Counted(len(dues), dues[0] if dues else before)

    def newest(self, container: str, most: int) -> list[dict[str, Any]]:
        """Return the documents that came last, the newest first."""
        with _translated(self._path):
            return [dict(loads(row[0])) for row in self._connection.execute(_NEWEST, (container, most))]

    def strays(self, container: str, most: int) -> Counted:
        """Return how many blobs belong to no document of a container, `most` at most, and their bytes."""
        with _translated(self._path):
            sizes = [int(row[0]) for row in self._connection.execute(_STRAYS, (container, most))]
            return Counted(len(sizes), sum(sizes))


@contextlib.contextmanager
def look_into(path: Path) -> Iterator[Look]:
    """Open a database to look at it.

    Raises:
        NotFoundError: There is no file.
        ForeignFileError: It is no database, or of another application, or of a newer version.
        StoreError: It cannot be read, or is damaged.
    """
    _check_head(path)
    with _translated(path):
        connection = sqlite3.connect(_uri(path), uri=True, timeout=_BUSY_S, isolation_level=None)
    try:
        with _translated(path):
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA query_only=ON")
            check_ours(connection, str(path))
        yield Look(connection, path)
    finally:
        connection.close()


def _check_head(path: Path) -> None:
    try:
        state = path.stat()
        # A pipe in its place would hold up whoever opens it.
        head = b"" if not stat.S_ISREG(state.st_mode) else _first_bytes(path)
    except FileNotFoundError:
        raise NotFoundError(f"there is no database {path}") from None
    except OSError as error:
        raise StoreUnavailableError(f"the database {path} cannot be read: {error.strerror or error}") from error
    if not head and stat.S_ISREG(state.st_mode):
        raise NotFoundError(f"the database {path} is empty")
    if head != MAGIC:
        raise ForeignFileError(f"{path} is no SQLite database", hint="Look what it is, or restore a backup")


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(MAGIC))


def _uri(path: Path) -> str:
    log = path.with_name(f"{path.name}-wal")
    # The last to close the file removes the log: where there is one, somebody uses the file, or was killed.
    return f"file:{urllib.parse.quote(str(path))}?{'mode=ro' if log.exists() else 'immutable=1'}"


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Raise what SQLite, or a value that none of ours wrote, raises as one of our errors."""
    try:
        yield
    except sqlite3.Error as error:
        found = translate(error, str(path))
        raise found if isinstance(found, StoreError) else StoreError(f"{path} cannot be read: {error}") from error
    except (ValueError, TypeError, KeyError, UndecodableError) as error:
        hint = "Stop all processes, keep a copy, and restore a backup or use sqlite3's `.recover`"
        raise StoreCorruptError(f"the database {path} holds what no Vextir OS writes: {error}", hint=hint) from error
