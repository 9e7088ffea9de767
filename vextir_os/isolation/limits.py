"""Limits in words: what a process was ended for, as an error that names the limit and its value. Pure."""

import errno
import signal
from typing import Any

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import DriverCrashError, DriverLimitError, VextirError
from vextir_os.isolation.spawn import FILE_BYTES, OPEN_FILES, TASKS

_NO_THREAD = "can't start new thread"
_SAID_CHARS = 2_000


def over(manifest: Manifest, limit: str, value: float | None = None) -> DriverLimitError:
    """Return the error of a limit that was hit.

    Args:
        manifest: The driver's.
        limit: `memory`, `cpu`, `processes`, `files`, `open_files` or `tasks`.
        value: What was found, in bytes, seconds or pieces; None where only the refusal was seen.
    """
    driver = manifest.id
    if limit == "memory":
        used = "" if value is None else f", it held {megabytes(value)}"
        what = f"driver {driver} used more memory than its limit of {megabytes(manifest.memory_bytes or 0)}{used}"
        hint = "Raise its `memory`, or take less at a time"
    elif limit == "cpu":
        what = f"driver {driver} used more CPU time than its limit of {manifest.cpu_s:g} s in one turn"
        hint = "Raise its `cpu`, or split its work"
    elif limit == "processes":
        found = "" if value is None else f", there were {value:g}"
        what = f"driver {driver} started more processes than its limit of {manifest.processes}{found}"
        hint = "Raise its `processes`, or start none"
    elif limit == "files":
        what = f"driver {driver} wrote a file over the limit of {megabytes(FILE_BYTES)}"
        hint = "Keep large data elsewhere"
    elif limit == "tasks":
        what = f"driver {driver} started more threads and processes than the limit of {TASKS}"
        hint = "Start fewer"
    else:
        what = f"driver {driver} holds more open files than the limit of {OPEN_FILES}"
        hint = "Close what it opens"
    return DriverLimitError(what, limit=limit, hint=hint)


def limit_in(error: BaseException) -> str | None:
    """Return the limit that an exception of a driver tells of; None for none."""
    if isinstance(error, MemoryError):
        return "memory"
    if type(error) is RuntimeError and error.args == (_NO_THREAD,):
        return "tasks"
    if isinstance(error, OSError) and not isinstance(error, VextirError):
        return {errno.EFBIG: "files", errno.EMFILE: "open_files"}.get(error.errno or 0)
    return None


def ended(manifest: Manifest, report: dict[str, Any], said: str) -> DriverLimitError | DriverCrashError:
    """Return why a process is gone in the middle of a turn.

    Args:
        manifest: The driver's.
        report: The warden's last words; empty when it is gone itself.
        said: What the process wrote last.
    """
    error: DriverLimitError | DriverCrashError
    if report.get("limit"):
        error = over(manifest, report["limit"], report.get("value"))
    else:
        hint = "See what it wrote last, below its traceback" if said else ""
        error = DriverCrashError(f"the process of driver {manifest.id} {_how(report.get('ended'))}", hint=hint)
    if said:
        error.add_note(f"It wrote last:\n{said[-_SAID_CHARS:]}")
    return error


def megabytes(size_bytes: float) -> str:
    """Return a size as manifests write it: `64MB`."""
    return f"{size_bytes / 1_000_000:.0f}MB"


def _how(status: int | None) -> str:
    if status is None:
        return "was ended, and its warden with it"
    number = status & 0x7F
    if not number:
        return f"ended itself with status {status >> 8}"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"was killed by {name}"
