"""The methods of conditions: of texts and of dicts, from a fixed table. Each pays before it works."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from vextir_os.policy.conditions.limits import CHARS_PER_STEP
from vextir_os.policy.conditions.operations import SCALARS
from vextir_os.policy.conditions.state import MISSING, Fault, State, kind_of, text_steps
from vextir_os.policy.conditions.vocabulary import DICT_METHODS, TEXT_METHODS

_STRIPS = frozenset({"strip", "lstrip", "rstrip"})
_AFFIXES = frozenset({"startswith", "endswith"})


def _of_text(name: str, method: Callable[..., Any], state: State, text: Any, *arguments: Any) -> Any:
    if text is MISSING or MISSING in arguments:
        return state.absent()
    if type(text) is not str:
        raise Fault(f"a {kind_of(text)} has no method `{name}`")
    for argument in arguments:
        _check_argument(name, argument)
    steps = 1 + text_steps(text)
    if name in _STRIPS and arguments:
        steps *= 1 + len(arguments[0])
    state.spend(steps)
    return method(text, *arguments)


def _check_argument(name: str, argument: Any) -> None:
    if type(argument) is str:
        return
    if name in _AFFIXES and type(argument) is tuple and all(type(each) is str for each in argument):
        return
    raise Fault(f"`{name}` takes a text, not a {kind_of(argument)}")


def _split(state: State, text: Any, separator: Any = None, most: Any = -1) -> Any:
    if MISSING in (text, separator, most):
        return state.absent()
    if type(text) is not str:
        raise Fault(f"a {kind_of(text)} has no method `split`")
    if (separator is not None and type(separator) is not str) or separator == "" or type(most) is not int:
        raise Fault("`split` takes a text that is not empty, and a whole number")
    # Every piece is a text of its own, which takes more room than its characters.
    pieces = len(text) // 2 if separator is None else text.count(separator)
    state.spend(1 + len(text) // CHARS_PER_STEP + pieces)
    return text.split(separator, most)


def _get(state: State, fields: Any, key: Any, default: Any = None) -> Any:
    if fields is MISSING or key is MISSING:
        return state.absent()
    if type(fields) is not dict:
        raise Fault(f"a {kind_of(fields)} has no method `get`")
    if type(key) not in SCALARS:
        raise Fault(f"a {kind_of(key)} is no key of a dict")
    return fields.get(key, default)


def _of_dict(name: str, method: Callable[..., Any], state: State, fields: Any) -> Any:
    if fields is MISSING:
        return state.absent()
    if type(fields) is not dict:
        raise Fault(f"a {kind_of(fields)} has no method `{name}`")
    state.spend(len(fields))
    return list(method(fields))


METHOD_CODE: Mapping[str, Callable[..., Any]] = {
    **{name: partial(_of_text, name, getattr(str, name)) for name in TEXT_METHODS},
    **{name: partial(_of_dict, name, getattr(dict, name)) for name in DICT_METHODS},
    "split": _split,
    "get": _get,
}
