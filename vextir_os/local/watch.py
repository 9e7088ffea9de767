"""Watches, in this process, what becomes of events: of one until it is finished, or of all until nothing is left."""

import asyncio
from collections.abc import Sequence

from vextir_os.events.event import Event
from vextir_os.processor.observe import Observer
from vextir_os.runs.record import RecordDoc, is_finished

_EARLY = 10_000


class Watch(Observer):
    """An observer that knows which events are still open: those expected, and all that they cause."""

    def __init__(self) -> None:
        self.failed_to_read: list[str] = []
        self._open: set[str] = set()
        # Where a commit and its publishing are two steps, a caused event can be finished before it is told of.
        self._early: dict[str, None] = {}
        self._idle = asyncio.Event()
        self._idle.set()

    def expect(self, *event_ids: str) -> None:
        """Count these events as open until their records are finished. Call it before they are published."""
        self._open.update(event_ids)
        self._idle.clear()

    def forget(self, *event_ids: str) -> None:
        """Count these events as open no more: they were not published."""
        self._open.difference_update(event_ids)
        if not self._open:
            self._idle.set()

    @property
    def open(self) -> Sequence[str]:
        """Ids of the events that are not finished yet."""
        return sorted(self._open)

    async def idle(self) -> None:
        """Wait until every expected event, and all that they caused, is finished."""
        # Who waits is woken a moment later: by then another event may have been told of.
        while self._open:
            await self._idle.wait()

    def emitted(self, event: Event) -> None:
        """Count an emitted event as open, unless it is finished already."""
        if event.id in self._early:
            del self._early[event.id]
        else:
            self.expect(event.id)

    def recorded(self, record: RecordDoc) -> None:
        """Count an event as finished once nothing can happen to its record any more."""
        if not is_finished(record):
            return
        event_id = record["event_id"]
        if event_id in self._open:
            self.forget(event_id)
        else:
            self._early[event_id] = None
            if len(self._early) > _EARLY:
                del self._early[next(iter(self._early))]

    def quarantined(self, reason: str, document_id: str) -> None:
        """Remember that a message could not be read."""
        self.failed_to_read.append(f"{document_id}: {reason}")
