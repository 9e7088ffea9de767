"""Restoring a backup: verified as a whole beside its place, then put there by one rename. Never into a running OS.

What was under way in the backup goes on at once: its workers are left behind as ones whose processes are gone.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from vextir_os.adapters.sqlite import copying
from vextir_os.adapters.sqlite.opening import MAGIC
from vextir_os.adapters.sqlite.schema import check_ours, migrate
from vextir_os.adapters.sqlite.storage import FILE
from vextir_os.errors import (
    BackupError,
    DataInUseError,
    EventError,
    NotFoundError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    UsageError,
)
from vextir_os.events.identity import Signer
from vextir_os.keys import signing_key
from vextir_os.local.keeping.archive import Manifest, extract_database, read_manifest
from vextir_os.local.keeping.files import beside, flush, put_in_place, remove_leftovers
from vextir_os.local.keeping.seals import unseal
from vextir_os.local.presence import leave_behind, lives
from vextir_os.runs.record import EVENTS

_LOG, _INDEX = "-wal", "-shm"
_MARK_BYTES = 4
_WORKER_CHARS = 16
_BUSY_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored, and the database that was there before; None when there was none."""

    manifest: Manifest
    aside: Path | None


def check_backup(place: Path) -> Manifest:
    """Verify a backup as `restore_backup` does, and change nothing. Needs room for the database beside the file.

    Raises:
        NotFoundError: There is no such file.
        BackupError: It is no backup, is damaged, or of a newer version.
    """
    with _archive(place) as file:
        manifest = _read(file, place)
        with beside(place) as copy:
            _unpack(file, place, manifest, copy)
    return manifest


def restore_backup(place: Path, data_dir: Path, *, replace: bool = False) -> Restored:
    """Make a data directory of a backup: keys that are there stay, others are made at the first start.

    Args:
        place: The backup.
        data_dir: An absent folder, or one without a database.
        replace: A database that is there is put aside, under a name that says when, instead of being refused.

    Raises:
        NotFoundError: There is no such file.
        BackupError: It is no backup, is damaged, or of a newer version; nothing was changed.
        DataInUseError: An OS runs on the data, or data is there and is not to be replaced.
        StoreFullError: The disk is full; nothing was changed.
    """
    with _archive(place) as file:
        manifest = _read(file, place)
        _check_free(data_dir, replace=replace)
        with _made(data_dir):
            signer = Signer(signing_key(data_dir))
            remove_leftovers(data_dir / FILE)
            with beside(data_dir / FILE) as copy:
                _unpack(file, place, manifest, copy)
                workers = _settle_in(copy, signer, place)
                leave_behind(data_dir, workers)
                aside = _put_aside(data_dir) if replace else None
                put_in_place(copy, data_dir / FILE, overwrite=replace)
    return Restored(manifest=manifest, aside=aside)


@contextlib.contextmanager
def _archive(place: Path) -> Iterator[BinaryIO]:
    if not place.exists():
        raise NotFoundError(f"there is no file {place}")
    if not place.is_file():
        raise UsageError(f"{place} is no file")
    try:
        file = place.open("rb")
    except OSError as error:
        raise UsageError(f"{place} cannot be read: {error.strerror or error}") from None
    with file:
        yield file


def _read(file: BinaryIO, place: Path) -> Manifest:
    manifest = read_manifest(file, str(place))
    if manifest.schema > copying.NEWEST:
        raise BackupError(
            f"{place} has schema version {manifest.schema}, this Vextir OS ({copying.NEWEST}) is older: "
            f"it was made by {manifest.version}",
            hint="Upgrade Vextir OS; nothing was changed",
        )
    return manifest


