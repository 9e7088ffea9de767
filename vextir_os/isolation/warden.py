"""The warden: one small process beside each driver's process, that starts it, measures it and ends all that it left.

Run by its path, `python -I -S warden.py <control> <channel>`: standard library alone, nothing of ours is imported, so
that it is small and quick to start. The control socket is its life: at its end, however the OS ended, the warden ends
everything below it. On Linux it is the reaper of its descendants (`PR_SET_CHILD_SUBREAPER`), so whoever forks twice or
opens a session of its own is still below it; `waitpid` that finds nobody left is the proof that all are gone.

The OS sends lines: `watch`, `rest`, `sweep`, `end`. It answers with lines of JSON: `{"child": pid}`, `{"swept": 3}`,
and last `{"ended": status, "limit": "memory", "value": 71000000, "left": 2}`.
"""

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
from typing import Any, Final

TICK_S: Final = 0.05
"""Pause between two measurements of a turn that takes longer."""

ROOM_BYTES: Final = 128_000_000
"""What a process may map beyond its memory limit: stacks of threads count whether or not they are used."""

_LINUX: Final = sys.platform == "linux"
_SUBREAPER, _PDEATHSIG = 36, 1
_PAGE = resource.getpagesize()
_CLOCK = os.sysconf("SC_CLK_TCK")


class Warden:
    """One driver's process from its start to its end.

    Args:
        control: Socket to the OS.
        channel: Descriptor that the driver's process inherits.
        given: `{"argv", "env", "cwd", "limits": {"memory", "cpu", "processes", "files", "open_files", "tasks"}}`.
    """

    def __init__(self, control: socket.socket, channel: int, given: dict[str, Any]) -> None:
        self._control = control
        self._given = given
        self._limits: dict[str, Any] = given["limits"]
        self._child = _begin(channel, given)
        self._status: int | None = None
        self._began_s: float | None = None
        self._over: tuple[str, float] | None = None
        self._held = b""

    def run(self) -> None:
        """Serve the OS until the driver's process ends or the OS says so; then leave nothing behind."""
        for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        self._say(child=self._child)
        try:
            self._serve()
        finally:
            alive = self._status is None
            left = end_all(os.getpid(), self._reaped) - alive
            limit, value = self._over or (None, None)
            self._say(ended=self._status, limit=limit, value=value, left=left)
            shutil.rmtree(self._given["cwd"], ignore_errors=True)

    def _serve(self) -> None:
        deaths, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(deaths, False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        waiting = select.poll()
        waiting.register(self._control, select.POLLIN)
        waiting.register(deaths, select.POLLIN)
        self._reap()
        while self._status is None and self._over is None:
            ready = waiting.poll(None if self._began_s is None else TICK_S * 1_000)
            with contextlib.suppress(BlockingIOError):
                os.read(deaths, 4_096)
            self._reap()
            if any(one == self._control.fileno() for one, _ in ready) and not self._obey():
                return
            if self._began_s is not None:
                self._measure(self._began_s)

    def _obey(self) -> bool:
        """Do what the OS says; False when it is over."""
        data = self._control.recv(4_096)
        *lines, self._held = (self._held + data).split(b"\n")
        for line in lines:
            if line == b"watch":
                self._began_s = cpu_s(descendants(os.getpid()))
            elif line == b"rest":
                self._began_s = None
            elif line == b"sweep":
                self._say(swept=end_all(os.getpid(), self._reaped, spare=self._child))
            else:
                return False
        return bool(data)

    def _measure(self, began_s: float) -> None:
        below = descendants(os.getpid())
        further = len(below) - 1
        used_s = cpu_s(below) - began_s
        if further > self._limits["processes"]:
            self._over = ("processes", further)
        elif self._limits["cpu"] is not None and used_s > self._limits["cpu"]:
            self._over = ("cpu", used_s)
        elif self._limits["memory"] is not None:
            used = memory_bytes(below, self._limits["memory"])
            self._over = ("memory", used) if used > self._limits["memory"] else None

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                self._reaped(*found)

    def _reaped(self, pid: int, status: int) -> None:
        if pid == self._child:
            self._status = status

    def _say(self, **what: Any) -> None:
        # Who is not there any more need not hear it.
        with contextlib.suppress(OSError):
            self._control.sendall(json.dumps(what).encode() + b"\n")


def end_all(top: int, reaped: Any, spare: int | None = None) -> int:
    """End everything below a process of which this one is the reaper, and return how many there were.

    They are stopped first, until none is new, so that none can fork while the others are ended.

    Args:
        top: This process.
        reaped: Told pid and status of each that is reaped.
        spare: The one below it that is left alone, with nothing below it.
    """
    stopped: set[int] = set()
    for _ in range(100):
        new = set(descendants(top)) - stopped - {spare}
        if not new:
            break
        for pid in new:
            _signal(pid, signal.SIGSTOP)
        stopped |= new
    for pid in stopped:
        _signal(pid, signal.SIGKILL)
    while spare is None or set(descendants(top)) - {spare}:
        try:
            pid, status = os.waitpid(-1, 0 if spare is None else os.WNOHANG)
        except ChildProcessError:
            break
        if pid:
            reaped(pid, status)
        for late in set(descendants(top)) - {spare}:
            _signal(late, signal.SIGKILL)
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


def _begin(channel: int, given: dict[str, Any]) -> int:
    """Start the driver's process and return its pid."""
    libc = _libc()
    if libc is not None:
        libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    warden = os.getpid()
    child = os.fork()
    if child:
        os.close(channel)
        return child
    try:
        os.setsid()
        os.umask(0o077)
        os.nice(given["nice"])
        _limit(given["limits"])
        os.set_inheritable(channel, True)
        if libc is not None:
            libc.prctl(_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == warden:
            os.execve(given["argv"][0], given["argv"], given["env"])  # noqa: S606 - what the OS has named
    finally:
        os._exit(127)


def _libc() -> Any:
    if not _LINUX:
        return None
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


def _limit(limits: dict[str, Any]) -> None:
    """Set what the kernel itself limits; of memory it is a second line, with room for what a process maps."""
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, limits["files"])
    _set(resource.RLIMIT_NOFILE, limits["open_files"])
    if limits["memory"] is not None:
        _set(resource.RLIMIT_DATA, limits["memory"] + ROOM_BYTES)
    if limits["tasks"] is not None:
        _set(resource.RLIMIT_NPROC, limits["tasks"])


def _set(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(which, (most, most))


def main(control_fd: int, channel_fd: int) -> None:
    """Read what is to be started, one line of JSON, and run it."""
    with socket.socket(fileno=control_fd) as control:
        line = b""
        while not line.endswith(b"\n"):
            data = control.recv(65_536)
            if not data:
                return
            line += data
        Warden(control, channel_fd, json.loads(line)).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
