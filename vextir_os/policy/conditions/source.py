"""The text of a condition before Python's parser sees it: size, characters, brackets. Pure.

The parser is only shown what cannot exhaust it, and no letter outside of a text that merely looks like an ASCII one:
Python reads an identifier in full-width letters as the same one in plain letters.
"""

from vextir_os.errors import ConditionError
from vextir_os.policy.conditions.limits import DEPTH, SOURCE_CHARS

_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = frozenset(_OPENING.values())
_SPACE = "\t\n\r "


def check_source(source: object) -> str:
    """Return the text of a condition that may be parsed.

    Raises:
        ConditionError: It is no text, or too long, holds characters that it must not, or its brackets are wrong.
    """
    if type(source) is not str:
        raise ConditionError(f"a condition is text, not a {type(source).__name__}")
    if len(source) > SOURCE_CHARS:
        raise _error(source, SOURCE_CHARS, f"it has {len(source)} characters, at most {SOURCE_CHARS} are allowed")
    if not source.strip():
        raise ConditionError("it is empty", hint="Leave `when` out, or write a condition")
    _Scanner(source).scan()
    return source


def position(source: str, at: int) -> tuple[int, int]:
    """Return line and column, from 1, of a place in a text."""
    before = source[:at].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


class _Scanner:
    """Walks the text once, aware of where texts and comments begin and end as Python's own tokenizer is."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.open: list[int] = []

    def scan(self) -> None:
        at = 0
        while at < len(self.source):
            char = self.source[at]
            self.check_plain(at, char)
            if char == "#":
                at = self.line_end(at)
            elif char in "'\"":
                at = self.text_end(at)
            else:
                self.bracket(at, char)
                at += 1
        if self.open:
            raise _error(self.source, self.open[-1], f"`{self.source[self.open[-1]]}` is never closed")

    def check_plain(self, at: int, char: str) -> None:
        if not char.isascii():
            raise _error(
                self.source, at, f"{char!a} stands outside of a text", hint="Outside of texts only ASCII is allowed"
            )
        if not char.isprintable() and char not in _SPACE:
            raise _error(self.source, at, f"the control character {char!a} is not allowed")

    def line_end(self, at: int) -> int:
        while at < len(self.source) and self.source[at] not in "\r\n":
            self.check_plain(at, self.source[at])
            at += 1
        return at

    def text_end(self, start: int) -> int:
        quote = self.source[start]
        if self.source[start : start + 3] == quote * 3:
            quote *= 3
        at = start + len(quote)
        while at < len(self.source):
            char = self.source[at]
            if char == "\0" or "\ud800" <= char <= "\udfff":
                raise _error(self.source, at, f"{char!a} is not allowed, in texts neither")
            if char == "\\":
                at += 2
            elif self.source.startswith(quote, at):
                return at + len(quote)
            elif char in "\r\n" and len(quote) == 1:
                break
            else:
                at += 1
        raise _error(self.source, start, "the text is never closed")

    def bracket(self, at: int, char: str) -> None:
        if char in _OPENING:
            self.open.append(at)
            if len(self.open) > DEPTH:
                raise _error(self.source, at, f"brackets are nested deeper than {DEPTH} levels")
        elif char in _CLOSING:
            if not self.open or _OPENING[self.source[self.open[-1]]] != char:
                raise _error(self.source, at, f"`{char}` closes nothing")
            self.open.pop()


def _error(source: str, at: int, what: str, *, hint: str = "") -> ConditionError:
    line, column = position(source, at)
    return ConditionError(what, line=line, column=column, hint=hint)
