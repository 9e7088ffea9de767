"""What the OS stands on: Python and libraries, the clock, optional parts."""

import importlib.metadata
import os
import platform
import re
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import vextir_os
from vextir_os.cli.doctor.finding import Finding, Patient, read_clocks
from vextir_os.cli.text import duration, moment
from vextir_os.errors import StoreError

DISTRIBUTION = "vextir-os"

_RELEASED = 1_780_272_000.0
"""June 2026, in epoch seconds: no clock that is right says less."""

_JUMP_S = 1.0
_AHEAD_S = 2.0
_FILES = 1_024
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?>=([0-9][0-9.]*)(?:\s*;\s*(.*))?")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)|^\./\S*/([A-Za-z0-9_]+)-([^-/]+)-\S+\.whl", re.MULTILINE)
_EXTRA = re.compile(r"extra == '([^']+)'")
_SHOWN = 5


def versions(patient: Patient) -> Iterator[Finding]:
    """Look at Python, SQLite and libraries: what is required, and what the project pins."""
    running = f"Python {platform.python_version()}, Vextir OS {vextir_os.__version__}, SQLite {sqlite3.sqlite_version}"
    yield Finding(check="versions", level="ok", what=f"{running}, {platform.system()} {platform.machine()}")
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        yield Finding(
            check="versions",
            level="problem",
            what=f"Python {platform.python_version()} is not supported",
            means="Vextir OS is tested with Python 3.11, 3.12 and 3.13 alone",
            advice="Make the environment anew with one of them: python3.13 -m venv .venv",
        )
    lacking = [*missing(requirements())]
    if lacking:
        yield Finding(
            check="versions",
            level="problem",
            what=f"libraries are missing or too old: {', '.join(lacking)}",
            means="parts of the OS cannot be imported",
            advice=f"Run: python -m pip install --upgrade {DISTRIBUTION}",
        )
    yield from _pins(patient.root)
    from vextir_os.bootstrap import OLDEST_SQLITE

    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield Finding(
            check="versions",
            level="problem",
            what=f"this Python has SQLite {sqlite3.sqlite_version}, {'.'.join(map(str, OLDEST_SQLITE))} is needed",
            means="the database cannot be opened",
            advice="Use a newer build of Python, or a newer operating system",
        )


def requirements(extra: str = "") -> Mapping[str, str]:
    """Return the lowest version of each library that the OS needs here, or that one of its extras adds."""
    try:
        stated = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return {}
    found = {}
    for line in stated:
        match = _REQUIREMENT.fullmatch(line)
        if match is None:
            continue
        of = _EXTRA.search(match[3] or "")
        windows = "sys_platform != 'win32'" in (match[3] or "") and sys.platform == "win32"
        if (of[1] if of else "") == extra and not windows:
            found[match[1]] = match[2]
    return found


def missing(needed: Mapping[str, str]) -> Iterator[str]:
    """Yield what is not there in the version that is needed, as `rich 14.0 (15 is needed)`."""
    for name, least in needed.items():
        there = _installed(name)
        if there is None:
            yield f"{name} ({least} is needed)"
        elif _order(there) < _order(least):
            yield f"{name} {there} ({least} is needed)"


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _order(version: str) -> list[int]:
    leading = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    parts = [int(part) for part in leading[0].split(".")] if leading else []
    while parts and parts[-1] == 0:
        parts.pop()
    return parts


def _pins(root: Path) -> Iterator[Finding]:
    file, pinned = _pinned(root)
    others = []
    for name, versions_ in sorted(pinned.items()):
        there = _installed(name)
        if there is not None and there not in versions_:
            others.append(f"{name} {there} ({', '.join(sorted(versions_))})")
    if others:
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        yield Finding(
            check="versions",
            level="warning",
            what=f"installed are other versions than {file} names: {', '.join(others[:_SHOWN])}{more}",
            means="what was tested is not what runs",
            advice="Run: uv sync --frozen --inexact"
            if file == "uv.lock"
            else "Run: python -m pip install --require-hashes -r requirements.txt",
        )
    elif pinned:
        yield Finding(check="versions", level="ok", what=f"what is installed is what {file} names")


