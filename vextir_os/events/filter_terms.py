"""What one term of an event filter asks of a row. Pure; the grammar that makes terms of text is in `filters`.

No regular expression comes from a user: globs are cut at their stars, and each piece is looked for once, left to right.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import ge, gt, le, lt
from typing import Any

from vextir_os.errors import InvalidEventError
from vextir_os.events import jsonio
from vextir_os.events.limits import TYPE_CHARS
from vextir_os.events.patterns import PatternTrie

Test = Callable[[Mapping[str, Any], float], bool]
"""Whether a row at a time (epoch seconds) is what a term asks for."""

_ORDERS: Mapping[str, Callable[[float, float], bool]] = {">": gt, ">=": ge, "<": lt, "<=": le}
_SEARCHED = ("id", "type", "source", "subject", "user", "text")
_NUMBER = re.compile(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
_AGO = re.compile(r"([0-9]{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


@dataclass(frozen=True, slots=True)
class Value:
    """One value as it was written; in quotes a `*` is a star and a number is text."""

    text: str
    quoted: bool = False


def glob(value: Value, *, anywhere: bool = False) -> Callable[[str], bool]:
    """Return whether a text is this value, in which `*` stands for any run of characters.

    Args:
        value: What is asked for.
        anywhere: It may stand anywhere in the text.
    """
    pieces = [value.text] if value.quoted else value.text.split("*")
    if anywhere:
        pieces = ["", *pieces, ""]
    if len(pieces) == 1:
        return value.text.__eq__
    first, *middle, last = pieces

    def fits(text: str) -> bool:
        end = len(text) - len(last)
        if end < len(first) or not text.startswith(first) or not text.endswith(last):
            return False
        at = len(first)
        for piece in middle:
            at = text.find(piece, at, end)
            if at < 0:
                return False
            at += len(piece)
        return True

    return fits


def type_test(values: Sequence[Value], *, patterns: Sequence[bool]) -> Test:
    """Return a test of the event's type: by pattern where the value is one, else by glob."""
    trie: PatternTrie[bool] = PatternTrie()
    globs = []
    for value, is_pattern in zip(values, patterns, strict=True):
        if is_pattern:
            trie.add(value.text, True)
        else:
            globs.append(glob(value))

    def test(row: Mapping[str, Any], _now: float) -> bool:
        found = row.get("type")
        if not isinstance(found, str) or len(found) > TYPE_CHARS:
            return False
        return bool(trie.match(found)) or any(fits(found) for fits in globs)

    return test


def value_test(column: str, path: Sequence[str], values: Sequence[Value]) -> Test:
    """Return a test whether a column, or what lies at a path in it, is one of the values; of a list, any part of it."""
    same = [_same(value) for value in values]

    def test(row: Mapping[str, Any], _now: float) -> bool:
        return any(fits(found) for found in _found(row.get(column), path) for fits in same)

    return test


def order_test(column: str, path: Sequence[str], order: str, bound: float) -> Test:
    """Return a test whether a number lies above or below a bound; what is no number does not."""
    compare = _ORDERS[order]

    def test(row: Mapping[str, Any], _now: float) -> bool:
        return any(
            isinstance(found, (int, float)) and not isinstance(found, bool) and compare(found, bound)
            for found in _found(row.get(column), path)
        )

    return test


def text_test(values: Sequence[Value]) -> Test:
    """Return a test whether the row holds one of the texts anywhere, in any case of letters, its data included."""
    wanted = [glob(Value(value.text.casefold(), value.quoted), anywhere=True) for value in values]

    def test(row: Mapping[str, Any], _now: float) -> bool:
        parts = [part for name in _SEARCHED if isinstance(part := row.get(name), str)]
        text = "\n".join([*parts, _as_text(row.get("data"))]).casefold()
        return any(fits(text) for fits in wanted)

    return test


def time_test(value: Value, *, since: bool) -> Test | None:
    """Return a test of the row's time against `2h` ago, a day or a moment; None when the value is none of these."""
    ago = _AGO.fullmatch(value.text)
    moment = None if ago else _moment(value.text)
    if ago is None and moment is None:
        return None
    seconds = int(ago[1]) * _SECONDS[ago[2]] if ago else 0
    compare = ge if since else le

    def test(row: Mapping[str, Any], now: float) -> bool:
        found = row.get("time")
        bound = now - seconds if moment is None else moment
        return isinstance(found, (int, float)) and compare(found, bound)

    return test


def number(text: str) -> float | None:
    """Return the number that a text writes, or None."""
    return float(text) if _NUMBER.fullmatch(text) else None


def _same(value: Value) -> Callable[[object], bool]:
    fits = glob(value)
    wanted = None if value.quoted else number(value.text)
    word = None if value.quoted else {"true": True, "false": False}.get(value.text)

    def same(found: object) -> bool:
        if isinstance(found, str):
            return fits(found)
        if isinstance(found, bool):
            return found is word
        if isinstance(found, (int, float)):
            return wanted is not None and found == wanted
        return found is None and not value.quoted and value.text == "null"

    return same


_MISSING = object()


def _found(value: Any, path: Sequence[str]) -> Iterable[object]:
    for segment in path:
        if isinstance(value, dict):
            value = value.get(segment, _MISSING)
        elif isinstance(value, list) and segment.isdecimal() and int(segment) < len(value):
            value = value[int(segment)]
        else:
            return ()
    if value is _MISSING or (value is None and not path):
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _moment(text: str) -> float | None:
    if not (_DAY.fullmatch(text) or _MOMENT.fullmatch(text)):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _as_text(data: Any) -> str:
    if data is None:
        return ""
    try:
        return jsonio.dumps(data).decode()
    except InvalidEventError:
        # Rows may hold what has not been checked yet; what is no JSON has no text to search.
        return ""
