"""The bus of the current context: set by whoever runs the OS, read by the global names of `vextir_os.compat`."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from vextir_os.bus.eventbus import EventBus
from vextir_os.errors import BusError

_BUS: ContextVar[EventBus] = ContextVar("vextir_bus")


@contextmanager
def use_bus(bus: EventBus) -> Iterator[EventBus]:
    """Make a bus that of the current context, and of all tasks started within: `with use_bus(kernel.bus): …`."""
    token = _BUS.set(bus)
    try:
        yield bus
    finally:
        _BUS.reset(token)


def current_bus() -> EventBus:
    """Return the bus of the current context. Raises `BusError` without one."""
    try:
        return _BUS.get()
    except LookupError:
        raise BusError(
            "there is no event bus in this context", hint="Run inside the OS, or within `with use_bus(EventBus()):`"
        ) from None
