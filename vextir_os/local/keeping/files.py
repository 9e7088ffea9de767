"""Files that are there as a whole or not at all: made under a name of their own, flushed, then put in their place."""

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from vextir_os.errors import StoreFullError, StoreUnavailableError, UsageError

_COMPANIONS = ("", "-journal", "-wal", "-shm")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def beside(place: Path) -> Iterator[Path]:
    """Make an empty file of mode 0600 beside a place, for what comes there; it is removed unless it was put there.

    Raises:
        StoreFullError: The disk is full; nothing is left of it.
        StoreUnavailableError: The folder cannot be written to.
    """
    path = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        yield path
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFullError(
                f"the disk of {place} is full; nothing was written", hint="Free space, or name a file elsewhere"
            ) from error
        raise StoreUnavailableError(
            f"{place} cannot be written: {error.strerror or error}", hint="Name a file in a folder that you may write"
        ) from error
    finally:
        for companion in _COMPANIONS:
            with contextlib.suppress(OSError):
                path.with_name(path.name + companion).unlink()


def remove_leftovers(place: Path) -> None:
    """Remove what `beside` made there for processes that were killed. Nobody else may be making something."""
    name = re.compile(rf"\.{re.escape(place.name)}\.[0-9a-f]{{16}}({'|'.join(_COMPANIONS)})")
    for path in place.parent.iterdir():
        if name.fullmatch(path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def put_in_place(path: Path, place: Path, *, overwrite: bool) -> None:
    """Flush a file and give it its name; whoever looks finds all of it or nothing.

    Raises:
        UsageError: There is one already, and it is not to be overwritten.
        OSError: It cannot be done.
    """
    flush(path)
    if overwrite:
        path.replace(place)
    else:
        _link(path, place)
    flush(place.parent)


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def exists_already(place: Path) -> UsageError:
    """Return the error for a place that is taken."""
    return UsageError(f"{place} exists already", hint="Name another file, or overwrite it with --overwrite")


def _link(path: Path, place: Path) -> None:
    try:
        os.link(path, place)
    except FileExistsError:
        raise exists_already(place) from None
    except OSError as error:
        # A file system without second names: between look and name somebody else's file may be lost.
        if error.errno in _FULL:
            raise
        if os.path.lexists(place):
            raise exists_already(place) from None
        path.rename(place)