def _pinned(root: Path) -> tuple[str, Mapping[str, set[str]]]:
    """Return the file that pins libraries, and the versions that it allows of each."""
    found: dict[str, set[str]] = {}
    if (root / "uv.lock").is_file():
        import tomllib

        try:
            for package in tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))["package"]:
                found.setdefault(package["name"], set()).add(package["version"])
        except (ValueError, KeyError, TypeError):
            return "uv.lock", {}
        return "uv.lock", found
    if (root / "requirements.txt").is_file():
        text = (root / "requirements.txt").read_text(encoding="utf-8", errors="replace")
        for name, version, wheel, built in _PIN.findall(text):
            found.setdefault((name or wheel).replace("_", "-").lower(), set()).add(version or built)
    return "requirements.txt", found


def clock(patient: Patient) -> Iterator[Finding]:
    """Look whether the clock can be right, stands still between two looks, and agrees with the newest record."""
    now = read_clocks()
    if now.wall < _RELEASED:
        yield Finding(
            check="clock",
            level="problem",
            what=f"the clock says {moment(now.wall)}",
            means="leases, retries, schedules and retention go by it",
            advice="Set it: timedatectl set-ntp true (macOS: sntp -sS time.apple.com)",
        )
        return
    jump = (now.wall - patient.began.wall) - (now.monotonic - patient.began.monotonic)
    if abs(jump) > _JUMP_S:
        yield Finding(
            check="clock",
            level="warning",
            what=f"the clock was set by {jump:+.1f} s while the doctor looked",
            means="leases end too early or too late; what is due waits for the clock",
            advice="Let a time service keep it, which moves it slowly",
        )
    newest = _newest_record(patient)
    ahead = newest - now.wall if newest is not None else 0.0
    if ahead > _AHEAD_S:
        yield Finding(
            check="clock",
            level="problem",
            what=f"the newest record was made {duration(ahead)} later than it is now",
            means="the clock is behind, or was ahead; leases and retries wait for times that are far off",
            advice="Set the clock: timedatectl set-ntp true (macOS: sntp -sS time.apple.com)",
        )
        return
    yield Finding(check="clock", level="ok", what=f"it is {moment(now.wall)}{', after all records' if newest else ''}")


def _newest_record(patient: Patient) -> float | None:
    from vextir_os.bootstrap import look_at_data
    from vextir_os.runs.record import EVENTS

    try:
        with look_at_data(patient.database) as look:
            made = [record.get("created") for record in look.newest(EVENTS, 1)]
    except StoreError:
        # What is wrong with the database, its own check says.
        return None
    return max((time for time in made if isinstance(time, int | float)), default=None)


def extras(patient: Patient) -> Iterator[Finding]:
    """Look which optional parts are installed, and whether a setting needs one that is not."""
    try:
        names = importlib.metadata.metadata(DISTRIBUTION).get_all("Provides-Extra") or []
    except importlib.metadata.PackageNotFoundError:
        names = []
    there = [name for name in names if not [*missing(requirements(name))]]
    absent = [name for name in names if name not in there]
    if patient.found.values["otlp_endpoint"] and "otel" in absent:
        yield Finding(
            check="extras",
            level="problem",
            what="a collector of traces is set, and the libraries for it are not installed",
            means="the OS does not start",
            advice="Run: pip install 'vextir-os[otel]'",
        )
    parts = [f"installed: {', '.join(there)}" if there else "", f"not installed: {', '.join(absent)}" if absent else ""]
    yield Finding(check="extras", level="ok", what="; ".join(filter(None, parts)) or "there are none")


def limits(patient: Patient) -> Iterator[Finding]:
    """Look how many files and connections a process may have open."""
    if os.name != "posix":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < _FILES:
        yield Finding(
            check="limits",
            level="warning",
            what=f"a process may have {soft} files and connections open",
            means=f"with {patient.found.values['concurrency']} events at once, drivers that connect run out of them",
            advice=f"Run, before the OS is started: ulimit -n {_FILES if hard < 0 else min(_FILES, hard)}",
        )
        return
    yield Finding(check="limits", level="ok", what=f"a process may have {soft} files and connections open")
