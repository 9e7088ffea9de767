"""Calling a driver with an event. No time-out, no retry, no permission: those belong to the processor."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isawaitable
from types import CoroutineType
from typing import Any

from vextir_os.driverkit.binding import Binding
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import BINDING, MANIFEST
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ManifestError
from vextir_os.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDriver:
    """A driver that can be called.

    Attributes:
        manifest: What it declares; with place and hash where it comes from the index.
        start: `(event, context) -> what the function returns`, its arguments bound.
    """

    manifest: Manifest
    start: Callable[[Event, Context], Any]


def loaded(function: Callable[..., Any], manifest: Manifest | None = None) -> LoadedDriver:
    """Return a decorated function as a driver that can be called.

    Args:
        function: A function under `@driver`.
        manifest: Stands in for the function's own one: the same with place and hash.

    Raises:
        ManifestError: The function is not under `@driver`.
    """
    own = getattr(function, MANIFEST, None)
    if own is None:
        name = getattr(function, "__name__", repr(function))
        raise ManifestError(f"`{name}` is no driver", hint=f'Put @driver("...", capabilities=[...]) on `{name}`')
    binding: Binding = getattr(function, BINDING)
    return LoadedDriver(manifest=manifest or own, start=binding.starter(function))


async def call_driver(driver: LoadedDriver, event: Event, ctx: Context) -> Any:
    """Call a driver and return what it returned, as it is: see `outcome.normalise`.

    Raises:
        InvalidPayloadError: The event's data does not fit the driver's typed `data`; the driver was not entered.
        Exception: Whatever the driver raises, untouched.
    """
    returned = driver.start(event, ctx)
    if type(returned) is CoroutineType or isawaitable(returned):
        return await returned
    return returned
