"""A project for the doctor to look at, and what its checks find there."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vextir_os.cli.doctor.finding import Finding, Patient
from vextir_os.settings.sources import find_settings

ALLOW = "policies:\n  - {id: all, effect: allow, match: {action: ['publish:**']}}\n"


def a_patient(root: Path, *, mounts: str = "", **environ: str) -> Patient:
    """Return a project with one policy, and a table of mounts of its own."""
    for folder in ("drivers", "policies"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    policy = root / "policies" / "all.yaml"
    if not policy.exists():
        policy.write_text(ALLOW)
    table = root / "mounts"
    table.write_text(mounts)
    return Patient(root=root, found=find_settings(root, environ), environ=environ, mounts=table)


def said(findings: Iterator[Finding] | Sequence[Finding], level: str = "") -> list[str]:
    """Return `level: what` of the findings, or of those of one level what they say."""
    return [one.what if level else f"{one.level}: {one.what}" for one in findings if level in ("", one.level)]


Check = Callable[[Patient], Iterator[Finding]]
