"""What the exceptions of HTTP clients say of the answer they got, read off their attributes. Pure; imports no client.

httpx, requests, aiohttp and urllib, and the SDKs upon them (openai, anthropic, azure), put the status on the exception
or on its `response`, and the headers beside it. All of that is foreign: of any type, and asking may raise anything.
"""

import math
import re
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from vextir_os.errors import Kind

_DENIED = frozenset({401, 403, 407})
_TRANSIENT = frozenset({408, 409, 425})
_THROTTLED = 429
_MAY_NAME_A_TIME = frozenset({403, 413, 503})
"""Statuses that mean another thing, and with a time to come back are throttling: RFC 9110 says so of 413 and 503, and
GitHub answers 403."""

_SPENT = "insufficient_quota"
"""Code of a 429 that no waiting ends: the account is empty."""

_LOST = frozenset({
    ("httpx", "TransportError"), ("httpx2", "TransportError"), ("openai", "APIConnectionError"),
    ("anthropic", "APIConnectionError"), ("aiohttp", "ClientConnectionError"), ("aiohttp", "ClientPayloadError"),
    ("requests", "ConnectionError"), ("requests", "Timeout"), ("azure", "ServiceRequestError"),
    ("azure", "ServiceResponseError"), ("urllib", "URLError"),
})  # fmt: skip
"""Package and class of exceptions that say: no answer, or half of one. Few are a ConnectionError of Python's."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
_HEADER_CHARS = 64


def told(error: BaseException, *, now: float) -> tuple[Kind, float | None] | None:
    """Return what an HTTP client's exception means, and the seconds that the upstream names; None for any other one.

    Args:
        error: Whatever a driver raised.
        now: Epoch seconds, for an answer that names a date and has no `Date` of its own.
    """
    response = _asked(error, "response")
    status = next((one for one in map(_status, (error, response)) if one is not None), None)
    if status is None:
        lost = any((above.__module__.partition(".")[0], above.__name__) in _LOST for above in type(error).__mro__)
        return ("transient", None) if lost else None
    headers = _asked(response, "headers") or _asked(error, "headers")
    retry_after_s = _retry_after_s(headers, now) if headers is not None else None
    if status == _THROTTLED:
        return ("permission", None) if _asked(error, "code") == _SPENT else ("throttled", retry_after_s)
    if status in _MAY_NAME_A_TIME and retry_after_s is not None:
        return "throttled", retry_after_s
    if status in _TRANSIENT or status >= 500:
        return "transient", retry_after_s
    return ("permission" if status in _DENIED else "invalid"), None


def _status(thing: Any) -> int | None:
    for name in ("status_code", "status"):
        value = _asked(thing, name)
        if type(value) is int and 400 <= value <= 599:
            return value
    return None


def _retry_after_s(headers: Any, now: float) -> float | None:
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        milliseconds = _header(headers, name)
        if _SECONDS.fullmatch(milliseconds):
            return float(milliseconds) / 1_000
    after = _header(headers, "retry-after")
    if _SECONDS.fullmatch(after):
        return float(after)
    at = _epoch(after)
    if at is None:
        return None
    # Its own clock against its own clock: ours may be another.
    return max(0.0, at - (_epoch(_header(headers, "date")) or now))


def _epoch(text: str) -> float | None:
    try:
        seconds = parsedate_to_datetime(text).timestamp() if text else math.nan
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return seconds if math.isfinite(seconds) else None


def _header(headers: Any, name: str) -> str:
    for spelled in (name, name.title()):
        value = _said(partial(_got, headers, spelled))
        if type(value) is str and len(value) <= _HEADER_CHARS:
            return value.strip()
    return ""


def _got(headers: Any, name: str) -> Any:
    return headers.get(name)


def _asked(thing: Any, name: str) -> Any:
    return _said(partial(getattr, thing, name, None))


def _said(say: Callable[[], Any]) -> Any:
    try:
        return say()
    except BaseException:  # noqa: BLE001 - a property may raise, and SystemExit at that
        return None
