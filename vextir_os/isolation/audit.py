"""The audit hook (PEP 578) of a driver's process: refuses what Python code reaches for outside of its limits.

It sees what goes through Python. Native code, and programs that a driver may start, it does not see: there the kernel
stands behind it, where it has Landlock. Limits, not a sandbox. No way back: a hook is never removed.
"""

import os
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from vextir_os.errors import DriverRefusedError, DriverRefusedImportError
from vextir_os.isolation.reach import Reach

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NATIVE = frozenset({"ctypes", "_ctypes", "cffi", "_cffi_backend"})
_HINT = 'Run it isolation="thread" or "inline" if it needs that'
_FROM_WITHIN = "reach into the interpreter"

Rule = Callable[[tuple[Any, ...]], None]


def install(driver: str, reach: Reach, processes: int) -> None:
    """Install the hook in this process, for ever.

    Args:
        driver: Id of the driver, for messages.
        reach: What it may touch.
        processes: How many further processes it may have; with 0 it starts none.
    """
    judge = rules(driver, reach, processes).get

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        rule = judge(event)
        if rule is not None:
            rule(arguments)

    sys.addaudithook(hook)


def rules(driver: str, reach: Reach, processes: int) -> Mapping[str, Rule]:
    """Return what is asked of each audit event; others pass. Raises as `install` lets them: `DriverRefusedError`."""
    paths = _Paths(driver, reach)

    def never(what: str) -> Rule:
        return lambda _arguments: refuse(driver, what)

    def nothing(_arguments: tuple[Any, ...]) -> None:
        """Let it pass: the warden counts them."""

    start = nothing if processes else never("start a process")
    network = never("use the network")
    return {
        "open": paths.opened,
        "os.listdir": paths.listed, "os.scandir": paths.listed, "os.chdir": paths.listed,
        **dict.fromkeys(("os.truncate", "os.chmod", "os.chown", "os.chflags",
                         "os.lchflags", "os.lchmod", "os.utime", "os.setxattr", "os.removexattr"), paths.changed),
        **dict.fromkeys(("os.remove", "os.rmdir", "os.mkdir"), paths.removed),
        "os.rename": paths.moved, "os.link": paths.doubled,
        "os.symlink": paths.linked,
        "sqlite3.connect": paths.connected,
        **dict.fromkeys(("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system",
                         "subprocess.Popen", "pty.spawn"), start),
        "os.kill": lambda arguments: _own_process(driver, arguments[0]),
        "os.killpg": never("send signals to a group of processes"),
        "socket.__new__": lambda arguments: None if arguments[1] == socket.AF_UNIX else network(arguments),
        "socket.sendmsg": lambda arguments: None if arguments[1] is None else network(arguments),
        **dict.fromkeys(("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname",
                         "socket.gethostbyaddr", "socket.getnameinfo", "socket.sethostname", "syslog.openlog",
                         "syslog.syslog"), network),
        **dict.fromkeys(("resource.setrlimit", "resource.prlimit"), never("change its limits")),
        **dict.fromkeys(("gc.get_objects", "gc.get_referrers", "gc.get_referents",
                         "cpython.PyInterpreterState_New"), never(_FROM_WITHIN)),
        **dict.fromkeys(("sqlite3.enable_load_extension", "sqlite3.load_extension", "ctypes.dlopen", "ctypes.dlsym"),
                        never("load native code")),
        "import": paths.imported,
    }  # fmt: skip


def refuse(driver: str, what: str) -> NoReturn:
    """Refuse something. Raises `DriverRefusedError`."""
    raise DriverRefusedError(f'driver {driver} may not {what} under isolation "process"', hint=_HINT)


def _own_process(driver: str, pid: Any) -> None:
    if pid == os.getpid():
        return
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except (OSError, TypeError, OverflowError):
        refuse(driver, "send a signal to another process")


class _Paths:
    """Judges paths by where they really lead."""

    def __init__(self, driver: str, reach: Reach) -> None:
        self._driver = driver
        self._reads = _prefixes((*reach.reads, *reach.runs, *reach.writes))
        self._lists = _prefixes((*reach.reads, *reach.lists, *reach.runs, *reach.writes))
        self._writes = _prefixes(reach.writes)

    def opened(self, arguments: tuple[Any, ...]) -> None:
        path, _, flags = arguments
        if isinstance(path, int):
            return
        where = _real(path)
        if isinstance(flags, int) and flags & _WRITES:
            self._within(where, self._writes, "write")
        else:
            self._within(where, self._reads, "read")
            # A descriptor of a folder would let relative paths begin there, unseen.
            if not where.startswith(self._writes) and os.path.isdir(where):  # noqa: PTH112 - texts throughout
                refuse(self._driver, f"open the folder {where}")

    def listed(self, arguments: tuple[Any, ...]) -> None:
        path = arguments[0]
        if not isinstance(path, int):
            self._within(_real("." if path is None else path), self._lists, "list")

    def changed(self, arguments: tuple[Any, ...]) -> None:
        if not isinstance(arguments[0], int):
            self._within(_real(arguments[0]), self._writes, "change")

    def moved(self, arguments: tuple[Any, ...]) -> None:
        for path in arguments[:2]:
            self._within(_entry(path), self._writes, "move")

    def doubled(self, arguments: tuple[Any, ...]) -> None:
        self._within(_real(arguments[0]), self._writes, "link to")
        self._within(_entry(arguments[1]), self._writes, "write")

    def linked(self, arguments: tuple[Any, ...]) -> None:
        self._within(_entry(arguments[1]), self._writes, "write")

    def removed(self, arguments: tuple[Any, ...]) -> None:
        self._within(_entry(arguments[0]), self._writes, "change")

    def connected(self, arguments: tuple[Any, ...]) -> None:
        path = arguments[0]
        if path not in (":memory:", ""):
            self._within(_real(path), self._writes, "open as a database")

    def imported(self, arguments: tuple[Any, ...]) -> None:
        name, file = arguments[0], arguments[1]
        if name in _NATIVE:
            what = f'driver {self._driver} may not import {name} under isolation "process"'
            raise DriverRefusedImportError(what, hint=_HINT)
        if file is not None:
            where = _real(file)
            self._within(where, self._reads, "load native code from")
            if where.startswith(self._writes):
                refuse(self._driver, f"load native code from {where}")

    def _within(self, where: str, allowed: tuple[str, ...], what: str) -> None:
        if not f"{where}/".startswith(allowed):
            refuse(self._driver, f"{what} {where[:200]}")


def _prefixes(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{path.rstrip('/')}/" for path in paths)


def _real(path: Any) -> str:
    return os.path.realpath(os.fsdecode(os.fspath(path)))


def _entry(path: Any) -> str:
    """Return the place of a name itself, not of what a link of that name leads to."""
    text = os.fsdecode(os.fspath(path))
    folder, name = os.path.split(text.rstrip("/"))
    if name in ("", ".", ".."):
        return os.path.realpath(text)
    return os.path.join(os.path.realpath(folder or "."), name)  # noqa: PTH118 - texts throughout
