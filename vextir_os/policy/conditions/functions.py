"""The functions of conditions, on exact JSON types alone. Each pays before it works."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from vextir_os.policy.conditions.limits import CHARS_PER_STEP
from vextir_os.policy.conditions.operations import GROUPS, NUMBERS, add, finite
from vextir_os.policy.conditions.state import MISSING, AbsentLoop, Fault, State, kind_of, text_steps
from vextir_os.policy.globs import matches_text

_INT_CHARS = 20
_FLOAT_CHARS = 64
_DIGITS = 15
_FOLD_CHARS = 8_192
_PATTERN_WORK = 48
"""Characters times instructions of a pattern that one step pays for: RE2 looks at no character more than once for each
instruction, and at most patterns' characters far less often."""
_BOTH = frozenset({int, float, bool, str})

Lazy = Callable[[], Iterable[Any]]
"""A generator that stands in a condition, to be begun by the function that is given it."""


def length(state: State, value: Any) -> Any:
    """`len(value)`."""
    if value is MISSING:
        return state.absent()
    if type(value) is not str and type(value) not in GROUPS:
        raise Fault(f"`len` of a {kind_of(value)}")
    return len(value)


def any_of(state: State, value: Any) -> bool:
    """`any(value)`; over something missing it is false."""
    return _no(state) if value is MISSING else any(_elements(state, "any", value))


def all_of(state: State, value: Any) -> bool:
    """`all(value)`; over something missing it is false."""
    return _no(state) if value is MISSING else all(_elements(state, "all", value))


def any_turn(_state: State, begin: Lazy) -> bool:
    """`any(… for … in …)`."""
    try:
        return any(begin())
    except AbsentLoop:
        return False


def all_turns(_state: State, begin: Lazy) -> bool:
    """`all(… for … in …)`; over something missing it is false, so that it never grants."""
    try:
        return all(begin())
    except AbsentLoop:
        return False


def gathered(state: State, begin: Lazy) -> Any:
    """`[… for … in …]`, and what other functions are given of a generator."""
    try:
        return list(begin())
    except AbsentLoop:
        return state.absent()


def gathered_set(state: State, begin: Lazy) -> Any:
    """`{… for … in …}`."""
    return to_set(state, gathered(state, begin))


def total(state: State, value: Any) -> Any:
    """`sum(value)`."""
    if value is MISSING:
        return state.absent()
    result: Any = 0
    for number in _elements(state, "sum", value):
        if number is MISSING:
            return state.absent()
        if type(number) not in NUMBERS:
            raise Fault(f"`sum` of a {kind_of(number)}")
        result = add(state, result, number)
    return result


def least(state: State, *values: Any) -> Any:
    """`min(a, b)` or `min(list)`."""
    return _extreme(state, "min", min, values)


def greatest(state: State, *values: Any) -> Any:
    """`max(a, b)` or `max(list)`."""
    return _extreme(state, "max", max, values)


def in_order(state: State, value: Any) -> Any:
    """`sorted(value)`."""
    if value is MISSING:
        return state.absent()
    values = list(_elements(state, "sorted", value))
    if MISSING in values:
        return state.absent()
    _alike("sorted", values)
    state.spend((len(values) + _chars(values)) * len(values).bit_length())
    return sorted(values)


def absolute(state: State, value: Any) -> Any:
    """`abs(value)`."""
    return state.absent() if value is MISSING else finite(abs(_number("abs", value)))


def rounded(state: State, value: Any, digits: Any = None) -> Any:
    """`round(value, digits)`; digits from -15 to 15."""
    if value is MISSING or digits is MISSING:
        return state.absent()
    if digits is not None and not (type(digits) is int and -_DIGITS <= digits <= _DIGITS):
        raise Fault(f"`round` to other digits than -{_DIGITS} to {_DIGITS}")
    number = _number("round", value)
    return finite(round(number) if digits is None else round(number, digits))


def to_bool(state: State, value: Any) -> Any:
    """`bool(value)`."""
    return state.absent() if value is MISSING else bool(value)


def to_text(state: State, value: Any) -> Any:
    """`str(value)` of text, numbers, booleans and null."""
    if value is MISSING:
        return state.absent()
    if value is not None and type(value) not in _BOTH:
        raise Fault(f"`str` of a {kind_of(value)}")
    return str(value)


def to_int(state: State, value: Any) -> Any:
    """`int(value)` of a number, or of text with up to 20 digits."""
    if value is MISSING:
        return state.absent()
    if type(value) not in _BOTH or (type(value) is str and len(value) > _INT_CHARS + 1):
        raise Fault(f"`int` of a {kind_of(value)}" + (" that is too long" if type(value) is str else ""))
    return finite(_converted(int, value))


