"""`vextir check`: all that is wrong with drivers, policies, plans and UI apps, in one list."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vextir_os.cli import screen
from vextir_os.cli.checks.findings import Finding, found, place_key
from vextir_os.cli.errors import Exit
from vextir_os.cli.options import Flag, Output, Project
from vextir_os.cli.root import find_root

Strict = Annotated[Flag, Parameter(help="Let warnings fail too.")]

_STYLES: dict[str, screen.Style] = {"problem": "error", "warning": "warn", "note": "dim"}


def check(*, strict: Strict = False, output: Output = "table", project: Project = None) -> int:
    """Look at drivers, policies, plans, UI apps and settings, and say all that is wrong. Imports drivers, runs none."""
    from vextir_os.cli.output import write_list

    root = find_root(Path.cwd(), project)
    counts, findings = _look(root)
    findings.sort(key=place_key)
    to = screen.stdout()
    if output == "table" and to.terminal:
        to.write(*(line for finding in findings for line in _lines(to, finding)))
    else:
        rows = [_row(finding) for finding in findings]
        items = [finding.to_json() for finding in findings]
        write_list(to, output, many="findings", one="finding", items=items, table=rows, head=())
    wrong = [_counted(findings, severity) for severity in ("problem", "warning")]
    verdict = ", ".join(text for text in wrong if text) or "nothing wrong"
    screen.stderr().write(f"{verdict}: {', '.join(counts)}")
    failing = {"problem", "warning"} if strict else {"problem"}
    return Exit.FAILED if any(finding.severity in failing for finding in findings) else Exit.DONE


def _look(root: Path) -> tuple[list[str], list[Finding]]:
    """Return what was looked at, in words, and what was found."""
    from vextir_os.cli.checks.drivers import check_drivers, check_index, check_packs
    from vextir_os.cli.checks.kinds import KINDS, check_kind
    from vextir_os.cli.checks.policies import check_policies
    from vextir_os.cli.text import counted
    from vextir_os.settings.sources import find_settings

    settings = find_settings(root, os.environ)
    findings = found("problem", "settings", settings.problems)
    packs, about = check_packs(settings.values["packs"])
    findings += about
    surveyed, about = check_drivers(root, packs)
    findings += about
    findings += check_index(root, packs)
    policies, about = check_policies(root, surveyed.manifests)
    findings += about
    counts = [counted(len(surveyed.manifests), "driver"), f"{policies:,} {'policy' if policies == 1 else 'policies'}"]
    for kind in KINDS:
        number, about = check_kind(root, kind)
        findings += about
        if number:
            counts.append(counted(number, kind.one))
    return counts, findings


def _counted(findings: Iterable[Finding], severity: str) -> str:
    from vextir_os.cli.text import counted

    number = sum(finding.severity == severity for finding in findings)
    return counted(number, severity) if number else ""


def _lines(to: screen.Screen, finding: Finding) -> Sequence[str]:
    from vextir_os.cli.text import visible

    head = to.paint(" ".join(filter(None, (finding.severity, finding.code))) + ":", _STYLES[finding.severity])
    place = f"{visible(finding.where)}: " if finding.where else ""
    lines = [f"{head} {place}{visible(finding.what)}"]
    return [*lines, f"  {visible(finding.hint)}"] if finding.hint else lines


def _row(finding: Finding) -> screen.Line:
    from vextir_os.cli.text import visible

    return [screen.Span(visible(value)) for value in (finding.severity, finding.code, *finding[3:])]
