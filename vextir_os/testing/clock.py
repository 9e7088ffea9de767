"""The time of an OS under test: that of its event loop, from a fixed day on."""

from datetime import UTC, datetime

from vextir_os.testing.loop import VirtualLoop

START = datetime(2027, 1, 15, 8, tzinfo=UTC)
"""When an OS under test begins, if nobody says otherwise."""


class VirtualClock:
    """Implements `Clock` on the time of a loop.

    Args:
        loop: Whose time it is.
        start: When it begins; aware.
    """

    def __init__(self, loop: VirtualLoop, start: datetime = START) -> None:
        self._loop = loop
        self._start = start.timestamp()

    @property
    def now(self) -> datetime:
        """The time; aware, UTC."""
        return datetime.fromtimestamp(self.time(), UTC)

    def time(self) -> float:
        """Return the time in epoch seconds."""
        return self._start + self._loop.time()

    def monotonic(self) -> float:
        """Return the seconds since it began."""
        return self._loop.time()

    def __repr__(self) -> str:
        return f"<clock {self.now.isoformat(timespec='milliseconds')}>"
