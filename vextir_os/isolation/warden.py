"""The warden: one small process beside each driver's process, that starts it, measures it and ends all that it left.

It and what it imports is standard library alone, and `spawn` starts it so that nothing else of ours is imported: small,
and quick to start. The control socket is its life: at its end, however the OS ended, the warden ends
everything below it. On Linux it is the reaper of its descendants (`PR_SET_CHILD_SUBREAPER`), so whoever forks twice or
opens a session of its own is still below it; `waitpid` that finds nobody left is the proof that all are gone.

The OS sends lines: `watch`, `rest`, `closed`, `end`. It answers with lines of JSON: `{"child": pid}`,
and last `{"ended": status, "alive": true, "limit": "memory", "value": 71000000, "left": 2}`, where
`alive` says that the driver's process had not ended by itself.
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
import time
from typing import Any, Final

from vextir_os.isolation.landlock import restrict
from vextir_os.isolation.tree import cpu_s, descendants, end_all, memory_bytes

TICK_S: Final = 0.05
"""Pause between two measurements of a turn that takes longer."""

ROOM_BYTES: Final = 128_000_000
"""What a process may map beyond its memory limit: stacks of threads count whether or not they are used."""

_LINUX: Final = sys.platform == "linux"
_SUBREAPER, _PDEATHSIG = 36, 1


class Warden:
    """One driver's process from its start to its end.

    Args:
        control: Socket to the OS.
        channel: Descriptor that the driver's process inherits.
        given: `{"argv", "env", "cwd", "nice", "reach": {…}, "limits": {"memory", "cpu", "processes", "files",
            "open_files", "tasks"}}`.
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
            self._say(ended=self._status, alive=alive, limit=limit, value=value, left=left)
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
            elif line == b"closed":
                self._let_end()
                return False
            else:
                return False
        return bool(data)

    def _let_end(self) -> None:
        """Wait a moment for a process that closed its channel: most likely it is ending, and the reason is its own."""
        for _ in range(20):
            self._reap()
            if self._status is not None:
                return
            time.sleep(TICK_S / 10)

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
        restrict(given["reach"])
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
    # INVARIANT: the driver's process has the channel alone; on this socket its word would be the warden's.
    os.set_inheritable(control_fd, False)
    with socket.socket(fileno=control_fd) as control:
        line = b""
        while not line.endswith(b"\n"):
            data = control.recv(65_536)
            if not data:
                return
            line += data
        Warden(control, channel_fd, json.loads(line)).run()
