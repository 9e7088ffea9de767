"""Whose the files are, and who else may read or change them: project, data directory, keys."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from vextir_os.cli.doctor.finding import DATABASE, Finding, Patient, who
from vextir_os.errors import SettingsError
from vextir_os.keys import KEY_FILES, read_key
from vextir_os.settings.projectfile import NAME

_CODE = ("drivers", "policies", "agents", "plans", "ui_apps", NAME)
_OTHERS_WRITE = stat.S_IWOTH
_OTHERS_ANY = 0o077


def project_files(patient: Patient) -> Iterator[Finding]:
    """Look whether others can change what the OS runs and obeys."""
    if os.name != "posix":
        return
    found = False
    for path in [patient.root, *(patient.root / name for name in _CODE)]:
        if not path.exists():
            continue
        state = path.stat()
        if state.st_mode & _OTHERS_WRITE and not state.st_mode & stat.S_ISVTX:
            found = True
            yield Finding(
                check="project",
                level="problem",
                what=f"everybody on this machine may write to {path}",
                means="what is put there is run, or decides what is allowed",
                advice=f"Run: chmod o-w {path}",
            )
        elif state.st_uid not in (0, who()) and who() != 0:
            found = True
            yield Finding(
                check="project",
                level="warning",
                what=f"{path} belongs to user {state.st_uid}, this is user {who()}",
                means="its owner decides what is run here",
                advice="Use a project of your own, if that is not wanted",
            )
    if not found:
        yield Finding(check="project", level="ok", what=f"{patient.root}: others cannot change it")


def data_files(patient: Patient) -> Iterator[Finding]:
    """Look who may read the data."""
    folder = patient.data_dir
    if not folder.exists():
        yield Finding(check="data", level="ok", what=f"{folder} is not there yet; the first start makes it")
        return
    if not folder.is_dir():
        yield Finding(
            check="data",
            level="problem",
            what=f"{folder} is no folder",
            means="the OS cannot start",
            advice="Move it away, or name another place: VEXTIR_DATA_DIR",
        )
        return
    problems = [*_owner(folder), *_readable(folder)] if os.name == "posix" else []
    yield from problems
    if not problems:
        yield Finding(check="data", level="ok", what=f"{folder}: for its owner only")


def keys(patient: Patient) -> Iterator[Finding]:
    """Look whether the keys can be used; what they are, nobody is told."""
    for name in KEY_FILES:
        path = patient.data_dir / name
        if not path.exists() and not path.is_symlink():
            yield Finding(check="keys", level="ok", what=f"{name} is not there yet; the first start makes it")
            continue
        try:
            read_key(path)
        except SettingsError as error:
            yield Finding(
                check="keys",
                level="problem",
                what=f"{path}: {error.what}",
                means="the OS does not start",
                advice=error.hint or "Run the doctor, and the OS, as the user who owns it",
            )
        else:
            yield Finding(check="keys", level="ok", what=f"{name} can be used, and by its owner only")


def _owner(folder: Path) -> Iterator[Finding]:
    owner = folder.stat().st_uid
    if owner != who():
        yield Finding(
            check="data",
            level="warning",
            what=f"{folder} belongs to user {owner}, this is user {who()}",
            means="files that this user makes there, the owner cannot use",
            advice=f"Run vextir as that user: sudo -u '#{owner}' vextir ...",
        )
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(
            check="data",
            level="problem",
            what=f"{folder} cannot be written to",
            means="the OS does not start",
            advice=f"Run: chmod u+rwx {folder}",
        )


def _readable(folder: Path) -> Iterator[Finding]:
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & _OTHERS_ANY:
        return
    if mode & 0o022:
        yield Finding(
            check="data",
            level="problem",
            what=f"others may put files into {folder}, its mode is {mode:04o}",
            means="they can replace keys and database",
            advice=f"Run: chmod 700 {folder}",
        )
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"):
        path = folder / name
        if path.exists() and path.stat().st_mode & _OTHERS_ANY:
            yield Finding(
                check="data",
                level="problem",
                what=f"others may read {path}, its mode is {stat.S_IMODE(path.stat().st_mode):04o}",
                means="it holds every event and every output",
                advice=f"Run: chmod 600 {path} && chmod 700 {folder}",
            )
