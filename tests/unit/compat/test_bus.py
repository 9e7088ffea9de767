"""The global names of the bus act on that of the current context."""

import pytest

from vextir_os.bus.current import use_bus
from vextir_os.bus.eventbus import EventBus
from vextir_os.compat import emit, get_event_bus, subscribe
from vextir_os.errors import BusError
from vextir_os.events.event import Event


async def test_what_is_emitted_reaches_those_who_subscribed() -> None:
    with use_bus(EventBus()) as bus:
        async with subscribe("task.*") as events:
            event_id = await emit(Event(type="task.done"))

            assert (await anext(events)).id == event_id
        assert get_event_bus() is bus
        assert [event.id for event in get_event_bus().history(limit=5)] == [event_id]


async def test_without_a_bus_each_name_raises() -> None:
    message = r"^there is no event bus in this context\. "
    with pytest.raises(BusError, match=message):
        get_event_bus()
    with pytest.raises(BusError, match=message):
        subscribe("task.*")
    with pytest.raises(BusError, match=message):
        await emit(Event(type="a"))
