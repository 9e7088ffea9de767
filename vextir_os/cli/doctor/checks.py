"""All checks in one list, and how they are run: each alone, so that one that fails or hangs keeps no other from it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vextir_os.cli.doctor import data, disk, files, machine, port, project
from vextir_os.cli.doctor.finding import Finding, Patient
from vextir_os.errors import VextirError
from vextir_os.telemetry.redact import clean_text

Check = Callable[[Patient], Iterator[Finding]]

CHECKS: Sequence[tuple[str, Check]] = (
    ("versions", machine.versions),
    ("extras", machine.extras),
    ("limits", machine.limits),
    ("settings", project.settings),
    ("project", files.project_files),
    ("index", project.index),
    ("isolation", project.isolation),
    ("policies", project.policies),
    ("data", files.data_files),
    ("keys", files.keys),
    ("file system", disk.file_system),
    ("disk", disk.disk),
    ("writes", disk.writes),
    ("database", data.database),
    ("clock", machine.clock),
    ("workers", data.workers),
    ("stuck", data.stuck),
    ("port", port.port),
)
"""What is looked at, in this order, and by which name its findings go."""

PATIENCE_S = 30.0
"""After this time a check is left alone: a disk that does not answer would hold the doctor for ever."""


def examine(
    patient: Patient, checks: Sequence[tuple[str, Check]] = CHECKS, patience_s: float = PATIENCE_S
) -> Iterator[Finding]:
    """Yield what all checks find. Never raises; no text holds a secret that its form gives away."""
    for name, check in checks:
        for finding in _alone(name, check, patient, patience_s):
            yield Finding(
                check=finding.check,
                level=finding.level,
                what=_clean(finding.what),
                means=_clean(finding.means),
                advice=_clean(finding.advice),
            )


def _alone(name: str, check: Check, patient: Patient, patience_s: float) -> Sequence[Finding]:
    found: list[Finding] = []

    def look() -> None:
        try:
            found.extend(check(patient))
        except Exception as error:  # noqa: BLE001 - whatever is broken is what the doctor was called for
            found.append(_failed(name, error))

    thread = threading.Thread(target=look, name=f"doctor-{name}", daemon=True)
    thread.start()
    thread.join(patience_s)
    if thread.is_alive():
        return [
            Finding(
                check=name,
                level="problem",
                what=f"no answer within {patience_s:g} s",
                means="the disk, or a file system of another machine, hangs",
                advice="Look at the kernel's log: dmesg",
            )
        ]
    return found


def _failed(name: str, error: Exception) -> Finding:
    if isinstance(error, VextirError):
        return Finding(check=name, level="problem", what=str(error), means="it cannot be used", advice=error.hint)
    if isinstance(error, PermissionError):
        return Finding(
            check=name,
            level="problem",
            what=f"this user may not look: {error.strerror}: {error.filename}",
            means="nothing can be said about it",
            advice="Run the doctor, and the OS, as the user who owns the project",
        )
    if isinstance(error, OSError):
        return Finding(
            check=name,
            level="problem",
            what=f"the system refuses: {error}",
            means="nothing can be said about it",
            advice="Look at the disk and the file that is named",
        )
    if isinstance(error, ImportError):
        return Finding(
            check=name,
            level="problem",
            what=f"a part of the OS cannot be imported: {error}",
            means="the installation is broken",
            advice="Make the environment anew",
        )
    return Finding(
        check=name,
        level="problem",
        what=f"the check failed: {type(error).__name__}: {error}",
        means="this is a bug in Vextir OS, or something that it does not know",
        advice="Please report it with this line",
    )


def _clean(text: str) -> str:
    home = str(Path.home())
    return clean_text(text.replace(f"{home}/", "~/") if len(home) > 1 else text)
