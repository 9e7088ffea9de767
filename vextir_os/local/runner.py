"""Workers of all lanes and the sweep in one process. What a worker does with a delivery stands in `pool`."""

import asyncio
import logging
from functools import partial

from vextir_os.errors import StoreError
from vextir_os.kernel import Kernel
from vextir_os.local.deaths import Deaths
from vextir_os.local.pool import Pool
from vextir_os.local.presence import Presence
from vextir_os.processor.health import EVERY_S
from vextir_os.runs.record import Lane

_LOG = logging.getLogger("vextir.runner")


class Runner:
    """Runs the OS until it is stopped. Used from one event loop.

    Args:
        kernel: The OS; stays open as long as the runner runs.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._presence = Presence(kernel.settings.data_dir, kernel.worker)
        self._loops: list[asyncio.Task[None]] = []
        self._pools = pools(kernel)

    async def __aenter__(self) -> "Runner":
        try:
            self._presence.take()
        except OSError as error:
            _LOG.warning("others will not notice when this process dies, and wait for its leases: %s", error)
        self._loops = [
            *(asyncio.create_task(pool.receive(), name=f"vextir-{name}") for name, pool in self._pools.items()),
            asyncio.create_task(self._sweep(), name="vextir-sweep"),
            asyncio.create_task(self._ask(), name="vextir-health"),
            asyncio.create_task(Deaths(self._kernel).watch(), name="vextir-deaths"),
        ]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Receive nothing more, let the runs at work end for 20 s, give up the rest: others go on."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        ended = await asyncio.gather(*(pool.drain() for pool in self._pools.values()))
        self._presence.leave(clean=all(ended))

    async def wait(self) -> None:
        """Wait until a loop of the runner fails, and raise what it raised."""
        await asyncio.gather(*self._loops)

    async def _ask(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self._kernel.health.ask()
            except StoreError as error:
                _LOG.warning("cannot write down which drivers are well: %s", error)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._kernel.sweep.run()
            except StoreError as error:
                _LOG.warning("cannot sweep: %s", error)
            await asyncio.sleep(self._kernel.settings.sweep_s)


def pools(kernel: Kernel) -> dict[str, Pool]:
    """Return the workers of all lanes, by lane."""
    settings, make = kernel.settings, partial(Pool, processor=kernel.processor, observer=kernel.observers)
    limits: dict[Lane, int] = {"high": settings.high_concurrency, "slow": settings.slow_concurrency}
    return {
        "batch": make(kernel.queue, limit=settings.concurrency, lock_s=settings.lock_s),
        # One at a time: the next of a session is handed out once this one is settled.
        "ordered": make(kernel.ordered, limit=settings.concurrency, lock_s=settings.lock_s, batch=1),
        **{
            lane: make(queue, limit=limits[lane], lock_s=settings.lock_s, renews=lane == "slow")
            for lane, queue in kernel.lanes.items()
        },
    }
