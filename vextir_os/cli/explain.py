"""`vextir explain CODE`: what an error means, whether trying again helps, what to do; as docs/errors.md."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple

from cyclopts import Parameter

from vextir_os.api.problem import RefusedError, problem_of
from vextir_os.cli import screen
from vextir_os.cli.details import pair
from vextir_os.cli.errors import Exit, exit_code
from vextir_os.cli.options import Output
from vextir_os.cli.text import visible
from vextir_os.driverkit import failures
from vextir_os.errors import ProblemsError, StoreError, UsageError, VextirError, did_you_mean, shown
from vextir_os.errors.base import Kind
from vextir_os.errors.catalogue import CATALOGUE

AGAIN: dict[Kind, str] = {
    "transient": "yes, soon",
    "throttled": "yes, after the time that it names",
    "invalid": "no, not as it is",
    "permission": "no, unless somebody permits it",
    "bug": "perhaps, in three attempts",
}
"""May the same call succeed later?"""

_BY_ROUTES = {"VX408": "404", "VX501": "404", "VX518": "404", "VX902": "401, 403, 421", "VX903": "400 to 431"}
"""Statuses that are not those of the class: routes know what was asked for, and some refuse before any call."""

INSIDE = "none"
"""What is told of errors that no request ends with: they are met on a run, in a program or on the command line."""

_HEAD = ("CODE", "NAME", "AGAIN", "MEANS")
_BORROWED = (ProblemsError, RefusedError)

Codes = Annotated[str, Parameter(help="The code, VX403 or 403, or the name, StaleIndexError; without one, all.")]


class Described(NamedTuple):
    """All that is told of a code.

    Attributes:
        http: The status, or the statuses, that it is answered with; `INSIDE` where no request ends with it.
        exit: What a command ends with, 1 to 6.
        example: A message; empty for the base of an area.
    """

    code: str
    name: str
    kind: Kind
    meaning: str
    example: str
    advice: str
    http: str
    exit: int


def explain(*codes: Codes, output: Output = "table") -> int:
    """Say what an error means, whether trying again helps, and what to do; without a code, list all errors."""
    from vextir_os.cli.output import write_list

    found = [_named(code) for code in codes] if codes else described()
    items = [_item(each) for each in found]
    to = screen.stdout()
    if codes and output == "table":
        to.write(*(line for each in found for line in _lines(to, each)))
        return Exit.DONE
    table = [_row(each) for each in found]
    write_list(to, output, many="errors", one="error", items=items, table=table, head=_HEAD)
    return Exit.DONE


def described() -> Sequence[Described]:
    """Return all codes, in their order."""
    return [_of(cls) for cls in sorted(_classes(), key=lambda cls: cls.code)]


def _classes() -> set[type[VextirError]]:
    found: set[type[VextirError]] = {VextirError}
    left: list[type[VextirError]] = [VextirError, failures.TransientError]
    while left:
        below = [cls for cls in left.pop().__subclasses__() if cls.__module__.startswith("vextir_os.")]
        left += below
        found.update(cls for cls in below if cls not in _BORROWED)
    return found


def _of(cls: type[VextirError]) -> Described:
    error = cls([VextirError("")]) if issubclass(cls, ProblemsError) else cls("")
    entry = CATALOGUE[cls.code]
    meaning = " ".join((cls.__doc__ or "").partition("\n\n")[0].split())
    status = problem_of(error).status
    unseen = status == 500 and cls is not VextirError and not isinstance(error, StoreError)
    http = _BY_ROUTES.get(cls.code) or (INSIDE if unseen else str(status))
    return Described(cls.code, cls.__name__, cls.kind, meaning, entry.example, entry.advice, http, exit_code(error))


def _named(text: str) -> Described:
    """Return the code that somebody means: `VX403`, `403`, `e403`, `StaleIndexError`. Raises `UsageError`."""
    number = re.fullmatch(r"(?:VX|E)?(\d{3})", text, re.ASCII | re.IGNORECASE)
    known = {name: each for each in described() for name in (each.code, each.name)}
    found = known.get(f"VX{number[1]}" if number else text)
    if found is None:
        hint = did_you_mean(f"VX{number[1]}" if number else text, known)
        raise UsageError(f"there is no error {shown(text)}", hint=hint or "Run: vextir explain")
    return found


def _item(each: Described) -> dict[str, Any]:
    return {**each._asdict(), "may_succeed_later": AGAIN[each.kind]}


def _lines(to: screen.Screen, each: Described) -> Iterator[str]:
    yield to.text([screen.Span(each.code, "bold"), screen.Span(each.name)])
    yield f"  {visible(each.meaning)}"
    if each.example:
        yield pair(to, "  seen", visible(each.example))
    yield pair(to, "  do", visible(f"{each.advice}."))
    yield pair(to, "  again", AGAIN[each.kind])
    yield pair(to, "  HTTP, exit", f"{each.http}; {each.exit}")


def _row(each: Described) -> screen.Line:
    return [
        screen.Span(each.code, "bold"),
        screen.Span(each.name),
        screen.Span(AGAIN[each.kind].partition(",")[0]),
        screen.Span(visible(each.meaning), elastic=True),
    ]
