"""Where an event stands in what follows from one first event, and how much more may follow. Pure.

It travels in the attribute `lineage` of emitted events, which the OS alone writes, so that no limit needs a counter
that workers share: `12.83000;9c0f1e2a.6;77b1d0c4.6` is the depth, what is left of the flow's allowance, and how often
which driver has emitted for which type on the way here, of the last sixteen such pairs. A first event has none.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import StormError
from vextir_os.events.limits import EVENTS_PER_RUN

PAIRS = 16
"""Pairs of driver and type that a lineage remembers; a loop over more of them ends by its depth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may follow from one first event.

    Attributes:
        depth: Events in a row, each caused by the one before.
        loops: Times that one driver emits for events of one type in a row of causes.
        fan_out: Events of one run.
        flow: Events of all runs together. Each run that emits shares out what it has among its events.
    """

    depth: int = 200
    loops: int = 50
    fan_out: int = EVENTS_PER_RUN
    flow: int = 1_000_000


@lru_cache(4_096)
def descend(lineage: str, driver: str, type_: str, emits: int, emitters: int, limits: Limits) -> str:
    """Return the lineage of the events that a run emits, the same for all of them.

    Args:
        lineage: That of the event that the run handles.
        driver: Id of the driver.
        type_: Type of the event that it handles.
        emits: How many events it emits, 1 or more.
        emitters: How many runs of this event may emit at all; the allowance is shared among them.
        limits: What is allowed.

    Raises:
        StormError: A limit would be passed; the message names it, and how to raise it.
    """
    if emits > limits.fan_out:
        raise StormError(
            f"driver {driver} emits {emits} events for one, at most {limits.fan_out} are allowed",
            limit="max_fan_out",
            hint=f"Emit one event that names the rest, or raise VEXTIR_MAX_FAN_OUT, up to {EVENTS_PER_RUN}",
        )
    depth, left, counts = _read(lineage, limits)
    if depth >= limits.depth:
        raise StormError(
            f"driver {driver} emits for an event that stands {depth} steps behind the first one of its flow, at most "
            f"{limits.depth} may follow each other",
            limit="max_depth",
            hint="Let the chain end, or begin a new flow; or raise VEXTIR_MAX_DEPTH",
        )
    if _count(counts, driver, type_) > limits.loops:
        raise StormError(
            f"driver {driver} has emitted for events of type {type_} {limits.loops} times in this row of causes, and "
            "no more is allowed: what it emits comes back to it",
            limit="max_loops",
            hint="Let it stop, or let it emit what does not lead back to it; or raise VEXTIR_MAX_LOOPS",
        )
    share = left // emitters
    if share < emits:
        raise StormError(
            f"driver {driver} emits {emits} events, and {share} are left of the {limits.flow} that may follow from one "
            "first event",
            limit="max_flow",
            hint="Let the flow branch less, or begin a new one; or raise VEXTIR_MAX_FLOW",
        )
    return _written(depth + 1, (share - emits) // emits, counts)


def beside(lineage: str, driver: str, type_: str, emitters: int, limits: Limits) -> str:
    """Return the lineage of the event that tells of a run's failure; it is below every limit, as it is one a run.

    No such event comes of an event that tells of a failure, so that this ends. Args as of `descend`.
    """
    depth, left, counts = _read(lineage, limits)
    _count(counts, driver, type_)
    return _written(depth + 1, max(0, left // emitters - 1), counts)


def emitters(manifests: Iterable[Manifest | None]) -> int:
    """Return how many of the drivers may emit at all, at least 1; None is one that is not installed here."""
    able = [each is None or any(one.startswith("emit:") for one in each.permissions) for each in manifests]
    return max(1, sum(able))


def _read(lineage: str, limits: Limits) -> tuple[int, int, dict[str, int]]:
    if not lineage:
        return 0, limits.flow, {}
    place, *pairs = lineage.split(";")
    depth, _, left = place.partition(".")
    return int(depth), int(left), {mark: int(times) for mark, _, times in (pair.partition(".") for pair in pairs)}


def _count(counts: dict[str, int], driver: str, type_: str) -> int:
    mark = hashlib.blake2b(f"{driver} {type_}".encode(), digest_size=4).hexdigest()
    # The newest stands last, so that the one which has not come for longest is forgotten.
    counts[mark] = times = counts.pop(mark, 0) + 1
    if len(counts) > PAIRS:
        del counts[next(iter(counts))]
    return times


def _written(depth: int, left: int, counts: dict[str, int]) -> str:
    return ";".join([f"{depth}.{left}", *(f"{mark}.{times}" for mark, times in counts.items())])
