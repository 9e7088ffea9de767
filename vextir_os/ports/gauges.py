"""What store and queue know of themselves at one moment: depths, ages, sizes. Asked only when somebody looks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGauge:
    """One queue, or the dead letters of one.

    Attributes:
        name: `events`, `events/$deadletterqueue`.
        messages: How many there are by state: `active`, `locked`, `scheduled`, `deferred`.
        oldest_at: When the oldest of the active ones was sent, in epoch seconds; None when there is none.
    """

    name: str
    messages: dict[str, int]
    oldest_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """A storage at one moment.

    Attributes:
        queues: All there are, by name.
        bytes_by_file: Size of each file that is there: `data`, `log`.
        group_units: Of this process: how many transactions had n units of work, at the index of n's bit length.
        units: Of this process: units of work in all of them.
    """

    queues: Sequence[QueueGauge]
    bytes_by_file: dict[str, int]
    group_units: Sequence[int]
    units: int


class Level(NamedTuple):
    """How full a storage is, as far as it decides whether more is let in.

    Attributes:
        waiting: Messages that wait on the queues that were named.
        used_bytes: Size of the database, its log included.
        free_bytes: Room on its disk.
    """

    waiting: int
    used_bytes: int
    free_bytes: int


class Gauged(Protocol):
    """Storage that can be looked at. What is asked costs it milliseconds, however much it holds."""

    async def gauges(self) -> Gauges:
        """Return how things stand now. Raises `StoreUnavailableError`."""
        ...

    async def level(self, *queues: str) -> Level:
        """Return how full it is. Raises `StoreUnavailableError`."""
        ...