def _unpack(file: BinaryIO, place: Path, manifest: Manifest, copy: Path) -> None:
    """Unpack the database and look at all of it. Raises `BackupError`, `StoreFullError`."""
    free = shutil.disk_usage(copy.parent).free
    if manifest.size_bytes > free:
        raise StoreFullError(
            f"{place} unpacks to {manifest.size_bytes} bytes, and {copy.parent} has {free} left",
            hint="Free space; nothing was changed",
        )
    with copy.open("wb") as to:
        extract_database(file, str(place), manifest, to)
    try:
        with copying.open_copy(copy) as connection:
            check_ours(connection, str(place))
            damage = copying.damage(connection)
            if not damage and copying.schema_version(connection) != manifest.schema:
                damage = f"its schema version is {copying.schema_version(connection)}, not {manifest.schema}"
    except StoreCorruptError as error:
        damage = str(error.__cause__)
    except StoreFullError:
        raise
    except StoreError as error:
        damage = error.what
    if damage:
        raise BackupError(f"{place} cannot be restored: its database is damaged: {damage}", hint="Take another backup")


def _settle_in(copy: Path, signer: Signer, place: Path) -> set[str]:
    """Bring the database up to date, sign its messages; return the workers that held something when it was copied."""
    with copying.open_copy(copy) as connection:
        migrate(connection, str(copy))
        try:
            connection.execute("BEGIN IMMEDIATE")
            unseal(connection, signer)
            connection.execute("COMMIT")
            return _workers(connection)
        except (EventError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise BackupError(
                f"{place} cannot be restored: its database holds what no Vextir OS wrote ({type(error).__name__})",
                hint="Nothing was changed. Take another backup",
            ) from error


def _workers(connection: sqlite3.Connection) -> set[str]:
    # Of who holds a message its lock tells the beginning of the name, and that is all that is asked of it.
    found = {mark.hex().ljust(_WORKER_CHARS, "0") for mark in copying.lock_marks(connection, _MARK_BYTES)}
    for _, record in copying.documents_of(connection, EVENTS, due_only=True):
        found |= {run["owner"].partition(".")[0] for run in record["runs"].values() if run["owner"]}
    return {name for name in found if len(name) == _WORKER_CHARS and set(name) <= set("0123456789abcdef")}


def _check_free(data_dir: Path, *, replace: bool) -> None:
    if os.path.lexists(data_dir) and not data_dir.is_dir():
        raise DataInUseError(f"{data_dir} is no folder", hint="Name a folder; nothing was changed")
    workers = lives(data_dir)
    if workers:
        raise DataInUseError(
            f"an OS runs on {data_dir}: worker {', '.join(workers)}", hint="Stop it first; nothing was changed"
        )
    if not replace and any((data_dir / f"{FILE}{end}").exists() for end in ("", _LOG, _INDEX)):
        raise DataInUseError(
            f"{data_dir} holds data already",
            hint="Restore into another folder with --into DIR, or put the data aside with --replace",
        )


@contextlib.contextmanager
def _made(data_dir: Path) -> Iterator[None]:
    """Make the folder when there is none, and remove it again when nothing comes into it."""
    made = not data_dir.exists()
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {data_dir} cannot be made: {error.strerror or error}") from None
    try:
        yield
    except BaseException:
        if made:
            shutil.rmtree(data_dir, ignore_errors=True)
        raise


def _put_aside(data_dir: Path) -> Path | None:
    """Give the database that is there a second name, and its log a new one; return the database under that name.

    The second name keeps it when the first is taken by the restored one. A log that stayed would be read as that of the
    restored one.
    """
    old = data_dir / FILE
    if not old.exists():
        return None
    _close_log(old)
    aside = data_dir / f"{FILE}.before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    for end in (_LOG, _INDEX):
        if (data_dir / f"{FILE}{end}").exists():
            (data_dir / f"{FILE}{end}").rename(f"{aside}{end}")
    try:
        os.link(old, aside)
    except OSError:
        # A file system without second names.
        shutil.copyfile(old, aside)
        aside.chmod(0o600)
        flush(aside)
    return aside


def _close_log(old: Path) -> None:
    """Take the log into the database. Raises `DataInUseError` when somebody else has it open."""
    with old.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            # SQLite would throw away the log of what is no database.
            return
    try:
        with contextlib.closing(sqlite3.connect(old, timeout=_BUSY_S, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise DataInUseError(
                f"a process works on {old}", hint="Stop all that use this data; nothing was changed"
            ) from error
        # A damaged one is put aside as it is, with its log.
