"""Durations and sizes as people write them: "30s", "5m", "512MB". Pure; knows no limits, who asks knows them."""

import math
import re
from datetime import timedelta

_QUANTITY = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([A-Za-z]{1,3})", re.ASCII)
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def parse_duration(value: object) -> float:
    """Return a duration in seconds. Takes "500ms", "30s", "5m", "1h", "1d", a timedelta, or a number of seconds.

    Raises:
        ValueError: It is none of these, negative or not finite; the message says what it is and how to write it.
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    else:
        seconds = _quantity(value, _SECONDS, 'a duration such as "500ms", "30s", "5m" or "1h"')
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{value!r} is not a duration of 0 seconds or more")
    return seconds


def parse_size(value: object) -> int:
    """Return a size in bytes. Takes "512MB" (millions), "512MiB" (2**20), "1GB", or a whole number of bytes.

    Raises:
        ValueError: It is none of these or negative; the message says what it is and how to write it.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        if value < 0:
            raise ValueError(f"{value!r} is not a size of 0 bytes or more")
        return value
    return int(_quantity(value, _BYTES, 'a size such as "512MB", "512MiB" or "1GB"'))


def _quantity(value: object, units: dict[str, float] | dict[str, int], wanted: str) -> float:
    found = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[2] not in units:
        shown = repr(value) if len(repr(value)) <= 40 else repr(value)[:40] + "…"
        raise ValueError(f"{shown} is not {wanted}")
    return round(float(found[1]) * units[found[2]], 6)
