"""The processes below one: which there are, what they use, and the end of them all. Standard library alone.

On Linux read from /proc; elsewhere from psutil.
"""

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from typing import Final

_ROUNDS: Final = 100
_LINUX: Final = sys.platform == "linux"
_PAGE = resource.getpagesize()
_CLOCK = os.sysconf("SC_CLK_TCK")


def end_all(top: int, reaped: Callable[[int, int], None]) -> int:
    """End everything below a process of which this one is the reaper, and return how many there were.

    They are stopped first, until none is new, so that none can fork while the others are ended.

    Args:
        top: This process.
        reaped: Told pid and status of each that is reaped.
    """
    stopped: set[int] = set()
    for _ in range(_ROUNDS):
        new = set(descendants(top)) - stopped
        if not new:
            break
        for pid in new:
            _signal(pid, signal.SIGSTOP)
        stopped |= new
    for pid in stopped:
        _signal(pid, signal.SIGKILL)
    # Whoever loses its parent becomes ours: when there is nobody to wait for, nobody is left.
    with contextlib.suppress(ChildProcessError):
        while True:
            reaped(*os.waitpid(-1, 0))
            for pid in descendants(top):
                _signal(pid, signal.SIGKILL)
    return len(stopped)


def descendants(top: int) -> list[int]:
    """Return the processes below one, the nearest first."""
    if not _LINUX:
        import psutil

        return [process.pid for process in psutil.Process(top).children(recursive=True)]
    found: list[int] = []
    waiting = [top]
    while waiting:
        below = children(waiting.pop())
        found += below
        waiting += below
    return found


def children(pid: int) -> list[int]:
    """Return the children of all threads of a process (Linux); none when it is gone."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.scandir(f"/proc/{pid}/task"):
            found += map(int, _read(f"{task.path}/children").split())
    return found


def cpu_s(pids: list[int]) -> float:
    """Return the CPU time that processes, and those that they and we have reaped, have used, in seconds."""
    own = os.times()
    total = own.children_user + own.children_system
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            if _LINUX:
                total += sum(map(int, _read(f"/proc/{pid}/stat").rpartition(")")[2].split()[11:15])) / _CLOCK
            else:
                import psutil

                with contextlib.suppress(psutil.Error):
                    total += sum(psutil.Process(pid).cpu_times()[:4])
    return total


def memory_bytes(pids: list[int], limit: int) -> int:
    """Return the memory that processes hold. What they share is counted once, where the plain sum is over the limit."""
    if not _LINUX:
        import psutil

        total = 0
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                total += psutil.Process(pid).memory_info().rss
        return total
    total = sum(_held(pid, f"/proc/{pid}/statm", 1) * _PAGE for pid in pids)
    if total <= limit or len(pids) == 1:
        return total
    return sum(_proportional(pid) for pid in pids)


def _proportional(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(_read(f"/proc/{pid}/smaps_rollup").partition("Pss:")[2].split()[0]) * 1_024
    return _held(pid, f"/proc/{pid}/statm", 1) * _PAGE


def _held(_pid: int, path: str, place: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(_read(path).split()[place])
    return 0


def _read(path: str) -> str:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = b""
        while more := os.read(file, 65_536):
            data += more
    finally:
        os.close(file)
    return data.decode("utf-8", "replace")


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)
