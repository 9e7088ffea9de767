"""Calling a driver with an event. No time-out, no retry, no permission: those belong to the processor."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from inspect import isawaitable
from types import CoroutineType
from typing import Any, Protocol

from vextir_os.driverkit.binding import Binding
from vextir_os.driverkit.classes import is_class
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import BINDING, MANIFEST
from vextir_os.driverkit.instance import Instance
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ManifestError
from vextir_os.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDriver:
    """A driver that can be called.

    Attributes:
        manifest: What it declares; with place and hash where it comes from the index.
        start: `(event, context) -> what the driver returns`, its arguments bound.
        instance: Of a class driver: makes, starts and stops what `start` calls; None for a function.
    """

    manifest: Manifest
    start: Callable[[Event, Context], Any]
    instance: Instance | None = None

    def apart(self) -> "LoadedDriver":
        """Return the driver for another event loop: a function as it is, a class with an instance of its own."""
        if self.instance is None:
            return self
        other = self.instance.another()
        return replace(self, start=other, instance=other)


def declared(target: object) -> Manifest | None:
    """Return the manifest of a function or class under `@driver`; None for anything else, a subclass included."""
    found: Manifest | None = getattr(target, "__dict__", {}).get(MANIFEST)
    return found


def loaded(target: Callable[..., Any], manifest: Manifest | None = None) -> LoadedDriver:
    """Return a decorated function or class as a driver that can be called; makes no instance.

    Args:
        target: A function or class under `@driver`.
        manifest: Stands in for its own one: the same with place and hash.

    Raises:
        ManifestError: It is not under `@driver`.
    """
    manifest = manifest or declared(target)
    if manifest is None or declared(target) is None:
        name = getattr(target, "__name__", repr(target))
        raise ManifestError(f"`{name}` is no driver", hint=f'Put @driver("...", capabilities=[...]) on `{name}`')
    binding: Binding = getattr(target, BINDING)
    if not is_class(target):
        return LoadedDriver(manifest=manifest, start=binding.starter(target))
    instance = Instance(target, manifest, binding)
    return LoadedDriver(manifest=manifest, start=instance, instance=instance)


class OnThread(Protocol):
    """A thread that drivers are called on: its own event loop, and the task of the call in progress."""

    task: "asyncio.Task[Any] | None"

    @property
    def own(self) -> asyncio.AbstractEventLoop:
        """The event loop, which is not running."""
        ...


def call_here(driver: LoadedDriver, event: Event, ctx: Context, on: OnThread) -> Any:
    """Call a driver on this thread, which it may block. A plain function runs outside of any event loop.

    Raises:
        BaseException: As `call_driver`.
    """
    returned = driver.start(event, ctx)
    if not isawaitable(returned):
        return returned

    async def awaited() -> tuple[Any, BaseException | None]:
        try:
            return await returned, None
        except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001 - kept from the loop, which they end
            return None, error

    on.task = on.own.create_task(awaited())
    try:
        value, error = on.own.run_until_complete(on.task)
    finally:
        on.task = None
    if error is not None:
        raise error
    return value


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
