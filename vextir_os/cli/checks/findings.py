"""One thing that a check found. Pure."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from vextir_os.errors import ProblemsError, VextirError

Severity = Literal["problem", "warning", "note"]
"""`problem`: it cannot be used so. `warning`: it can, and is likely not meant. `note`: nobody could look."""

SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")


class Finding(NamedTuple):
    """What is wrong, where, and what to do about it.

    Attributes:
        area: What was looked at: `drivers`, `index`, `policies`, `plans`, `ui_apps`, `settings`.
    """

    severity: Severity
    area: str
    code: str
    where: str
    what: str
    hint: str

    def to_json(self) -> dict[str, str]:
        """Return it as programs read it."""
        return self._asdict()


def found(severity: Severity, area: str, errors: Iterable[VextirError]) -> list[Finding]:
    """Return errors as findings; of several problems in one, each."""
    return [
        Finding(severity, area, one.code, one.where, one.what, one.hint)
        for error in errors
        for one in (error.problems if isinstance(error, ProblemsError) else (error,))
    ]


def place_key(finding: Finding) -> tuple[int, str, list[int]]:
    """Return by what findings are sorted: the worst first, then by file and line."""
    file, *numbers = finding.where.split(":")
    return SEVERITIES.index(finding.severity), file, [int(number) for number in numbers if number.isdigit()]
