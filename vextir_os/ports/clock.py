"""Time as the store sees it."""

import time
from typing import Protocol


class Clock(Protocol):
    """A clock. `time` is what records and messages carry; `monotonic` is for time-outs inside one process."""

    def time(self) -> float:
        """Return the store's time in seconds since the epoch (UTC). Nothing is compared finer than 2 s across hosts."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back; only differences mean anything."""
        ...


class SystemClock:
    """The machine's own clock; right for SQLite, where store and workers share one machine."""

    def time(self) -> float:
        """Return `time.time()`."""
        return time.time()

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()
