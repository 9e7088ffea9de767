"""What SQLite reports, in the words of the error hierarchy. Pure: translates, decides nothing."""

import sqlite3

from vextir_os.errors import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
    VextirError,
)

_GROUP_WIDE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)


def is_group_wide(error: BaseException) -> bool:
    """Whether the error is one of the file, the disk or the machine: no unit of the transaction can succeed then."""
    return isinstance(error, sqlite3.Error) and _primary(error) in _GROUP_WIDE


def translate(error: BaseException, path: str) -> BaseException:
    """Return our error for one of SQLite's, a new one each time; every other error comes back as it is."""
    if isinstance(error, VextirError) or not isinstance(error, sqlite3.Error):
        return error
    return _ours(error, path)


def _ours(error: sqlite3.Error, path: str) -> StoreError:
    code = _primary(error)
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    if code == sqlite3.SQLITE_FULL:
        return StoreFullError(
            f"the disk, or the limit of the database, is full: {path}; nothing was written",
            hint="Free space; later writes work again by themselves",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreBusyError(
            f"another process holds the write lock of {path} for too long; nothing was written",
            hint="Look for a process that keeps a transaction open, such as a database browser",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorruptError(
            f"the database {path} is damaged ({name}: {error})",
            hint="Stop all processes, keep a copy, and restore a backup or use sqlite3's `.recover`",
        )
    if code in _GROUP_WIDE:
        return StoreUnavailableError(
            f"the database {path} cannot be used ({name}: {error})",
            hint="Look at the disk, the folder and the permissions of the file and its -wal and -shm neighbours",
        )
    return StoreError(f"SQLite refused a statement on {path} ({name}: {error})")


def _primary(error: sqlite3.Error) -> int:
    # Extended codes carry the primary one in their low byte (sqlite.org/rescode.html).
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF
