"""How drivers are called under test: as ever, by way of what the test wants of their calls.

Inline drivers are called on the virtual loop. Those on threads and in processes really run there, so while one of them
is at work time passes as it really does.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from inspect import isawaitable
from types import ModuleType
from typing import Any, cast

from vextir_os.driverkit.call import LoadedDriver
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import UsageError
from vextir_os.events.event import Event
from vextir_os.isolation.hosts import Hosts
from vextir_os.registry.modules import import_driver_module
from vextir_os.registry.registry import Registry
from vextir_os.testing.loop import VirtualLoop, hosting
from vextir_os.testing.trouble import WAY, Trouble


class TroubledRegistry(Registry):
    """A registry whose drivers are called as a test wants them to be.

    Attributes:
        is_gone: Its process is: nothing of it is stopped any more.
    """

    trouble: Trouble
    is_gone = False

    @property
    def at_hand(self) -> tuple[LoadedDriver, ...]:
        """The drivers whose code is here."""
        return () if self.is_gone else super().at_hand

    def load(self, manifest: Manifest) -> LoadedDriver:
        """Return a driver as it is called now. Raises what the test wants a call to raise."""
        driver = super().load(manifest)
        if manifest.isolation != "inline":
            return driver
        trouble, waits = self.trouble, self.trouble.due(manifest.id)

        async def start(event: Event, context: Context) -> Any:
            await trouble.enter(manifest.id, waits)
            returned = driver.start(event, context)
            if isawaitable(returned):
                returned = await returned
            await trouble.leave(manifest.id, event, returned)
            return returned

        return replace(driver, start=start)

    def module(self, name: str) -> ModuleType:
        """Return a module of the project's drivers, as they use it. Raises `UsageError` where there is no project."""
        if self._root is None:
            raise UsageError(f"there is no module `{name}`: the drivers were given directly", hint="Import it")
        return import_driver_module(self._root, name)


class TroubledHosts(Hosts):
    """Threads and processes of drivers that are called as a test wants them to be."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__()
        self._trouble = trouble

    async def call(
        self, registry: Registry, manifest: Manifest, event: Event, ctx: Context
    ) -> Coroutine[Any, Any, Any]:
        """Return the coroutine of a turn. Raises what the test wants it to raise."""
        waits, call = self._trouble.due(manifest.id), super().call

        async def turn() -> Any:
            await self._trouble.enter(manifest.id, waits)
            way = WAY.get()
            if way is not None:
                way.leave()
            with hosting():
                returned = await (await call(registry, manifest, event, ctx))
            await self._trouble.leave(manifest.id, event, returned)
            return returned

        return turn()

    async def close(self) -> None:
        """End all that runs, and really wait until it is gone."""
        with cast(VirtualLoop, asyncio.get_running_loop()).real():
            await super().close()
