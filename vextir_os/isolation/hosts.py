"""Where drivers run that are not `inline`: one pool for each driver, made at its first event."""

import asyncio
import contextlib
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from vextir_os.driverkit.context import Context
from vextir_os.driverkit.manifest import Manifest
from vextir_os.events.event import Event
from vextir_os.isolation.pool import IDLE_S, ProcessPool
from vextir_os.isolation.threads import ThreadPool
from vextir_os.registry.registry import Registry

_CLOSE_S = 12.0
"""More than a driver's `stop` may take, and its end after it."""

_Key = tuple[str, str]
"""Id and version of a driver."""

Pool = TypeVar("Pool", ProcessPool, ThreadPool)


class Hosts:
    """Runs turns of drivers on threads and in processes. Used from one event loop.

    Args:
        idle_s: Seconds without a turn after which a process ends.
    """

    def __init__(self, idle_s: float = IDLE_S) -> None:
        self._idle_s = idle_s
        self._hidden: tuple[Path, ...] = ()
        self._processes: dict[_Key, ProcessPool] = {}
        self._threads: dict[_Key, ThreadPool] = {}

    def hide(self, *folders: Path) -> None:
        """Let no process that is started from now on read anything of these folders: the data of the OS."""
        self._hidden += folders

    async def call(
        self, registry: Registry, manifest: Manifest, event: Event, ctx: Context
    ) -> Coroutine[Any, Any, Any]:
        """Wait for a place to run a driver, and return the coroutine of its turn there, to be awaited at once.

        Args:
            registry: Has the driver.
            manifest: The driver's.
            event: What it is to handle.
            ctx: Its context.

        Raises:
            VextirError: There is no such place, or the driver cannot be loaded there.
            ReportedFailure: The same, as the driver's process judged it.
        """
        key = manifest.id, manifest.version
        if manifest.isolation == "thread":
            threads = self._threads.get(key)
            if threads is None or _is_other(threads.manifest, manifest):
                threads = _change(self._threads, key, ThreadPool(manifest, partial(registry.load, manifest)))
            return threads.run(await threads.take(), event, ctx)
        processes = self._processes.get(key)
        if processes is None or _is_other(processes.manifest, manifest):
            pool = ProcessPool(manifest, registry.root_of(manifest), self._idle_s, self._hidden)
            processes = _change(self._processes, key, pool)
        return processes.run(await processes.take(), event, ctx)

    async def close(self) -> None:
        """End all that runs, and wait until it is gone, for some seconds at most."""
        hosts = [host for pool in self._processes.values() for host in pool.close()]
        for threads in self._threads.values():
            threads.retire()
        ends = [host.gone.wait() for host in hosts] + [threads.ended() for threads in self._threads.values()]
        self._processes.clear()
        self._threads.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await asyncio.gather(*ends)


def _change(pools: dict[_Key, Pool], key: _Key, new: Pool) -> Pool:
    """Put a pool in the place of that of an older code, which ends with its last turn."""
    old = pools.get(key)
    if old is not None:
        old.retire()
    pools[key] = new
    return new


def _is_other(one: Manifest, other: Manifest) -> bool:
    # A reload reads what has not changed anew: it is equal then, and not the same.
    return one is not other and one != other
