"""Starts of a driver in time, of which there are so many in any period; the document that counts them. Pure.

    {"v": 1, "id": "throttle~mail.send~5c…", "pk": …, "kind": "throttle", "ttl": 3600, "tail": 1795200061.5,
     "starts": [[1795200000.0, 40], [1795200001.0, 60]]}

Starts are counted by sixtieths of the period, and counted as long as any part of their sixtieth is in the period: so
there are never more than allowed, wherever the period begins, and the document stays small. Who may not start is given
a time; the times are as far apart as the rate says, so that those who wait do not all come at once. A start whose
answer was lost may be counted twice, which only makes others wait.
"""

import math
from typing import Literal, NamedTuple, TypedDict

from vextir_os.driverkit.flow import Rate

_PARTS = 60


class ThrottleDoc(TypedDict):
    """Starts by the beginning of their part of the period, and the last time that was given to who waits."""

    v: int
    id: str
    pk: str
    kind: Literal["throttle"]
    ttl: int
    tail: float
    starts: list[list[float]]


class Started(NamedTuple):
    """Whether it may start; if not, when it is to ask again, in epoch seconds."""

    go: bool
    at: float = 0.0


def no_starts(name: str, rate: Rate) -> ThrottleDoc:
    """Return the document of this name before anybody has written it."""
    return {
        "v": 1, "id": name, "pk": name, "kind": "throttle", "ttl": math.ceil(rate.period_s) * 2 + 60, "tail": 0.0,
        "starts": [],
    }  # fmt: skip


def start(doc: ThrottleDoc, rate: Rate, *, waited: bool, now: float) -> tuple[ThrottleDoc, Started]:
    """Ask to start.

    Args:
        doc: As it was read; never changed in place.
        rate: What is allowed.
        waited: Whether it was given a time before; else it stands behind all that were.
        now: Epoch seconds.
    """
    part = rate.period_s / _PARTS
    counted = [pair for pair in doc["starts"] if pair[0] + part + rate.period_s > now]
    used = sum(int(pair[1]) for pair in counted)
    doc = {**doc, "starts": counted}
    if used < rate.starts and (waited or doc["tail"] <= now):
        begin = math.floor(now / part) * part
        others = [pair for pair in counted if pair[0] != begin]
        own = sum(pair[1] for pair in counted if pair[0] == begin) + 1
        return {**doc, "starts": sorted([*others, [begin, own]])}, Started(go=True)
    free = now if used < rate.starts else _free_at(counted, used - rate.starts + 1) + part + rate.period_s
    if waited:
        return doc, Started(go=False, at=max(free, now + part))
    at = max(free, doc["tail"] + rate.period_s / rate.starts)
    return {**doc, "tail": at}, Started(go=False, at=at)


def _free_at(counted: list[list[float]], places: int) -> float:
    """Return the beginning of the part with which this many starts go out of the period."""
    for begin, number in counted:
        places -= int(number)
        if places <= 0:
            return begin
    return counted[-1][0]
