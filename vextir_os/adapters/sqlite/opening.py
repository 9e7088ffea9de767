"""Opens the database file, and its write transactions: whose file it is, how connections are set. Runs no query."""

import os
import sqlite3
import time
from pathlib import Path
from typing import Literal

from vextir_os.adapters.sqlite.schema import check_ours, migrate
from vextir_os.errors import ForeignFileError, StoreError, StoreUnavailableError

Synchronous = Literal["FULL", "NORMAL"]
MEMORY = ":memory:"
OLDEST = (3, 35, 0)
"""The first SQLite with RETURNING (sqlite.org/lang_returning.html)."""

MAGIC = b"SQLite format 3\x00"
"""How every SQLite database begins (sqlite.org/fileformat.html)."""

_CACHED_STATEMENTS = 512
_CACHE_KB = 32_000
_LOG_BYTES = 64_000_000
_RETRY_S = 0.02
_LOCKED_S = 0.002


def open_writer(path: str, *, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the file for writing; set it up when it is new or empty, bring it up to date when it is older.

    Args:
        path: A file path, or `:memory:`. A new file gets mode 0600, a new folder 0700.
        busy_timeout_s: How long to wait for another process's write lock.

    Raises:
        StoreError: This Python's SQLite is older than 3.35.
        ForeignFileError: The file is no SQLite database, or another application's, or of a newer version.
        StoreUnavailableError: Folder or file cannot be made, or the file system cannot do WAL.
        sqlite3.Error: Anything else; the caller translates it.
    """
    if sqlite3.sqlite_version_info < OLDEST:
        raise StoreError(
            f"this Python has SQLite {sqlite3.sqlite_version}; {OLDEST[0]}.{OLDEST[1]} or newer is needed",
            hint="Use a newer Python build or operating system",
        )
    if path != MEMORY:
        _prepare_file(Path(path))
    connection = _connect(path, busy_timeout_s)
    try:
        if path != MEMORY:
            _use_wal(connection, path, busy_timeout_s)
        migrate(connection, path)
        # From here on, `begin` waits.
        connection.execute("PRAGMA busy_timeout=0")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: str, *, busy_timeout_s: float) -> sqlite3.Connection:
    """Open a second connection that can only read."""
    connection = _connect(path, busy_timeout_s)
    try:
        connection.execute("PRAGMA query_only=ON")
    except BaseException:
        connection.close()
        raise
    return connection


def begin(connection: sqlite3.Connection, busy_timeout_s: float) -> bool:
    """Take the write lock, from another process if need be; return whether another process had it.

    SQLite's own waits grow to 100 ms, and the lock is free long before they end: several processes would sleep beside a
    file that nobody writes to. Ours are short.

    Raises:
        sqlite3.OperationalError: The lock was not free within the time (`SQLITE_BUSY`), or anything else is wrong.
    """
    waited, until = False, time.monotonic() + busy_timeout_s
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY or time.monotonic() >= until:
                raise
            waited = True
            time.sleep(_LOCKED_S)
        else:
            return waited


def set_synchronous(connection: sqlite3.Connection, level: Synchronous) -> None:
    """Say what the next commits wait for. Outside a transaction only.

    A pragma like this acts while it is prepared, so a statement from the cache would do nothing: executescript()
    prepares anew each time.
    """
    connection.executescript(f"PRAGMA synchronous={level}")


def _connect(path: str, busy_timeout_s: float) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=busy_timeout_s,
        isolation_level=None,
        cached_statements=_CACHED_STATEMENTS,
        check_same_thread=True,
    )
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA temp_store=MEMORY")
        # This one reads the file, which may be damaged.
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
        connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            with path.open("rb") as file:
                head = file.read(len(MAGIC))

            if head and head != MAGIC:
                raise ForeignFileError(
                    f"{path} is no SQLite database", hint="Name another file; this one was not changed"
                ) from None
    except OSError as error:
        raise StoreUnavailableError(
            f"the database {path} cannot be opened: {error.strerror or error}",
            hint="Name a file in a folder that this user may write to",
        ) from error


def _use_wal(connection: sqlite3.Connection, path: str, busy_timeout_s: float) -> None:
    # Several processes may open a new file at once, and the change to WAL does not always wait as other locks do.
    until = time.monotonic() + busy_timeout_s
    while True:
        try:
            check_ours(connection, path)
            mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            if (error.sqlite_errorcode & 0xFF) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_RETRY_S)
    if mode != "wal":
        raise StoreUnavailableError(
            f"the file system of {path} cannot do write-ahead logging (journal mode stayed {mode})",
            hint="Use a local disk; network file systems do not work",
        )
