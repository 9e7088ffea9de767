"""What the operators of conditions do, on exact JSON types alone. Each pays before it works.

No operation asks an object for anything: kinds are compared by identity, and only values of Python's own plain types
are worked on, whose operations run no code of anybody else. There is no attribute of an object to reach.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any, Final

from vextir_os.policy.conditions.limits import CHARS_PER_STEP, INT64, SUM_CHARS
from vextir_os.policy.conditions.state import MISSING, AbsentLoop, Fault, State, kind_of, text_steps

NUMBERS: Final = frozenset({int, float, bool})
SEQUENCES: Final = frozenset({list, tuple})
SCALARS: Final = frozenset({int, float, bool, str, type(None)})
GROUPS: Final = frozenset({list, tuple, dict, set})
ORDERED_GROUPS: Final = frozenset({list, tuple, set})
"""Lists go by their first elements that differ; one set is less than another that holds all of it."""


# ---------------------------------------------------------------------------------------------------- fields


def path(state: State, base: Any, names: tuple[str, ...]) -> Any:
    """`base.a.b`: look up one field after the other; one that is not there is missing, and noted."""
    value = peek(base, names)
    return state.absent() if value is MISSING else value


def peek(base: Any, names: tuple[str, ...]) -> Any:
    """The same without a note, for `has(…)` and `… is None`."""
    for name in names:
        if type(base) is dict:
            base = base.get(name, MISSING)
        elif base is None or base is MISSING:
            return MISSING
        else:
            raise Fault(f"a {kind_of(base)} has no field `{name[:60]}`")
    return base


def root(state: State, value: Any) -> Any:
    """A root as a value by itself."""
    return state.absent() if value is MISSING else value


def item(state: State, base: Any, key: Any) -> Any:
    """`base[key]`: what is out of range or not there is missing, and noted."""
    value = item_peek(base, key)
    return state.absent() if value is MISSING else value


def item_peek(base: Any, key: Any) -> Any:
    """The same without a note."""
    if base is None or base is MISSING or key is MISSING:
        return MISSING
    if type(base) is dict:
        if type(key) not in SCALARS:
            raise Fault(f"a {kind_of(key)} is no key of a dict")
        return base.get(key, MISSING)
    if type(base) in SEQUENCES or type(base) is str:
        if type(key) is not int:
            raise Fault(f"a {kind_of(base)} is indexed by whole numbers, not by a {kind_of(key)}")
        return base[key] if -len(base) <= key < len(base) else MISSING
    raise Fault(f"a {kind_of(base)} has no items")


def cut(state: State, base: Any, low: int | None, high: int | None) -> Any:
    """`base[low:high]`."""
    if base is MISSING:
        return state.absent()
    if type(base) is str:
        state.spend(len(base) // CHARS_PER_STEP)
    elif type(base) in SEQUENCES:
        state.spend(len(base) // 8)
    else:
        raise Fault(f"a {kind_of(base)} cannot be sliced")
    return base[low:high]


def is_null(value: Any) -> bool:
    """`value is None`; a missing field is."""
    return value is None or value is MISSING


def is_there(value: Any) -> bool:
    """`has(value)`."""
    return value is not MISSING


# ---------------------------------------------------------------------------------------------------- numbers


def finite(value: Any) -> Any:
    """Return the result of arithmetic. Raises `Fault` when it is not finite, or over 64 bits."""
    if type(value) is int:
        if not -INT64 <= value < INT64:
            raise Fault("the result is over 64 bits")
    elif not math.isfinite(value):
        raise Fault("the result is not finite")
    return value


def add(state: State, left: Any, right: Any) -> Any:
    """Numbers, or two texts."""
    if type(left) in NUMBERS and type(right) in NUMBERS:
        return finite(left + right)
    if left is MISSING or right is MISSING:
        return state.absent()
    if type(left) is str and type(right) is str:
        size = len(left) + len(right)
        if size > SUM_CHARS:
            raise Fault(f"a text of {size} characters, at most {SUM_CHARS} may be made")
        state.spend(size // CHARS_PER_STEP)
        return left + right
    raise Fault(f"`+` of a {kind_of(left)} and a {kind_of(right)}")


def _arithmetic(sign: str, apply: Callable[[Any, Any], Any]) -> Callable[[State, Any, Any], Any]:
    def operation(state: State, left: Any, right: Any) -> Any:
        if type(left) in NUMBERS and type(right) in NUMBERS:
            try:
                return finite(apply(left, right))
            except ArithmeticError as error:
                raise Fault(str(error)) from None
        if left is MISSING or right is MISSING:
            return state.absent()
        raise Fault(f"`{sign}` of a {kind_of(left)} and a {kind_of(right)}")

    return operation


sub = _arithmetic("-", lambda left, right: left - right)
mul = _arithmetic("*", lambda left, right: left * right)
div = _arithmetic("/", lambda left, right: left / right)
floordiv = _arithmetic("//", lambda left, right: left // right)
mod = _arithmetic("%", lambda left, right: left % right)


def neg(state: State, value: Any) -> Any:
    """`-value`."""
    if value is MISSING:
        return state.absent()
    if type(value) not in NUMBERS:
        raise Fault(f"`-` of a {kind_of(value)}")
    return finite(-value)


# ---------------------------------------------------------------------------------------------------- comparisons


def eq(state: State, left: Any, right: Any) -> bool:
    """`left == right`; of something missing it is false."""
    if left is MISSING or right is MISSING:
        state.absent()
        return False
    kind = type(left)
    if kind is str:
        if type(right) is str and len(left) == len(right) > CHARS_PER_STEP:
            state.spend(len(left) // CHARS_PER_STEP)
    elif kind in GROUPS:
        if type(right) is not kind:
            return False
        weigh(state, left)
    return bool(left == right)


def ne(state: State, left: Any, right: Any) -> bool:
    """`left != right`; of something missing it is true."""
    return not eq(state, left, right)


def _ordering(sign: str, apply: Callable[[Any, Any], bool]) -> Callable[[State, Any, Any], bool]:
    def operation(state: State, left: Any, right: Any) -> bool:
        if type(left) in NUMBERS and type(right) in NUMBERS:
            return apply(left, right)
        if left is MISSING or right is MISSING:
            state.absent()
            return False
        if type(left) is str and type(right) is str:
            state.spend(min(len(left), len(right)) // CHARS_PER_STEP)
            return apply(left, right)
        if type(left) is type(right) and type(left) in ORDERED_GROUPS:
            weigh(state, left)
            return apply(left, right)
        raise Fault(f"`{sign}` of a {kind_of(left)} and a {kind_of(right)}")

    return operation


lt = _ordering("<", lambda left, right: bool(left < right))
le = _ordering("<=", lambda left, right: bool(left <= right))
gt = _ordering(">", lambda left, right: bool(left > right))
ge = _ordering(">=", lambda left, right: bool(left >= right))


def contains(state: State, wanted: Any, box: Any) -> bool:
    """`wanted in box`; with something missing it is false."""
    if box is MISSING or wanted is MISSING:
        state.absent()
        return False
    kind = type(box)
    if kind is str:
        if type(wanted) is not str:
            raise Fault(f"`in` of a {kind_of(wanted)} and a text")
        state.spend(text_steps(box))
        return wanted in box
    if kind not in GROUPS:
        raise Fault(f"`in` a {kind_of(box)}")
    each = weigh(state, wanted)
    if kind in SEQUENCES:
        state.spend(len(box) * each if each else len(box) // 16)
    elif type(wanted) not in SCALARS:
        raise Fault(f"`in` of a {kind_of(wanted)} and a {kind_of(box)}")
    return wanted in box


def lacks(state: State, wanted: Any, box: Any) -> bool:
    """`wanted not in box`; with something missing it is true."""
    return not contains(state, wanted, box)


def chain(state: State, left: Any, *links: Any) -> bool:
    """`a < b < c`: comparisons, each with a function that gives its right side; the first that is false ends it."""
    for compare, right in zip(links[::2], links[1::2], strict=True):
        value = right()
        if not compare(state, left, value):
            return False
        left = value
    return True


def weigh(state: State, value: Any) -> int:
    """Pay for comparing a value once, and return what it costs beyond a moment."""
    if type(value) is str:
        return len(value) // CHARS_PER_STEP
    if type(value) not in GROUPS:
        return 0
    cost, stack = 0, [value]
    while stack:
        group = stack.pop()
        cost += len(group) + 1
        state.spend(len(group) + 1)
        for part in group.values() if type(group) is dict else group:
            if type(part) is str:
                if len(part) > CHARS_PER_STEP:
                    cost += len(part) // CHARS_PER_STEP
                    state.spend(len(part) // CHARS_PER_STEP)
            elif type(part) in GROUPS:
                stack.append(part)
    return cost


# ---------------------------------------------------------------------------------------------------- loops


def turns(state: State, value: Any, cost: int) -> Any:
    """What a loop runs over; each turn costs as many steps as it has parts."""
    if value is MISSING:
        state.missing = True
        raise AbsentLoop
    if type(value) not in GROUPS and type(value) is not str:
        raise Fault(f"a loop over a {kind_of(value)}")
    whole = len(value) * cost
    if whole <= state.left:
        state.left -= whole
        return value
    return _counted(state, value, cost)


def _counted(state: State, value: Any, cost: int) -> Iterator[Any]:
    for each in value:
        state.spend(cost)
        yield each
