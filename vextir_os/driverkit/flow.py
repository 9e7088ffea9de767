"""How much of a driver runs at once, how often it starts, and what becomes of events that come too close together.

Values and their reading from what people write; what they bring about is the processor's. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from vextir_os.driverkit.durations import parse_duration
from vextir_os.errors import did_you_mean

Singleton = Literal["", "skip", "cancel_running"]

AT_ONCE = 10_000
"""Runs of one driver that may be asked for at once, at most."""

PERIOD_S = 86_400.0
"""Longest period of a throttle, and longest wait of a debounce, in seconds."""

ATTRIBUTES = ("type", "source", "subject", "tenantid", "userid", "correlationid", "partitionkey")
"""What a key may name beside the data."""

_KEY = re.compile(r"data(?:\.[A-Za-z0-9_-]{1,64}){1,8}", re.ASCII)
_RATE = re.compile(r"(\d{1,6})/(\d{0,5}(?:ms|s|m|h|d))", re.ASCII)
_DEBOUNCE_TURNS = 10

Problem = tuple[str, str]
"""What is wrong, and a hint; the hint may be empty."""


class Rate(NamedTuple):
    """So many starts in any period of so many seconds, at most."""

    starts: int
    period_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The limits of one driver. Keys are paths into the event, `data.customer` or an attribute; empty for none.

    Attributes:
        concurrency: Runs at once over all workers, of each value of its key; None for any number.
        throttle: Starts in a period, of each value of its key; later ones wait.
        debounce_s: Of events that follow one another within this time, of one value of its key, the last one runs.
        debounce_max_s: The last one waits no longer than this after the first one.
        singleton: What becomes of an event while another one of its key's value runs: nothing (the empty word), the
            new one is dropped (`skip`), or the running one is cancelled.
    """

    concurrency: int | None = None
    concurrency_key: str = ""
    throttle: Rate | None = None
    throttle_key: str = ""
    debounce_s: float | None = None
    debounce_key: str = ""
    debounce_max_s: float = 0.0
    singleton: Singleton = ""
    singleton_key: str = ""


def read_flow(
    *,
    concurrency: Any,
    concurrency_key: Any,
    throttle: Any,
    throttle_key: Any,
    debounce: Any,
    debounce_key: Any,
    debounce_max: Any,
    singleton: Any,
    singleton_key: Any,
    problems: list[Problem],
) -> Flow | None:
    """Return what the options of `@driver` say, None when they say nothing; what is wrong is added to `problems`."""
    keys = {
        "concurrency": concurrency_key, "throttle": throttle_key, "debounce": debounce_key, "singleton": singleton_key,
    }  # fmt: skip
    given = {
        "concurrency": concurrency is not None, "throttle": throttle is not None, "debounce": debounce is not None,
        "singleton": singleton is not None,
    }  # fmt: skip
    wrong = list(_key_problems(keys, given))
    if debounce_max is not None and debounce is None:
        wrong.append(("debounce_max is given without debounce", 'Write debounce="5s" too'))
    if concurrency is not None and not (type(concurrency) is int and 1 <= concurrency <= AT_ONCE):
        wrong.append((f"concurrency {concurrency!r} is not a whole number from 1 to {AT_ONCE}", ""))
    if singleton not in (None, "skip", "cancel_running"):
        hint = did_you_mean(str(singleton), ("skip", "cancel_running")) or "It is one of `skip`, `cancel_running`"
        wrong.append((f"unknown singleton `{singleton}`", hint))
    rate = _read_rate(throttle, wrong)
    quiet_s = _read_time("debounce", debounce, wrong)
    longest_s = _read_time("debounce_max", debounce_max, wrong)
    if quiet_s is not None and longest_s is not None and longest_s < quiet_s:
        wrong.append((f"debounce_max {debounce_max!r} is shorter than debounce {debounce!r}", ""))
    problems += wrong
    if wrong or not any(given.values()):
        return None
    return Flow(
        concurrency=concurrency,
        concurrency_key=concurrency_key,
        throttle=rate,
        throttle_key=throttle_key,
        debounce_s=quiet_s,
        debounce_key=debounce_key,
        debounce_max_s=longest_s or (quiet_s or 0.0) * _DEBOUNCE_TURNS,
        singleton=singleton or "",
        singleton_key=singleton_key,
    )


def _key_problems(keys: dict[str, Any], given: dict[str, bool]) -> Iterator[Problem]:
    for option, key in keys.items():
        if key == "":
            continue
        if not given[option]:
            yield f"{option}_key is given without {option}", f"Write {option}=... too, or leave the key out"
        if not isinstance(key, str) or not (key in ATTRIBUTES or _KEY.fullmatch(key)):
            hint = did_you_mean(str(key), ATTRIBUTES) or "Write a path such as `data.customer`, or an attribute"
            yield f"{option}_key {str(key)[:80]!r} names nothing of an event", hint


def _read_rate(value: Any, wrong: list[Problem]) -> Rate | None:
    if value is None:
        return None
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        wrong.append((f"throttle {str(value)[:40]!r} is no rate", 'Write throttle="100/m", "5/s" or "20/30s"'))
        return None
    number = found[2].rstrip("mshd")
    starts, period_s = int(found[1]), parse_duration(f"{number or 1}{found[2][len(number) :]}")
    if not 1 <= starts <= AT_ONCE or not 0.01 <= period_s <= PERIOD_S:
        wrong.append((f"throttle {value!r} is not 1 to {AT_ONCE} starts in 10 ms to 1 day", ""))
        return None
    return Rate(starts, period_s)


def _read_time(option: str, value: Any, wrong: list[Problem]) -> float | None:
    if value is None:
        return None
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        wrong.append((f"{option} {error}", ""))
        return None
    if not 0.01 <= seconds <= PERIOD_S:
        wrong.append((f"{option} {value!r} is not between 10 ms and 1 day", ""))
        return None
    return seconds
