"""Back-pressure: whether there is room for more events from outside. What runs emit is never asked here.

Looked at when somebody publishes, at most every half second; in between a publish costs two comparisons. A rush may
so pass the bound by what comes in half a second.
"""

import contextlib
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vextir_os.errors import DiskLowError, OverloadedError, QueueFullError, StoreUnavailableError
from vextir_os.ports.clock import Clock
from vextir_os.ports.gauges import Level

LOOK_S = 0.5
"""Seconds for which a look counts."""

_RETRY_S = (1.0, 60.0)
_UNKNOWN_RATE_S = 5.0
_DISK_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How full the queue and the disk may be before nothing more is let in; 0 is no bound.

    Attributes:
        waiting: Messages that wait on the queues.
        free_bytes: Room that stays free on the disk.
        used_bytes: Size of the database.
    """

    waiting: int = 0
    free_bytes: int = 0
    used_bytes: int = 0


class Pressure:
    """What was seen at the last look.

    Args:
        look: Says how full queue and disk are.
        bounds: How full they may be.
        clock: Only its monotonic time counts.
    """

    def __init__(self, look: Callable[[], Awaitable[Level]], bounds: Bounds, clock: Clock) -> None:
        self._look = look
        self._bounds = bounds
        self._clock = clock
        self._next = -math.inf if bounds != Bounds() else math.inf
        self._before: tuple[float, int] | None = None
        self._rate = 0.0
        self._full: tuple[type[OverloadedError], str, str, float] | None = None

    def may_refuse(self) -> bool:
        """Whether `check` has to be asked; most of the time it has not."""
        return self._full is not None or self._clock.monotonic() >= self._next

    async def check(self) -> None:
        """Return when there is room.

        Raises:
            QueueFullError: More events wait than may; `retry_after_s` is how long it takes to work them off.
            DiskLowError: The disk, or the database, is fuller than it may be.
        """
        now = self._clock.monotonic()
        if now >= self._next:
            # Set first: whoever publishes meanwhile goes by the last look.
            self._next = now + LOOK_S
            with contextlib.suppress(StoreUnavailableError):
                self._judge(await self._look(), now)
        if self._full is not None:
            kind, what, hint, seconds = self._full
            raise kind(what, hint=hint, retry_after_s=seconds)

    def _judge(self, level: Level, now: float) -> None:
        bounds = self._bounds
        self._learn_rate(level.waiting, now)
        self._full = None
        if bounds.free_bytes > 0 and level.free_bytes < bounds.free_bytes:
            what = f"{_mb(level.free_bytes)} are free on the disk, and {_mb(bounds.free_bytes)} are to stay free"
            self._full = DiskLowError, what, "Make room, or lower VEXTIR_MIN_FREE_DISK", _DISK_S
        elif 0 < bounds.used_bytes < level.used_bytes:
            what = f"the database has {_mb(level.used_bytes)}, at most {_mb(bounds.used_bytes)} are allowed"
            self._full = DiskLowError, what, "Lower VEXTIR_RETENTION_S, or raise VEXTIR_MAX_DATABASE", _DISK_S
        elif 0 < bounds.waiting < level.waiting:
            seconds = self._seconds_for(level.waiting - bounds.waiting)
            what = f"{level.waiting:,} events wait on the queue, at most {bounds.waiting:,} may"
            hint = f"Send again in {seconds:g} s; is `vextir dev` running? Or raise VEXTIR_MAX_QUEUE_DEPTH"
            self._full = QueueFullError, what, hint, seconds

    def _learn_rate(self, waiting: int, now: float) -> None:
        if self._before is not None and now > self._before[0]:
            then, were = self._before
            rate = max(0.0, (were - waiting) / (now - then))
            # Half of the old: one quiet moment says little.
            self._rate = rate if self._rate == 0 else (self._rate + rate) / 2
        self._before = now, waiting

    def _seconds_for(self, count: int) -> float:
        low, high = _RETRY_S
        seconds = count / self._rate if self._rate > 0 else _UNKNOWN_RATE_S
        return float(math.ceil(min(high, max(low, seconds))))


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
