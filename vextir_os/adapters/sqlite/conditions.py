"""What `Where` means: on a decoded document exactly, and as SQL that lets through at least what matches. Pure.

SQL only narrows: it spares decoding most documents. What is returned is always decided by `matches`, so both can
never differ in an edge case of JSON functions (escapes, NUL characters, booleans that look like numbers).
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vextir_os.errors import InvalidRequestError
from vextir_os.ports.store import Where

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=", "in", "exists")
_PATH = re.compile(r"[A-Za-z0-9_-]{1,128}(?:\.[A-Za-z0-9_-]{1,128}){0,15}", re.ASCII)
_INT64 = 2**63
_IN_VALUES = 100

# An escape in the text may stand for any character: such a document passes, and `matches` decides.
_ESCAPED = "instr(body, x'5c75')"


def check_path(path: str) -> list[str]:
    """Return the segments of a dotted path. Raises `InvalidRequestError` for a wrong syntax."""
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise InvalidRequestError(
            f"path {str(path)[:80]!r} is not segments of A-Z a-z 0-9 _ - with dots between", hint="Write `event.type`"
        )
    return path.split(".")


def check(where: Sequence[Where]) -> None:
    """Say whether the conditions are ones. Raises `InvalidRequestError` naming what is wrong."""
    for condition in where:
        check_path(condition.path)
        comparison, value = condition.comparison, condition.value
        if comparison not in COMPARISONS:
            raise InvalidRequestError(f"comparison {comparison!r} is none of {' '.join(COMPARISONS)}")
        if comparison == "exists":
            good = type(value) is bool
        elif comparison == "in":
            good = isinstance(value, (list, tuple, set, frozenset)) and len(value) <= _IN_VALUES
            good = good and all(_is_scalar(item) for item in value)
        elif comparison in ("=", "!="):
            good = _is_scalar(value)
        else:
            good = _is_scalar(value) and type(value) in (str, int, float)
        if not good:
            raise InvalidRequestError(f"{value!r} cannot be compared with {condition.path} by {comparison!r}")


def _is_scalar(value: Any) -> bool:
    kind = type(value)
    if kind is int:
        return bool(-_INT64 <= value < _INT64)
    if kind is float:
        return math.isfinite(value)
    return value is None or kind is bool or kind is str


def matches(document: Mapping[str, Any], where: Sequence[Where]) -> bool:
    """Whether a decoded document meets all conditions, which were checked before."""
    return all(_meets(document, condition) for condition in where)


_MISSING: Any = object()


def look_up(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path, or a value equal to nothing when there is none."""
    found: Any = document
    for segment in path.split("."):
        if not isinstance(found, Mapping) or segment not in found:
            return _MISSING
        found = found[segment]
    return found


def _meets(document: Mapping[str, Any], condition: Where) -> bool:
    found, value = look_up(document, condition.path), condition.value
    if condition.comparison == "exists":
        return (found is not _MISSING) is value
    if found is _MISSING:
        return False
    match condition.comparison:
        case "=":
            return _same(found, value)
        case "!=":
            return not _same(found, value)
        case "in":
            return any(_same(found, item) for item in value)
        case _:
            return _ordered(found, condition.comparison, value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return type(value).__name__


def _same(found: Any, value: Any) -> bool:
    return _kind(found) == _kind(value) and bool(found == value)


def _ordered(found: Any, comparison: str, value: Any) -> bool:
    if _kind(found) != _kind(value) or _kind(value) not in ("number", "str"):
        return False
    match comparison:
        case "<":
            return bool(found < value)
        case "<=":
            return bool(found <= value)
        case ">":
            return bool(found > value)
        case _:
            return bool(found >= value)


def narrow(condition: Where) -> tuple[str, list[Any]]:
    """Return SQL over the column `body`, and its parameters, that is true at least where the condition is met."""
    path = "$" + "".join(f'."{segment}"' for segment in check_path(condition.path))
    value = condition.value
    kind = "json_type(CAST(body AS TEXT), ?)"
    if condition.comparison == "exists":
        sql, parameters = f"{kind} IS {'NOT ' if value else ''}NULL", [path]
    elif condition.comparison == "!=":
        sql, parameters = f"{kind} IS NOT NULL", [path]
    elif condition.comparison == "in":
        parts = [_equal(item, path) for item in value]
        sql = " OR ".join(part for part, _ in parts) or "0"
        parameters = [parameter for _, own in parts for parameter in own]
    elif condition.comparison == "=":
        sql, parameters = _equal(value, path)
    else:
        # The comparison is one of a checked, closed set.
        sql, parameters = f"json_extract(CAST(body AS TEXT), ?) {condition.comparison} ?", [path, value]
    return f"({sql} OR {_ESCAPED})", parameters


def _equal(value: Any, path: str) -> tuple[str, list[Any]]:
    if value is None or type(value) is bool:
        text = {None: "null", True: "true", False: "false"}[value]
        return "json_type(CAST(body AS TEXT), ?) = ?", [path, text]
    return "json_extract(CAST(body AS TEXT), ?) = ?", [path, value]
