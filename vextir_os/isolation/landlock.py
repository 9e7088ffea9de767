"""Landlock (Linux 5.13 and later): the kernel itself refuses files, TCP and signals beyond a process's reach.

What it refuses it refuses to native code and to whatever the process starts, and to root. Where the kernel has none of
it, nothing happens here and the audit hook stands alone. Standard library alone.

Source: docs.kernel.org/userspace-api/landlock.html.
"""

import os
import struct
import sys
from typing import Any, Final

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_NO_NEW_PRIVS: Final = 38
_EXECUTE, _WRITE, _READ, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE = 1 << 14
_OF_FILES = _EXECUTE | _WRITE | _READ | _TRUNCATE | 1 << 15
_BITS: Final = ((1, 13), (2, 14), (3, 15), (5, 16))
"""From this version on the rights of files are so many bits."""

_TCP: Final = 0b11
_SIGNALS_AND_ABSTRACT_SOCKETS: Final = 0b11


def version() -> int:
    """Return the version of Landlock that this kernel has; 0 for none."""
    libc = _libc()
    return max(0, libc.syscall(_CREATE, None, 0, 1)) if libc is not None else 0


def restrict(reach: dict[str, Any]) -> bool:
    """Leave this process and all that it starts these paths alone, for ever; whether the kernel does so.

    Args:
        reach: `{"reads": […], "lists": […], "writes": […], "runs": […]}`, absolute paths with all below them.
    """
    libc, has = _libc(), version()
    if libc is None or not has:
        return False
    handled = (1 << max(bits for since, bits in _BITS if has >= since)) - 1
    rules = struct.pack("QQQ", handled, _TCP, _SIGNALS_AND_ABSTRACT_SOCKETS)
    size = 8 if has < 4 else 16 if has < 6 else 24
    ruleset = libc.syscall(_CREATE, rules, size, 0)
    if ruleset < 0:
        return False
    try:
        for path in reach["reads"]:
            _allow(libc, ruleset, path, _READ | _READ_DIR, handled)
        for path in reach["lists"]:
            _allow(libc, ruleset, path, _READ_DIR, handled)
        for path in reach["runs"]:
            _allow(libc, ruleset, path, _READ | _READ_DIR | _EXECUTE, handled)
        for path in reach["writes"]:
            # Everything but running what was written there.
            _allow(libc, ruleset, path, handled & ~_EXECUTE, handled)
        libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
        return bool(libc.syscall(_RESTRICT, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: Any, ruleset: int, path: str, rights: int, handled: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - pathlib is slow to import
            rights &= _OF_FILES
        libc.syscall(_ADD_RULE, ruleset, 1, struct.pack("=Qi", rights & handled, place), 0)
    finally:
        os.close(place)


def _libc() -> Any:
    if sys.platform != "linux":
        return None
    import ctypes

    return ctypes.CDLL(None, use_errno=True)
