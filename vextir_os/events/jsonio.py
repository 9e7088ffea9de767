"""JSON in and out. From outside: strict. To and from our own store: fast. Pure.

`loads_strict` is the only door for bytes that somebody else wrote; `loads` is for what `dumps` wrote.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from vextir_os.errors import InvalidEventError, TooLargeError, UndecodableError
from vextir_os.events.limits import BLOB_BYTES, JSON_DEPTH

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
    """Encode to compact UTF-8 JSON; keys keep their order. For values that `check_json` has passed, and for `Raw`.

    What has not been checked may be changed on the way: NaN and infinities become null, an enum its value, a UUID text.

    Raises:
        InvalidEventError: A value is no JSON: another type, a key that is no text, an integer over 64 bits,
            a lone surrogate.
    """
    try:
        return orjson.dumps(value, option=_EXACT)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise InvalidEventError(
            f"not JSON: {error}", hint="Use text, numbers, booleans, null, lists and dicts"
        ) from error


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
        raise UndecodableError(
            f"not JSON: {error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}"
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    if raw.count(b"{") + raw.count(b"[") > JSON_DEPTH:
        _check_depth(value)
    if b"\\u" in raw:
        _check_surrogates(value)
    return value


def check_json(value: Any, *, limit_bytes: int = BLOB_BYTES) -> None:
    """Say whether a value made by code is plain JSON, in every part: exact types, finite, bounded depth and size.

    Raises:
        InvalidEventError: Some part is no JSON; the message names its path, such as `items[3].price`.
        TooLargeError: Nested deeper than `JSON_DEPTH`, or certainly over the limit when written out.
    """
    try:
        if _check(value, 1, limit_bytes + 1) < 0:
            raise _too_large()
    except _NoJsonError as error:
        raise InvalidEventError(f"not JSON: {error.place()} is {error.found}") from None


class _NoJsonError(Exception):
    """Some part is no JSON; collects its path on the way out, so that what is JSON pays nothing for paths."""

    def __init__(self, found: str) -> None:
        self.found = found
        self.path: list[str | int] = []

    def place(self) -> str:
        parts = (f"[{part}]" if isinstance(part, int) else f".{part[:40]}" for part in reversed(self.path))
        return "".join(parts).removeprefix(".") or "the value"


def _check(item: Any, depth: int, left: int) -> int:
    # Returns how many bytes are left, at two for each part and its comma (the last part has none, hence the one byte
    # more above). Counted, because a few references can stand for more JSON than any machine holds: a list of the
    # same list of the same list, and so on. Scalars are checked where they stand: calls cost more than the checks.
    named = isinstance(item, dict)
    if not named and type(item) is not list and type(item) is not tuple:
        return _check_scalar(item, left)
    if depth > JSON_DEPTH:
        raise _too_deep()
    parts: Iterable[tuple[Any, Any]] = item.items() if named else enumerate(item)
    for key, inner in parts:
        if named:
            if type(key) is not str or not key.isascii():
                _check_key(key)
            left -= len(key)
        kind = type(inner)
        if kind is str and inner.isascii():
            left -= len(inner) + 2
        elif (kind is int and -_INT64 <= inner < _INT64) or inner is None or kind is bool:
            left -= 2
        else:
            try:
                left = _check(inner, depth + 1, left)
            except _NoJsonError as error:
                error.path.append(key)
                raise
        if left < 0:
            raise _too_large()
    return left - 2


def _check_key(key: Any) -> None:
    if type(key) is not str or not _is_unicode(key):
        raise _NoJsonError(f"a dict with the key {repr(key)[:40]}, which is no text")


def _check_scalar(item: Any, left: int) -> int:
    kind = type(item)
    if kind is str:
        if not (item.isascii() or _is_unicode(item)):
            raise _NoJsonError("text with half a surrogate pair")
        return left - len(item) - 2
    if kind is int:
        if not -_INT64 <= item < _INT64:
            raise _NoJsonError("an integer over 64 bits")
    elif kind is float:
        if item - item != 0:
            raise _NoJsonError(f"{item}, which JSON cannot hold")
    elif item is not None and kind is not bool:
        raise _NoJsonError(f"a {kind.__name__}")
    return left - 2


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_large() -> TooLargeError:
    return TooLargeError("too many bytes as JSON", hint="Keep large data elsewhere and put a link into the event")


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
        times = Counter(key for key, _ in pairs)
        twice = next(key for key in times if times[key] > 1)
        raise UndecodableError(f"not JSON for us: the key {twice[:40]!r} stands twice in one object")
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


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_int=_integer, parse_float=_float, parse_constant=_constant)