def to_float(state: State, value: Any) -> Any:
    """`float(value)` of a number, or of text."""
    if value is MISSING:
        return state.absent()
    if type(value) not in _BOTH or (type(value) is str and len(value) > _FLOAT_CHARS):
        raise Fault(f"`float` of a {kind_of(value)}" + (" that is too long" if type(value) is str else ""))
    return finite(_converted(float, value))


def to_list(state: State, value: Any = ()) -> Any:
    """`list(value)`."""
    return state.absent() if value is MISSING else list(_elements(state, "list", value))


def to_set(state: State, value: Any = ()) -> Any:
    """`set(value)`; its elements are texts, numbers, booleans or null."""
    if value is MISSING:
        return state.absent()
    values = list(_elements(state, "set", value))
    for each in values:
        if each is MISSING:
            return state.absent()
        if each is not None and type(each) not in _BOTH:
            raise Fault(f"a set of a {kind_of(each)}")
    return set(values)


def like(state: State, text: Any, glob: str) -> Any:
    """`like(text, "draft-*")`: `*` is any run of characters."""
    if text is MISSING:
        return state.absent()
    state.spend((1 + text_steps(_text("like", text))) * (1 + glob.count("*")))
    return matches_text(glob, text)


def matches(state: State, text: Any, pattern: Any) -> Any:
    """`matches(text, pattern)`: whether the pattern is found anywhere in the text; given as its size and program."""
    if text is MISSING:
        return state.absent()
    size, compiled = pattern
    state.spend(1 + len(_text("matches", text)) * size // _PATTERN_WORK)
    return compiled.search(text) is not None


def fold(state: State, text: Any) -> Any:
    """`fold(text)`: compatibility characters made plain, case folded, so that look-alikes of one letter are one."""
    if text is MISSING:
        return state.absent()
    if len(_text("fold", text)) > _FOLD_CHARS:
        raise Fault(f"`fold` of more than {_FOLD_CHARS} characters")
    # One character may become eighteen.
    state.spend(len(text) // CHARS_PER_STEP if text.isascii() else 4 * len(text))
    return unicodedata.normalize("NFKC", text).casefold()


def hour(state: State, now: Any, zone: tzinfo = UTC) -> Any:
    """`hour(now, "Europe/Berlin")`: 0 to 23."""
    return state.absent() if now is MISSING else _time("hour", now).astimezone(zone).hour


def weekday(state: State, now: Any, zone: tzinfo = UTC) -> Any:
    """`weekday(now, "Europe/Berlin")`: 0 is Monday, 6 is Sunday."""
    return state.absent() if now is MISSING else _time("weekday", now).astimezone(zone).weekday()


FUNCTION_CODE: Mapping[str, Callable[..., Any]] = {
    "len": length, "any": any_of, "all": all_of, "sum": total, "min": least, "max": greatest, "abs": absolute,
    "round": rounded, "bool": to_bool, "str": to_text, "int": to_int, "float": to_float, "set": to_set,
    "list": to_list, "sorted": in_order, "matches": matches, "like": like, "fold": fold, "hour": hour,
    "weekday": weekday,
}  # fmt: skip


def _no(state: State) -> bool:
    state.missing = True
    return False


def _elements(state: State, name: str, value: Any) -> Iterable[Any]:
    if type(value) not in GROUPS and type(value) is not str:
        raise Fault(f"`{name}` of a {kind_of(value)}")
    state.spend(len(value))
    return value  # type: ignore[no-any-return]


def _extreme(state: State, name: str, choose: Callable[[Any], Any], values: tuple[Any, ...]) -> Any:
    if len(values) == 1:
        if values[0] is MISSING:
            return state.absent()
        values = tuple(_elements(state, name, values[0]))
        if not values:
            raise Fault(f"`{name}` of nothing")
    if MISSING in values:
        return state.absent()
    _alike(name, values)
    state.spend(_chars(values))
    return choose(values)


def _alike(name: str, values: Iterable[Any]) -> None:
    kinds = {*map(type, values)}
    if not (kinds <= NUMBERS or kinds <= {str}):
        raise Fault(f"`{name}` of values that have no order: {', '.join(sorted(kind.__name__ for kind in kinds))}")


def _chars(values: Iterable[Any]) -> int:
    return sum(len(value) // CHARS_PER_STEP for value in values if type(value) is str)


def _number(name: str, value: Any) -> Any:
    if type(value) not in NUMBERS:
        raise Fault(f"`{name}` of a {kind_of(value)}")
    return value


def _text(name: str, value: Any) -> str:
    if type(value) is not str:
        raise Fault(f"`{name}` of a {kind_of(value)}")
    return value


def _time(name: str, value: Any) -> datetime:
    if type(value) is not datetime:
        raise Fault(f"`{name}` of a {kind_of(value)}, not of `now`")
    return value


def _converted(kind: type[int] | type[float], value: Any) -> Any:
    try:
        return kind(value)
    except (ValueError, OverflowError):
        # Python's own message would quote the value.
        raise Fault(f"`{kind.__name__}` of a {kind_of(value)} that is no number") from None
