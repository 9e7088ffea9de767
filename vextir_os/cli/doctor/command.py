"""The command `vextir doctor`: which project it looks at, and how its findings are shown."""

import itertools
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from vextir_os.cli import screen
from vextir_os.cli.doctor.finding import Finding, Level, Patient
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Output, Project
from vextir_os.cli.root import find_root
from vextir_os.cli.text import counted, visible
from vextir_os.errors import SettingsError
from vextir_os.settings.sources import find_settings

HEAD = ("LEVEL", "CHECK", "WHAT", "MEANS", "ADVICE")

_STYLES: Mapping[Level, screen.Style] = {"ok": "good", "warning": "warn", "problem": "error"}


def doctor(*, output: Output = "table", project: Project = None) -> int:
    """Look at machine, project and data; say what is wrong and what to do. Changes nothing, shows no secret."""
    from vextir_os.cli.doctor.checks import examine
    from vextir_os.cli.output import table_lines, write_document

    root, missing = _root(project)
    patient = Patient(root=root, found=find_settings(root, os.environ), environ=os.environ)
    to = screen.stdout()
    findings: list[Finding] = []
    as_they_come = output == "table" and to.terminal
    for finding in itertools.chain(missing, examine(patient)):
        findings.append(finding)
        if as_they_come:
            to.write(*_lines(to, finding))
    if output == "table" and not to.terminal:
        to.write(*table_lines(to, [_row(finding) for finding in findings], HEAD))
    elif output == "jsonl":
        for finding in findings:
            write_document(to, output, {"schema": "vextir.doctor-finding.v1", **asdict(finding)})
    elif output != "table":
        items = [asdict(finding) for finding in findings]
        write_document(to, output, {"schema": "vextir.doctor.v1", "findings": items})
    problems, warnings = (sum(one.level == level for one in findings) for level in ("problem", "warning"))
    screen.stderr().write(f"{counted(problems, 'problem')}, {counted(warnings, 'warning')}")
    return Exit.FAILED if problems else Exit.DONE


def _root(named: Path | None) -> tuple[Path, list[Finding]]:
    try:
        return find_root(Path.cwd(), named), []
    except (SettingsError, OSError) as error:
        what = error.what if isinstance(error, SettingsError) else str(error)
        advice = error.hint if isinstance(error, SettingsError) else "Look who owns the folders above this one"
        means = "what follows is about this machine, as if the current folder were the project"
        return Path.cwd(), [Finding(check="project", level="problem", what=what, means=means, advice=advice)]


def _row(finding: Finding) -> screen.Line:
    texts = (finding.level, finding.check, finding.what, finding.means, finding.advice)
    return [screen.Span(visible(text)) for text in texts]


def _lines(to: screen.Screen, finding: Finding) -> Iterator[str]:
    level = screen.Span(finding.level.ljust(7), _STYLES[finding.level])
    yield to.text([level, screen.Span(finding.check.ljust(11), "bold"), screen.Span(visible(finding.what))])
    for text in (finding.means, finding.advice):
        if text:
            yield to.text([screen.Span(" " * 18), screen.Span(visible(text), "dim")])
