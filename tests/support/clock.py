"""A clock that moves by hand, so that nobody sleeps."""


class FakeClock:
    """Implements `Clock`; `time` and `monotonic` move together, when `advance` says so.

    Args:
        start: Epoch seconds at which it stands.
    """

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._elapsed = 0.0

    def time(self) -> float:
        """Return the time that was set, in epoch seconds."""
        return self._now

    def monotonic(self) -> float:
        """Return all seconds advanced so far."""
        return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._elapsed += seconds


class TickingClock(FakeClock):
    """A clock that moves a microsecond with each look at it, so that what comes later has a later time."""

    def time(self) -> float:
        """Return a time that nobody was told before."""
        self.advance(1e-6)
        return super().time()
