"""Secrets of this installation: random, made at the first start, in files that only their owner can read."""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from vextir_os.errors import SettingsError
from vextir_os.settings.sources import DATA_FOLDER

_SIGNING = "signing.key"
_API = "api.key"
KEY_FILES = (_SIGNING, _API)
_FILE_BYTES = 1_000


def signing_key(data_dir: Path) -> bytes:
    """Return the 32 bytes by which the OS signs its messages; made when there are none. Raises `SettingsError`."""
    return bytes.fromhex(_keep(data_dir / _SIGNING))


def api_key(data_dir: Path) -> str:
    """Return the key that the HTTP API asks for, 64 hex digits; made when there is none. Raises `SettingsError`."""
    return _keep(data_dir / _API)


def _keep(path: Path) -> str:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _keep_out_of_git(path.parent)
            _make(path)
    except OSError as error:
        raise SettingsError(f"the key cannot be made: {error}", where=str(path)) from error
    return read_key(path)


def read_key(path: Path) -> str:
    """Return the 64 hex digits of a key file. Raises `SettingsError`: it is not there, or cannot be used."""
    try:
        text = _read(path).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the key cannot be read: {error}", where=str(path)) from error
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise SettingsError(
            "the key file does not hold 64 hex digits",
            where=str(path),
            hint="Restore it from a backup; without it, messages that wait on the queue count as forged",
        )
    return text


def _read(path: Path) -> str:
    # Opened without waiting: a pipe in the place of the key would hold up the start for ever.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | getattr(os, "O_NONBLOCK", 0))) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise SettingsError("the key is no file", where=str(path), hint="Remove it")
        if os.name == "posix" and found.st_mode & 0o077:
            raise SettingsError(
                f"the key may be read or changed by others, its mode is {stat.S_IMODE(found.st_mode):04o}",
                where=str(path),
                hint="Delete it, and the next start makes a new one; or, if nobody knows it, run: chmod 600 FILE. "
                "Where the file system keeps no modes, name a folder elsewhere with VEXTIR_DATA_DIR",
            )
        return file.read(_FILE_BYTES).decode("ascii")


def _keep_out_of_git(folder: Path) -> None:
    # The folder in a project is ours alone, and `git add .` would publish its keys and data. Others may hold more.
    if folder.name == DATA_FOLDER:
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(folder / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write("*\n")


def _make(path: Path) -> None:
    # Written beside and linked: of several processes that start at once one wins, and nobody reads half a key.
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(beside, path)
        except FileExistsError:
            return
    finally:
        beside.unlink()
