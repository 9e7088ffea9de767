"""What every error says: what happened, to what, where, and what to do.

Each class has a stable `code` and answers one question with its `kind`: may the same call succeed later?
Pure: no formatting for a terminal, no HTTP; the faces decide how an error looks.
The classes of an area stand beside it.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import ClassVar, Literal

Kind = Literal["transient", "throttled", "invalid", "permission", "bug"]
"""`transient`: the same call may succeed soon. `throttled`: later, at a time that is named. Others: never as it is."""


class VextirError(Exception):
    """Base of every error that Vextir OS raises on purpose.

    Args:
        what: What happened, lower case, the thing named by its id.
        hint: What to do about it; a sentence.
        where: The place, such as `policies/mail.yaml:14`, when there is one.
    """

    code: ClassVar[str] = "VX000"
    kind: ClassVar[Kind] = "bug"

    def __init__(self, what: str, *, hint: str = "", where: str = "") -> None:
        self.what = what
        self.hint = hint
        self.where = where
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f". {self.hint}" if self.hint else ""
        return f"{place}{self.what}{advice}"


class ProblemsError(VextirError):
    """Several problems found in one pass over files or settings, reported together.

    Args:
        problems: One error per problem, in the order of file and line; at least one.
    """

    def __init__(self, problems: Sequence[VextirError]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} found")

    def __str__(self) -> str:
        return "\n".join([f"{self.what}:", *(f"  {problem}" for problem in self.problems)])


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint that names what is nearest to a mistyped name, ``Did you mean `tool:mail/send`?``; or empty."""
    near = get_close_matches(name[:200], sorted(known), n=1)
    return f"Did you mean `{near[0]}`?" if near else ""


def shown(text: str, limit: int = 60) -> str:
    """Return text from outside as messages show it: in backticks, cut, control characters escaped."""
    cut = text[:limit] + ("…" if len(text) > limit else "")
    return f"`{cut}`" if cut.isprintable() else f"`{cut.encode('unicode_escape').decode()}`"
