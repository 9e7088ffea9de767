"""The in-process bus: who listens hears, who is slow is told, and nobody hangs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from vextir_os.bus.eventbus import EventBus, Stream, Wanted
from vextir_os.errors import BusError, DeniedError, FilterError
from vextir_os.events.event import Event
from vextir_os.events.filters import EventFilter

NOW = 1_781_524_800.0


class StoppedClock:
    """A clock that stands still."""

    def time(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return 0.0


def event(type_: str, **attributes: Any) -> Event:
    return Event(type=type_, **{"id": type_, "source": "/s", **attributes})


def bus_of(*types: str, history: int = 1_000) -> EventBus:
    bus = EventBus(history, clock=StoppedClock())
    for type_ in types:
        bus.notify(event(type_))
    return bus


async def read(stream: AsyncIterator[Event]) -> list[str]:
    return [one.type async for one in stream]


async def test_a_stream_gets_what_happens_while_it_is_open() -> None:
    bus = EventBus()
    bus.notify(event("before"))
    async with bus.stream() as events:
        bus.notify(event("first"))
        bus.notify(event("second"))
        bus.close()
        bus.notify(event("after"))

        assert await read(events) == ["first", "second"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, ["task.done", "mail.received", "task.a.b"]),
        ("", ["task.done", "mail.received", "task.a.b"]),
        ("task.*", ["task.done"]),
        (["task.**", "mail.received"], ["task.done", "mail.received", "task.a.b"]),
        ([], []),
        ("task.** -task.done", ["task.a.b"]),
        (EventFilter.parse("mail.* priority>6"), ["mail.received"]),
        ([EventFilter.parse("priority>6"), "task.done"], ["task.done", "mail.received"]),
    ],
    ids=["all", "empty text", "pattern", "patterns", "no pattern", "filter text", "filter", "filter and pattern"],
)
async def test_a_stream_keeps_what_was_wanted(wanted: Wanted, expected: list[str]) -> None:
    bus = EventBus()
    async with bus.subscribe(wanted) as events:
        for one in (event("task.done"), event("mail.received", priority=7), event("task.a.b")):
            bus.notify(one)
        bus.close()

        assert await read(events) == expected
    assert [one.type for one in bus.history(wanted)] == expected


async def test_a_stream_may_ask_for_one_category() -> None:
    bus = EventBus()
    async with bus.stream("task.*", category="output") as events:
        bus.notify(event("task.in"))
        bus.notify(event("task.out", category="output"))
        bus.notify(event("mail.out", category="output"))
        bus.close()

        assert await read(events) == ["task.out"]


def test_a_filter_with_a_mistake_is_refused_before_anything_is_read() -> None:
    with pytest.raises(FilterError, match=r"^filter, character 1: unknown key `usr`\. Did you mean `user`\?$"):
        EventBus().stream("usr:ann")


async def test_every_stream_gets_every_event_it_wants() -> None:
    bus = EventBus()
    async with bus.stream("a") as one, bus.stream() as two:
        bus.notify(event("a"))
        bus.notify(event("b"))
        bus.close()

        assert (await read(one), await read(two)) == (["a"], ["a", "b"])


async def test_a_waiting_reader_is_woken_by_an_event() -> None:
    bus = EventBus()
    async with bus.stream() as events:
        reading = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        bus.notify(event("a"))

        assert (await reading).type == "a"


async def test_a_slow_reader_loses_the_oldest_events_and_is_told_how_many() -> None:
    bus = EventBus()
    async with bus.stream(limit=2) as events:
        for index in range(5):
            bus.notify(event(f"e{index}"))
        bus.close()

        assert events.missed == 3
        assert await read(events) == ["e3", "e4"]


async def test_a_cancelled_reader_loses_no_event() -> None:
    bus = EventBus()
    async with bus.stream() as events:
        reading = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        bus.notify(event("a"))
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        bus.notify(event("b"))
        bus.close()

        assert await read(events) == ["a", "b"]


async def test_several_readers_of_one_stream_share_its_events() -> None:
    bus = EventBus()
    async with bus.stream() as events:
        readers = [asyncio.ensure_future(read(events)) for _ in range(3)]
        await asyncio.sleep(0)
        for index in range(6):
            bus.notify(event(f"e{index}"))
        bus.close()

        shares = await asyncio.gather(*readers)

    assert sorted(type_ for share in shares for type_ in share) == [f"e{index}" for index in range(6)]


async def test_closing_the_bus_wakes_all_readers() -> None:
    bus = EventBus()
    async with bus.stream() as one, bus.stream() as two:
        readers = [asyncio.ensure_future(read(stream)) for stream in (one, two)]
        await asyncio.sleep(0)

        bus.close()

        assert await asyncio.gather(*readers) == [[], []]


async def test_leaving_the_stream_ends_a_reader_elsewhere() -> None:
    bus = EventBus()
    async with bus.stream() as events:
        reading = asyncio.ensure_future(read(events))
        await asyncio.sleep(0)

    assert await reading == []


async def test_a_stream_that_was_left_holds_and_gets_nothing() -> None:
    bus = EventBus()
    async with bus.stream() as events:
        bus.notify(event("a"))
    bus.notify(event("b"))

    assert await read(events) == []


async def test_a_reader_that_fails_takes_no_other_with_it() -> None:
    bus = EventBus()

    async def fail() -> None:
        async with bus.stream() as events:
            raise ZeroDivisionError((await anext(events)).type)

    async with bus.stream() as survivor:
        failing = asyncio.ensure_future(fail())
        await asyncio.sleep(0)
        bus.notify(event("a"))
        with pytest.raises(ZeroDivisionError, match=r"^a$"):
            await failing
        bus.notify(event("b"))
        bus.close()

        assert await read(survivor) == ["a", "b"]


async def test_a_stream_is_read_within_async_with() -> None:
    with pytest.raises(
        BusError, match=r"^the stream is not open\. Write `async with bus\.stream\(\.\.\.\) as events`$"
    ):
        await anext(EventBus().stream())


async def test_a_closed_bus_opens_no_stream_and_emits_nothing() -> None:
    bus = EventBus()
    bus.close()

    with pytest.raises(BusError, match=r"^the event bus is closed\. Open streams while the OS runs$"):
        async with bus.stream():
            pass
    with pytest.raises(BusError, match=r"^the event bus is closed\. Emit while the OS runs$"):
        await bus.emit(event("a"))


async def test_without_a_sink_emit_gives_id_and_time_and_tells_the_streams() -> None:
    bus = EventBus(clock=StoppedClock())
    async with bus.stream() as events:
        event_id = await bus.emit(Event(type="task.done", data={"x": 1}))

        told = await anext(events)
    assert (told.id, told.data, told.time) == (event_id, {"x": 1}, datetime.fromtimestamp(NOW, UTC))
    assert len(event_id) == 36


async def test_emit_keeps_the_id_and_time_that_an_event_has() -> None:
    bus = EventBus()
    when = datetime(2020, 1, 1, tzinfo=UTC)

    assert await bus.emit(event("a", id="mine", time=when)) == "mine"
    assert bus.history()[0].time == when


async def test_with_a_sink_emit_publishes_and_leaves_the_telling_to_the_os() -> None:
    published: list[Event] = []

    async def publish(one: Event) -> str:
        published.append(one)
        return "given-by-the-os"

    bus = EventBus(sink=publish)

    assert await bus.emit(Event(type="a")) == "given-by-the-os"
    assert published == [Event(type="a")]
    assert bus.history() == []


async def test_what_the_sink_refuses_reaches_nobody() -> None:
    async def refuse(one: Event) -> str:
        raise DeniedError(f"not {one.type}")

    bus = EventBus(sink=refuse)
    async with bus.stream() as events:
        with pytest.raises(DeniedError, match=r"^not a$"):
            await bus.emit(Event(type="a"))
        bus.close()

        assert await read(events) == []


def test_history_is_the_last_events_newest_last() -> None:
    bus = bus_of("a", "b", "c", "d", history=3)

    assert [one.type for one in bus.history()] == ["b", "c", "d"]
    assert [one.type for one in bus.history(limit=2)] == ["c", "d"]
    assert [one.type for one in bus.history(["b", "c"], limit=1)] == ["c"]
    assert bus.history(limit=0) == bus.history(limit=-1) == []


def test_history_knows_the_time() -> None:
    bus = bus_of()
    for minutes in (90, 30):
        bus.notify(event(f"e{minutes}", time=datetime.fromtimestamp(NOW - minutes * 60, UTC)))

    assert [one.type for one in bus.history("since:1h")] == ["e30"]


def test_history_stays_readable_when_the_bus_is_closed() -> None:
    bus = bus_of("a")
    bus.close()

    assert [one.type for one in bus.history()] == ["a"]


async def test_data_that_is_no_json_does_not_trouble_those_who_are_told() -> None:
    bus = EventBus()
    async with bus.stream(["word", "data.x:1", "a"]) as events:
        bus.notify(event("a", data={"x": object()}))
        bus.close()

        assert await read(events) == ["a"]


def test_a_stream_needs_no_running_loop_to_be_made() -> None:
    assert isinstance(EventBus().stream(), Stream)
