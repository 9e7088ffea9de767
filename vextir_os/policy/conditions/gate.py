"""The data gate: what a condition is asked about consists of exact JSON types, and is bounded. Pure.

Passed once for each event; behind it every operation may rely on it.
"""

from typing import Any

from vextir_os.errors import ConditionError
from vextir_os.policy.conditions.limits import DATA_CHARS, DATA_DEPTH, DATA_PARTS, INT64

_PLAIN = frozenset({bool, type(None)})
_TEXT = {str}
_GROUPS = frozenset({dict, list, tuple})


def check_data(value: Any, name: str = "the data") -> None:
    """Check a value, in every part.

    Args:
        value: A JSON value; tuples count as lists.
        name: Of the value, for the message.

    Raises:
        ConditionError: A part has another type, a number is not finite or over 64 bits, a text holds half a surrogate
            pair, or it is too deep or too large.
    """
    try:
        _check(value)
    except _BadData as error:
        what = f"{name} is no data that a condition can be asked about: it holds {error}"
        raise ConditionError(what) from None


class _BadData(Exception):  # noqa: N818 - it never leaves this module
    """What it holds."""


def _check(value: Any) -> None:
    # Level by level instead of by recursion: a cycle is as deep as the limit, and no deeper. What is plain at a glance
    # is passed over without a call.
    parts, chars, level = 0, 0, [value]
    for _ in range(DATA_DEPTH):
        parts += len(level)
        below: list[Any] = []
        for each in level:
            kind = type(each)
            if kind is str and each.isascii():
                chars += len(each)
            elif kind in _GROUPS:
                if parts + len(below) + len(each) > DATA_PARTS:
                    raise _BadData(f"more than {DATA_PARTS} parts")
                chars += _keys(each) if kind is dict else 0
                below += each.values() if kind is dict else each
            elif kind not in _PLAIN:
                chars += _scalar(each)
        if chars > DATA_CHARS:
            raise _BadData(f"texts of more than {DATA_CHARS} characters")
        if not below:
            return
        level = below
    raise _BadData(f"more than {DATA_DEPTH} levels")


def _letters(text: str) -> int:
    if len(text) <= DATA_CHARS:
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _BadData("text with half a surrogate pair") from None
    return len(text)


def _keys(fields: dict[Any, Any]) -> int:
    if {*map(type, fields)} - _TEXT:
        raise _BadData("a dict with a key that is no text")
    joined = "".join(fields)
    return len(joined) if joined.isascii() else _letters(joined)


def _scalar(value: Any) -> int:
    """Check a text with letters outside ASCII, or a number; return how many characters it has."""
    kind = type(value)
    if kind is str:
        return _letters(value)
    if kind is int:
        if not -INT64 <= value < INT64:
            raise _BadData("a whole number over 64 bits")
    elif kind is not float:
        raise _BadData(f"a {kind.__name__}")
    elif value - value != 0.0:
        raise _BadData(f"{value}, which JSON cannot hold")
    return 0
