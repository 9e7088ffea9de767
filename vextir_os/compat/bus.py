"""The one global bus, as users know it: these names act on the bus of the current context."""

from vextir_os.bus.current import current_bus
from vextir_os.bus.eventbus import EventBus, Stream, Wanted
from vextir_os.events.event import Event
from vextir_os.events.names import ERROR


def get_event_bus() -> EventBus:
    """Return the bus of the current context. Raises `BusError` without one."""
    return current_bus()


async def emit(event: Event) -> str:
    """Publish an event on the bus of the current context and return its id. Raises `BusError` without one."""
    return await current_bus().emit(event)


def subscribe(wanted: Wanted = None) -> Stream:
    """Return a stream of the current bus: `async with subscribe("task.*") as events`. Raises `BusError` without one.

    `error` means the OS's own `vextir.error` too: driver and cause of a run that failed for good.
    """
    if wanted == "error":
        wanted = ["error", ERROR]
    return current_bus().subscribe(wanted)
