"""From whatever a driver raised to a failure as it stands on the record. Pure.

What our own classes say counts as it is; then what the driver declares of an exception; then what an HTTP client's
exception says of the answer it got; and what nobody knows is a bug.

An exception is code of the driver: its text, its name and its attributes may be of any kind, and asking for them may
raise anything. None of that may keep the run from ending with a clear error.
"""

import asyncio
import math
import traceback
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import get_args

from vextir_os.errors import DriverError, DriverStartError, Kind, VextirError
from vextir_os.runs.transitions import Failure
from vextir_os.runs.upstream import told

_MESSAGE_CHARS = 2_000
_TRACEBACK_CHARS = 8_000
_CODE_CHARS = 20
_CLASS_CHARS = 200
_TRANSIENT = (TimeoutError, ConnectionError, asyncio.CancelledError)
_NOTHING: Mapping[str, Kind] = MappingProxyType({})


class ReportedFailure(Exception):  # noqa: N818 - it carries a failure, as it was judged where it happened
    """A failure that was judged by `failure_of` in another process; it counts as it is."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(str(failure.detail["message"]))


def failure_of(error: BaseException, *, declared: Mapping[str, Kind] = _NOTHING, now: float = 0.0) -> Failure:
    """Return what a driver's exception means for its run. One that we do not know is a bug: few retries.

    Args:
        error: What the driver raised.
        declared: What its manifest says of exceptions that are not ours.
        now: Epoch seconds, for an upstream that names a date.
    """
    if isinstance(error, ReportedFailure):
        return error.failure
    name = _text(type(error).__name__)[:_CLASS_CHARS]
    if isinstance(error, DriverStartError):
        code, (kind, retry_after_s) = error.code, _of_start(error.__cause__, declared, now)
    elif isinstance(error, VextirError):
        code, kind, retry_after_s = _code(error), _kind(error), _retry_after_s(error)
    else:
        code = DriverError.code
        kind, retry_after_s = told(error, now=now) or ("transient" if isinstance(error, _TRANSIENT) else "bug", None)
        kind = _declared(error, declared) or kind
    detail = {
        "class": name,
        "code": code,
        "kind": kind,
        "message": _said(lambda: str(error))[:_MESSAGE_CHARS] or name,
        "traceback": _said(lambda: "".join(traceback.format_exception(error)))[-_TRACEBACK_CHARS:],
    }
    return Failure(kind=kind, detail=detail, retry_after_s=retry_after_s)


def _of_start(cause: BaseException | None, declared: Mapping[str, Kind], now: float) -> tuple[Kind, float | None]:
    """Return what it means that an instance did not start: what its cause means, and what nobody knows may pass."""
    if cause is None:
        return DriverStartError.kind, None
    failure = failure_of(cause, declared=declared, now=now)
    is_known = failure.kind != "bug" or _declared(cause, declared) == "bug"
    return failure.kind if is_known else DriverStartError.kind, failure.retry_after_s


def _declared(error: BaseException, declared: Mapping[str, Kind]) -> Kind | None:
    """Return what the driver says of the exception's class, or of the nearest one above it; None for nothing."""
    if declared:
        for above in type(error).__mro__:
            for name, kind in declared.items():
                package, _, last = name.rpartition(".")
                if last == above.__name__ and f"{above.__module__}.".startswith(f"{package}." if package else ""):
                    return kind
    return None


def _code(error: VextirError) -> str:
    code: object = error.code
    return _text(code)[:_CODE_CHARS] if isinstance(code, str) else VextirError.code


def _kind(error: VextirError) -> Kind:
    kinds: tuple[Kind, ...] = get_args(Kind)
    return next((kind for kind in kinds if kind == error.kind), "bug")


def _retry_after_s(error: VextirError) -> float | None:
    seconds: object = getattr(error, "retry_after_s", None)
    if isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds >= 0:
        return float(seconds)
    return None


def _said(say: Callable[[], str]) -> str:
    try:
        return _text(say())
    except BaseException:  # noqa: BLE001 - even being shown may raise, and SystemExit at that
        return ""


def _text(text: str) -> str:
    # It may hold half of a surrogate pair, which no JSON can.
    return text.encode("utf-8", "replace").decode("utf-8")
