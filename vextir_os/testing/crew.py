"""Who works for an OS under test: its workers, one by default, and time, which passes as far as there is a reason.

A worker that dies is followed by another, as a supervisor would start one; what it held is given up, as is done when a
process is known to be gone.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable

from vextir_os.kernel import Kernel
from vextir_os.ports.store import Where
from vextir_os.runs.record import EVENTS
from vextir_os.testing.clock import VirtualClock
from vextir_os.testing.driving import TroubledRegistry
from vextir_os.testing.loop import VirtualLoop
from vextir_os.testing.worker import Worker

_UNFINISHED = Where("due", ">=", 0)


class Crew:
    """Works until there is nothing to do. Used on the loop of the OS under test.

    Args:
        loop: Whose time passes.
        clock: The same time.
        start: Starts a worker.

    Attributes:
        frozen: Workers that stand still.
    """

    def __init__(self, loop: VirtualLoop, clock: VirtualClock, start: Callable[[], Awaitable[Worker]]) -> None:
        self._loop = loop
        self._clock = clock
        self._start = start
        self._workers: list[Worker] = []
        self.frozen: list[Worker] = []
        self._gone: list[Worker] = []

    @property
    def kernel(self) -> Kernel:
        """The OS of a worker that is there now."""
        return self._workers[0].kernel

    @property
    def registry(self) -> TroubledRegistry:
        """The drivers of a worker that is there now."""
        return self._workers[0].registry

    async def begin(self) -> None:
        """Start one worker more."""
        self._workers.append(await self._start())

    async def rest(self, *, for_s: float = 0.0) -> None:
        """Work until nothing is left to do now, and for so long in virtual time, with all that falls due meanwhile."""
        until = self._clock.time() + for_s
        await self._work(until)
        await self._pass(until - self._clock.time())

    async def finish(self, *, for_s: float) -> bool:
        """Work until every event is finished, for so long at most; return whether all are."""
        return await self._work(self._clock.time() + for_s)

    async def restart(self) -> None:
        """Let the workers die, and others begin."""
        for worker in self._workers:
            worker.life.end()
        await self._follow()

    async def thaw(self) -> None:
        """Let workers that stood still go on from there, beside those that have taken over their work."""
        frozen, self.frozen = self.frozen, []
        for worker in frozen:
            worker.life.go_on()
        self._workers += frozen

    async def close(self) -> None:
        """End all that is left of every worker."""
        for worker in (*self._gone, *self.frozen, *self._workers):
            await worker.close()

    async def _work(self, until: float) -> bool:
        """Work until nothing is left to do before a time, in epoch seconds; return whether nothing is left at all."""
        while True:
            await self._follow()
            was_busy = any(worker.life.tasks for worker in self._workers)
            if await self._receive():
                continue
            queue_at, due_at = await self._workers[0].next_at(), await self._due_at()
            now = self._clock.time()
            if due_at <= now:
                await self._workers[0].step(self._workers[0].sweep())
            elif any(worker.life.tasks for worker in self._workers):
                await self._wait(min(queue_at, due_at) - now)
            elif was_busy:
                # It may have sent something after we received.
                continue
            elif min(queue_at, due_at) > max(until, now):
                return due_at == math.inf
            else:
                await self._pass(min(queue_at, due_at) - now)

    async def _pass(self, seconds: float) -> None:
        """Let time pass; nobody is at work. What drivers have left running goes on meanwhile."""
        with self._loop.jumping():
            await asyncio.sleep(max(0.0, seconds))

    async def _receive(self) -> bool:
        """Let each worker receive once, one after the other; return whether there was something, or may be."""
        found = False
        for worker in self._workers:
            found |= await worker.step(worker.receive(most=None if len(self._workers) == 1 else 1)) is not False
        return found

    async def _wait(self, seconds: float) -> None:
        """Wait until a delivery or a worker's life ends, for so long at most; infinity for no limit."""
        ends = [asyncio.ensure_future(worker.life.ended.wait()) for worker in self._workers]
        work = [task for worker in self._workers for task in worker.life.tasks]
        timeout = seconds if math.isfinite(seconds) else None
        await asyncio.wait([*work, *ends], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        for end in ends:
            end.cancel()

    async def _due_at(self) -> float:
        found: float = math.inf
        continuation = ""
        while True:
            page = await self.kernel.store.query(EVENTS, [_UNFINISHED], limit=1_000, continuation=continuation)
            found = min([found, *(item.document["due"] for item in page.items)])
            continuation = page.continuation
            if not continuation:
                return found

    async def _follow(self) -> None:
        """Put a new worker in the place of each whose life is over."""
        for place, old in enumerate(self._workers):
            if not old.life.over:
                continue
            self._workers[place] = new = await self._start()
            if old.life.frozen:
                # Nobody knows that it stands still: its leases have to end by themselves.
                self.frozen.append(old)
            else:
                old.drop()
                self._gone.append(old)
                await new.step(new.kernel.departed.release(old.kernel.worker))
