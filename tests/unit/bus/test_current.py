"""The bus of the current context."""

import asyncio

import pytest

from vextir_os.bus.current import current_bus, use_bus
from vextir_os.bus.eventbus import EventBus
from vextir_os.errors import BusError


def test_without_a_bus_the_context_says_what_to_do() -> None:
    with pytest.raises(BusError) as caught:
        current_bus()

    assert str(caught.value) == (
        "there is no event bus in this context. Run inside the OS, or within `with use_bus(EventBus()):`"
    )


def test_the_inner_bus_counts_and_the_outer_one_comes_back() -> None:
    outer, inner = EventBus(), EventBus()
    with use_bus(outer):
        with use_bus(inner) as given:
            assert current_bus() is given is inner
        assert current_bus() is outer


async def test_tasks_started_within_see_the_bus_and_others_do_not() -> None:
    async def look() -> EventBus:
        return current_bus()

    with use_bus(EventBus()) as bus:
        within = asyncio.ensure_future(look())
    outside = asyncio.ensure_future(look())

    assert await within is bus
    with pytest.raises(BusError):
        await outside
