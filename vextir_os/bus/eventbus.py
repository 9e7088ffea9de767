"""The in-process event bus: what happens now, for those who watch. Keeps nothing but a short history in memory.

It is a view and no queue: a slow reader loses the oldest events and is told how many; nothing is retried or stored.
All methods belong to the event loop that reads the streams; other threads hand over with `loop.call_soon_threadsafe`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from itertools import islice
from types import TracebackType
from typing import Self

from vextir_os.errors import BusError
from vextir_os.events import ids
from vextir_os.events.event import Category, Event
from vextir_os.events.filters import EventFilter, event_row
from vextir_os.ports.clock import Clock, SystemClock

Wanted = str | EventFilter | Sequence[str | EventFilter] | None
"""What a reader wants: a pattern such as `task.*` or any filter text, a parsed filter, several of which one must hold,
or None for everything."""

Sink = Callable[[Event], Awaitable[str]]
"""Publishes one event to the OS and returns the id that it got."""


class EventBus:
    """Hands events to streams as they happen and remembers the last ones.

    Args:
        history: How many events are remembered.
        sink: Where `emit` publishes; the OS then says `notify`. Without one `emit` only tells the streams.
        clock: Gives the time of events emitted without one, and of `since:2h`.
    """

    def __init__(self, history: int = 1_000, sink: Sink | None = None, *, clock: Clock | None = None) -> None:
        self._history: deque[Event] = deque(maxlen=history)
        self._sink = sink
        self._clock = clock or SystemClock()
        self._streams: dict[int, Stream] = {}
        self._closed = False

    async def emit(self, event: Event) -> str:
        """Publish an event and return its id. With a sink it is durable then, and errors are the sink's.

        Raises:
            BusError: The bus is closed.
        """
        if self._closed:
            raise BusError("the event bus is closed", hint="Emit while the OS runs")
        if self._sink is not None:
            return await self._sink(event)
        stamped = event.but(
            id=event.id or ids.mint(), time=event.time or datetime.fromtimestamp(self._clock.time(), UTC)
        )
        self.notify(stamped)
        return stamped.id

    def notify(self, event: Event) -> None:
        """Tell the streams of an event that was published or emitted; never waits and never raises."""
        self._history.append(event)
        if self._streams:
            row, now = event_row(event), self._clock.time()
            for stream in self._streams.values():
                if stream.wants(row, now):
                    stream.offer(event)

    def stream(self, wanted: Wanted = None, *, category: Category | None = None, limit: int = 1_000) -> "Stream":
        """Return a stream of what is to come: `async with bus.stream("task.*") as events: async for event in events`.

        Args:
            wanted: What to keep.
            category: Only this one, when given.
            limit: How many events wait for the reader; over it the oldest is dropped and counted as missed.

        Raises:
            FilterError: The filter cannot be read.
        """
        return Stream(self, _Keep(wanted, category), limit)

    subscribe = stream

    def history(self, wanted: Wanted = None, limit: int = 100) -> list[Event]:
        """Return the last events that were wanted, at most `limit`, the newest last. Raises `FilterError`."""
        keep, now = _Keep(wanted, None), self._clock.time()
        kept = (event for event in reversed(self._history) if keep.fits(event_row(event), now))
        return list(islice(kept, max(limit, 0)))[::-1]

    def close(self) -> None:
        """End all streams: their readers get what waits for them, and then the end."""
        self._closed = True
        for stream in [*self._streams.values()]:
            stream.close()

    def attach(self, stream: "Stream") -> None:
        """Begin to tell a stream. Raises `BusError` when the bus is closed."""
        if self._closed:
            raise BusError("the event bus is closed", hint="Open streams while the OS runs")
        self._streams[id(stream)] = stream

    def detach(self, stream: "Stream") -> None:
        """Tell a stream no more."""
        self._streams.pop(id(stream), None)


class Stream:
    """The events that one reader wants, as they happen; made by `EventBus.stream`, open within `async with`.

    Attributes:
        missed: How many events were dropped because the reader was too slow.
    """

    def __init__(self, bus: EventBus, keep: "_Keep", limit: int) -> None:
        self.missed = 0
        self._bus = bus
        self._keep = keep
        self._waiting: deque[Event] = deque(maxlen=max(limit, 1))
        self._wake = asyncio.Event()
        self._open = False
        self._ended = False

    async def __aenter__(self) -> Self:
        self._bus.attach(self)
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waiting.clear()
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if not self._open:
            raise BusError("the stream is not open", hint="Write `async with bus.stream(...) as events`")
        # An event leaves the buffer in the same step in which it is returned, so a cancelled reader loses none.
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()
        return self._waiting.popleft()

    def wants(self, row: dict[str, object], now: float) -> bool:
        """Whether the stream keeps an event with this row."""
        return self._keep.fits(row, now)

    def offer(self, event: Event) -> None:
        """Put an event behind those that wait; over the limit the oldest is dropped."""
        if len(self._waiting) == self._waiting.maxlen:
            self.missed += 1
        self._waiting.append(event)
        self._wake.set()

    def close(self) -> None:
        """End the stream: the reader gets what waits, and then the end."""
        self._bus.detach(self)
        self._ended = True
        self._wake.set()


class _Keep:
    """What a reader wants, parsed once."""

    def __init__(self, wanted: Wanted, category: Category | None) -> None:
        several = [wanted] if isinstance(wanted, (str, EventFilter)) else wanted
        parsed = several if several is None else [_parsed(one) for one in several]
        self._filters: list[EventFilter] | None = parsed
        self._category = category

    def fits(self, row: dict[str, object], now: float) -> bool:
        if self._category is not None and row["category"] != self._category:
            return False
        return self._filters is None or any(one.matches(row, now) for one in self._filters)


def _parsed(wanted: str | EventFilter) -> EventFilter:
    return wanted if isinstance(wanted, EventFilter) else EventFilter.parse(wanted)
