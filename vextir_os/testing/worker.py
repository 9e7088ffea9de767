"""One worker of an OS under test: a kernel over a folder, and the life that all its work is done in."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar, cast

from vextir_os.bootstrap import Stand, open_kernel
from vextir_os.errors import StoreError
from vextir_os.kernel import Kernel
from vextir_os.local.pool import Pool
from vextir_os.local.runner import pools
from vextir_os.policy.engine import PolicyEngine
from vextir_os.ports.clock import Clock
from vextir_os.ports.queue import Delivery
from vextir_os.settings import Settings
from vextir_os.testing.driving import TroubledHosts, TroubledRegistry
from vextir_os.testing.loop import Life
from vextir_os.testing.trouble import WAY, Trouble, Way
from vextir_os.testing.wires import WiredStorage

T = TypeVar("T")

_HOLD_S = 1.0
"""Before a queue that did not answer is asked again."""


class Worker:
    """Receives and processes deliveries, each in a task of its life. Made by `start`.

    Attributes:
        kernel: Its OS.
        registry: Its drivers.
        life: Its life; once that is over, others go on.
    """

    kernel: Kernel
    registry: TroubledRegistry

    def __init__(self, trouble: Trouble) -> None:
        self.life = Life()
        self._trouble = trouble
        self._stack = contextlib.AsyncExitStack()
        self._pools: dict[str, Pool] = {}

    async def start(
        self,
        settings: Settings,
        registry: TroubledRegistry,
        policy: PolicyEngine,
        clock: Clock,
        *,
        draw: Callable[[], float],
        atomic: bool,
    ) -> "Worker":
        """Open the OS and return self. Raises as `open_kernel` does."""

        def wired(storage: Any) -> Any:
            self._storage = storage
            return WiredStorage(storage, self._trouble.through)

        stand = Stand(
            draw=draw, threads=False, atomic=atomic, storage=wired, hosts=partial(TroubledHosts, self._trouble)
        )
        self.registry = registry
        opening = open_kernel(settings, registry=registry, policy=policy, clock=clock, stand=stand)
        self.kernel = await self._stack.enter_async_context(opening)
        self._pools = pools(self.kernel)
        return self

    async def step(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do a piece of work in this life; None when the life ends over it."""
        task = self.life.task(work)
        ended = asyncio.ensure_future(self.life.ended.wait())
        await asyncio.wait({task, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        return task.result() if task.done() else None

    async def receive(self, most: int | None = None) -> bool:
        """Begin with all that can be received now; return whether there was anything, or may be.

        Args:
            most: Deliveries of each lane, at most.
        """
        return any(await asyncio.gather(*(self._receive(pool, most) for pool in self._pools.values())))

    async def sweep(self) -> None:
        """Sweep once, as a runner does."""
        with contextlib.suppress(StoreError):
            await self.kernel.sweep.run()

    async def _receive(self, pool: Pool, most: int | None) -> bool:
        try:
            deliveries = await pool.queue.receive(min(pool.batch, most or pool.batch), 0)
        except StoreError:
            await asyncio.sleep(_HOLD_S)
            return True
        for delivery in deliveries:
            self._trouble.received.append((delivery.entity, delivery.message))
            self.life.task(_on_its_way(pool, delivery))
        return bool(deliveries)

    async def next_at(self) -> float:
        """Return when time next changes something on the queues, in epoch seconds."""
        at: float = await cast(Any, self._storage).broker.next_at()
        return at

    def drop(self) -> None:
        """Let go of the file: the process is gone."""
        self._storage.drop()

    async def close(self) -> None:
        """Close the OS; what a life that is over left comes to its end."""
        if self.life.over:
            self.drop()
            self.registry.is_gone = True
        await self.life.bury()
        await self._stack.aclose()


async def _on_its_way(pool: Pool, delivery: Delivery) -> None:
    way = Way()
    WAY.set(way)
    try:
        await pool.handle(delivery)
    finally:
        way.come_home()
