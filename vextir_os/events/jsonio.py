"""JSON in and out. From outside: strict. To and from our own store: fast. Pure.

`loads_strict` is the only door for bytes that somebody else wrote; `loads` is for what `dumps` wrote.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

import orjson

from vextir_os.errors import InvalidEventError, TooLargeError, UndecodableError
from vextir_os.events.limits import JSON_DEPTH

Raw = orjson.Fragment
"""JSON text that is already encoded: `Raw(b'{"a":1}')` as a value is written into a document as it stands."""

_INT64 = 2**63


def loads(raw: bytes | str) -> Any:
    """Decode JSON that this OS wrote itself. Raises `UndecodableError` when it is damaged."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise UndecodableError(f"stored JSON is damaged: {error}") from error


def dumps(value: Any) -> bytes:
    """Encode to compact UTF-8 JSON; keys keep their order. Takes exact JSON types and `Raw` only.

    Raises:
        InvalidEventError: A value is no JSON: another type, a key that is no text, an integer over 64 bits,
            a lone surrogate. NaN and infinities are not looked for here: see `check_json`.
    """
    try:
        return orjson.dumps(value, option=_EXACT)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise InvalidEventError(f"not JSON: {error}", hint="Use text, numbers, booleans, null, lists and dicts") from error


_EXACT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def loads_strict(raw: bytes) -> Any:
    """Decode JSON from outside: UTF-8, finite numbers, 64-bit integers, no duplicate keys, bounded depth.

    Raises:
        UndecodableError: The bytes are no such JSON; the message says where.
        TooLargeError: Nested deeper than `JSON_DEPTH`.
    """
    try:
        value = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UndecodableError(f"not UTF-8: byte {error.start} cannot be decoded", hint="Send UTF-8 JSON") from error
    except json.JSONDecodeError as error:
        raise UndecodableError(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise _too_deep() from error
    if raw.count(b"{") + raw.count(b"[") > JSON_DEPTH:
        _check_depth(value)
    if b"\\u" in raw:
        _check_surrogates(value)
    return value


def check_json(value: Any) -> None:
    """Say whether a value made by code is plain JSON, in every part: exact types, finite, bounded depth.

    Raises:
        InvalidEventError: Some part is no JSON; the message names its path, such as `items[3].price`.
        TooLargeError: Nested deeper than `JSON_DEPTH`.
    """
    stack: list[tuple[Any, str, int]] = [(value, "", 1)]
    while stack:
        item, path, depth = stack.pop()
        kind = type(item)
        if kind is str or item is None or kind is bool:
            continue
        if kind is int:
            if not -_INT64 <= item < _INT64:
                raise _bad(path, "an integer over 64 bits")
        elif kind is float:
            if not math.isfinite(item):
                raise _bad(path, f"{item}, which JSON cannot hold")
        elif isinstance(item, dict):
            if depth > JSON_DEPTH:
                raise _too_deep()
            for key, inner in item.items():
                if type(key) is not str:
                    raise _bad(path, f"the key {key!r}, which is no text")
                stack.append((inner, f"{path}.{key}" if path else key, depth + 1))
        elif kind is list or kind is tuple:
            if depth > JSON_DEPTH:
                raise _too_deep()
            stack.extend((inner, f"{path}[{index}]", depth + 1) for index, inner in enumerate(item))
        else:
            raise _bad(path, f"a {kind.__name__}")


def _bad(path: str, found: str) -> InvalidEventError:
    return InvalidEventError(f"not JSON: {path or 'the value'} is {found}")


def _too_deep() -> TooLargeError:
    return TooLargeError(f"nested deeper than {JSON_DEPTH} levels", hint="Flatten the data")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(JSON_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    if any(isinstance(item, (dict, list)) for item in level):
        raise _too_deep()


def _check_surrogates(value: Any) -> None:
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise UndecodableError("not JSON text: a \\u escape is half of a surrogate pair") from error


def _unique(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise UndecodableError(f"not JSON for us: the key {twice!r} stands twice in one object")
    return found


def _integer(text: str) -> int:
    # Longer texts are over 64 bits anyway, and int() of them takes quadratic time.
    value = int(text) if len(text) <= 20 else _INT64
    if not -_INT64 <= value < _INT64:
        raise UndecodableError(f"not JSON for us: the integer {text[:24]} is over 64 bits")
    return value


def _float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise UndecodableError(f"not JSON for us: the number {text[:24]} is too large")
    return value


def _constant(text: str) -> Any:
    raise UndecodableError(f"not JSON: {text} is no number of JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant
)
