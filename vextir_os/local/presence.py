"""Which workers of a data directory live: each holds a lock of the operating system on a file of its own.

The kernel releases the lock when the process ends, however it ends: a signal, the out-of-memory killer, a crash in C.
A process that is frozen still holds it. So whoever gets another's lock knows that its process is gone; nothing is
inferred from silence, from process ids, which are used again, or from clocks. What is done about it, `deaths` says.
"""

import contextlib
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = "workers"
"""Below the data directory: one file `<worker>.lock` for each process that runs events."""

_NAME = re.compile(r"[0-9a-f]{16}\.lock")
_FLAGS = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Presence:
    """This worker's own lock: as long as it is held, nobody takes the worker for gone.

    Args:
        data_dir: The data directory, on a local disk.
        worker: Names this worker, 16 hex digits, never used again.
    """

    def __init__(self, data_dir: Path, worker: str) -> None:
        self._path = data_dir / FOLDER / f"{worker}.lock"
        self._held: int | None = None

    def take(self) -> None:
        """Make the file and lock it. Raises `OSError` where the file system cannot."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            descriptor = os.open(self._path, _FLAGS | os.O_CREAT, 0o600)
            try:
                _lock(descriptor, wait=True)
                if _is_at(descriptor, self._path):
                    break
            except OSError:
                os.close(descriptor)
                raise
            # Between its making and its lock somebody took it for a dead one's, and removed it.
            os.close(descriptor)
        self._held = descriptor
        if hasattr(os, "register_at_fork"):
            # A forked child shares the lock, and may outlive us: ours must end with us.
            os.register_at_fork(after_in_child=self._forget)

    def leave(self, *, clean: bool) -> None:
        """Give the lock back. `clean`: nothing is held any more, the file goes; else others find it, as a dead one's.

        Not held, there is nothing to do.
        """
        if self._held is None:
            return
        if clean:
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._forget()

    def _forget(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            os.close(held)


class Remains:
    """The lock of a worker whose process is gone, held by us while its work is given to others."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.worker = path.stem
        self._path = path
        self._descriptor = descriptor

    def remove(self) -> None:
        """Remove the file: all that the worker held is given up."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        self.leave()

    def leave(self) -> None:
        """Let somebody try again."""
        os.close(self._descriptor)


def remains(data_dir: Path, *, but: str) -> Iterator[Remains]:
    """Yield what workers left whose processes are gone; each is locked by us, and must be removed or left.

    Args:
        data_dir: The data directory.
        but: The worker that asks: its own lock would be given to it.
    """
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if _NAME.fullmatch(path.name) and path.stem != but:
            descriptor = _taken(path)
            if descriptor is not None:
                yield Remains(path, descriptor)


def lives(data_dir: Path) -> list[str]:
    """Return the workers of a data directory whose processes live, or may live."""
    found = census(data_dir)
    return sorted((*found.alive, *found.unknown))


def leave_behind(data_dir: Path, workers: Iterable[str]) -> None:
    """Make the files of workers whose processes are gone: what they hold, in data from elsewhere, is given up."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for worker in workers:
        os.close(os.open(folder / f"{worker}.lock", _FLAGS | os.O_CREAT, 0o600))


class Census(NamedTuple):
    """The workers of a data directory: whose process lives, whose is gone, and of which we may not know.

    Attributes:
        alive, gone, unknown: Names of workers.
    """

    alive: tuple[str, ...]
    gone: tuple[str, ...]
    unknown: tuple[str, ...]


def census(data_dir: Path) -> Census:
    """Say which workers live, and change nothing: a lock that is free is asked for together with whoever else asks."""
    found: dict[str, list[str]] = {"alive": [], "gone": [], "unknown": []}
    folder = data_dir / FOLDER
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if _NAME.fullmatch(path.name):
            found[_state(path)].append(path.stem)
    return Census(*(tuple(names) for names in found.values()))


def _state(path: Path) -> str:
    try:
        descriptor = os.open(path, _FLAGS & ~os.O_RDWR | os.O_RDONLY)
    except FileNotFoundError:
        return "gone"
    except OSError:
        return "unknown"
    try:
        _share(descriptor)
    except OSError:
        return "alive"
    finally:
        os.close(descriptor)
    return "gone"


def _taken(path: Path) -> int | None:
    """Return a descriptor that holds the lock of another's file; None when its process lives, or it is no such file."""
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        return None
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            _lock(descriptor, wait=False)
            if _is_at(descriptor, path):
                return descriptor
    except OSError:
        # Held: its process lives.
        pass
    os.close(descriptor)
    return None


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, wait: bool) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)

    def _share(descriptor: int) -> None:
        _lock(descriptor, wait=False)

else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _share(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
