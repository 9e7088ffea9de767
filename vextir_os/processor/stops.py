"""Drivers at work in this process, so that one whose run is lost ends soon. Nothing rests on it: the fence decides.

Only a driver that waits is listed, since no other can be stopped. Ending one is the end of its time-out: the driver
sees its cancellation, whatever it answers is refused by the record, and its worker goes on.
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from vextir_os.runs.record import RecordDoc

_REMEMBERED = 1_000


class Working(NamedTuple):
    """A driver at work under a fence, and its time-out."""

    driver: str
    fence: int
    limit: asyncio.Timeout


class Stops:
    """The drivers at work, by record. Used from one event loop."""

    __slots__ = ("_fences", "_working")

    def __init__(self) -> None:
        self._working: dict[str, list[Working]] = {}
        self._fences: dict[str, Mapping[str, int]] = {}

    def add(self, record: str, working: Working) -> None:
        """List a driver; it is within its time-out. One whose run was lost since its claim ends at once."""
        self._working.setdefault(record, []).append(working)
        if self._fences and record in self._fences:
            _end(working, self._fences[record])

    def remove(self, record: str, working: Working) -> None:
        """Take a driver off the list."""
        listed = self._working[record]
        listed.remove(working)
        if not listed:
            del self._working[record]

    def end(self, record: RecordDoc) -> None:
        """End the drivers whose runs this copy of their record shows lost, now and in the moment to come."""
        fences = {driver: run["fence"] for driver, run in record["runs"].items()}
        self._fences[record["id"]] = fences
        if len(self._fences) > _REMEMBERED:
            del self._fences[next(iter(self._fences))]
        for working in self._working.get(record["id"], ()):
            _end(working, fences)


def _end(working: Working, fences: Mapping[str, int]) -> None:
    # A record without the run is that of an event which was cancelled before it was admitted.
    lost = working.driver not in fences or fences[working.driver] > working.fence
    if lost and not working.limit.expired():
        working.limit.reschedule(asyncio.get_running_loop().time())
