"""What this process has done, in numbers. Values that are added to; knows no observer and no format.

Whatever comes from outside and becomes a label is bounded: what is over the bound counts as `other`.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

OTHER = "other"
"""Label of all that is over a bound."""

TYPES = 100
"""Event types that are counted by name, at most."""

DRIVERS = 500
"""Drivers that are counted by name, at most."""

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the buckets of every time that is measured."""


class Buckets:
    """How many times were at most as long as each bound and longer than the one before, and their sum."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(SECONDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one; a time that a clock which was set back made negative is 0."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds


class Tally(dict[str, int]):
    """Counts by label, of which there are at most so many, and `other`."""

    __slots__ = ("_most",)

    def __init__(self, most: int, labels: Sequence[str] = ()) -> None:
        super().__init__(dict.fromkeys(labels, 0))
        self._most = most

    def add(self, label: str) -> None:
        """Count one."""
        found = self.get(label)
        if found is None and len(self) >= self._most:
            label, found = OTHER, self.get(OTHER)
        self[label] = (found or 0) + 1


class OfDriver:
    """What is counted of one driver; `states` are those of runs that ended for good."""

    __slots__ = ("duration", "emitted", "lost", "retries", "states", "unwell")

    def __init__(self) -> None:
        self.states = {"done": 0, "dead": 0}
        self.duration = Buckets()
        self.retries = self.lost = self.emitted = self.unwell = 0


@dataclass(slots=True, kw_only=True)
class Counts:
    """What was counted since the start.

    Attributes:
        published: Events that came in by an edge, by type.
        refused: Requests to publish that were not accepted, by the error's code.
        admitted: Records that were created.
        finished: Events that are over, by status.
        decisions: Of policy, by verb and effect.
        dead_letters: By kind.
        wait: Seconds on the queue until the record was created.
        latency: Seconds from the queue, or of an event that a knock finished from its record, to its end.
        received: Deliveries, and `again` those of them that were not the first of their message.
        settled: What became of deliveries.
        missed: Writes to records that had to be looked at again, by reason.
        swept: What sweeps did.
        unlogged: Lines that the log had no room for.
    """

    published: Tally = field(default_factory=lambda: Tally(TYPES))
    refused: Tally = field(default_factory=lambda: Tally(TYPES))
    admitted: int = 0
    finished: Tally = field(default_factory=lambda: Tally(TYPES, ("ok", "failed", "denied", "unrouted")))
    decisions: dict[tuple[str, str], int] = field(default_factory=dict)
    drivers: dict[str, OfDriver] = field(default_factory=dict)
    dead_letters: dict[str, int] = field(default_factory=lambda: {"message": 0, "run": 0})
    wait: Buckets = field(default_factory=Buckets)
    latency: Buckets = field(default_factory=Buckets)
    received: int = 0
    again: int = 0
    settled: dict[str, int] = field(default_factory=lambda: {"complete": 0, "settled": 0, "abandoned": 0})
    missed: dict[str, int] = field(default_factory=lambda: {"conflict": 0, "unavailable": 0})
    swept: dict[str, int] = field(default_factory=lambda: {"sweeps": 0, "knocked": 0, "drained": 0, "purged": 0})
    unlogged: int = 0

    def driver(self, name: str) -> OfDriver:
        """Return what is counted of a driver; of those over the bound together."""
        found = self.drivers.get(name)
        if found is None:
            if len(self.drivers) >= DRIVERS and name != OTHER:
                return self.driver(OTHER)
            found = self.drivers[name] = OfDriver()
        return found

    def decided(self, verb: str, effect: str, count: int = 1) -> None:
        """Count decisions of policy."""
        key = (verb, effect)
        self.decisions[key] = self.decisions.get(key, 0) + count
