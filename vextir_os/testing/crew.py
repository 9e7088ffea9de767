"""Who works for an OS under test: one worker at a time, and time, which passes as far as there is a reason.

A worker that dies is followed by another, as a supervisor would start one; what it held is given up, as is done when a
process is known to be gone.
"""

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
    """

    def __init__(
        self,
        loop: VirtualLoop,
        clock: VirtualClock,
        start: Callable[[], Awaitable[Worker]],
    ) -> None:
        self._loop = loop
        self._clock = clock
        self._start = start
        self._worker: Worker | None = None
        self._gone: list[Worker] = []

    @property
    def kernel(self) -> Kernel:
        """The OS of the worker that is there now."""
        return self._at_work.kernel

    @property
    def registry(self) -> TroubledRegistry:
        """The drivers of the worker that is there now."""
        return self._at_work.registry

    async def begin(self) -> None:
        """Start the first worker."""
        self._worker = await self._start()

    async def rest(self, *, for_s: float = 0.0) -> None:
        """Work until nothing is left to do now, and for so long in virtual time, with all that falls due meanwhile."""
        until = self._clock.time() + for_s
        await self._work(until)
        self._loop.pass_(max(0.0, until - self._clock.time()))

    async def finish(self, *, for_s: float) -> bool:
        """Work until every event is finished, for so long at most; return whether all are."""
        return await self._work(self._clock.time() + for_s)

    async def restart(self) -> None:
        """Let the worker die, and another begin."""
        self._at_work.life.end()
        await self._follow()

    async def close(self) -> None:
        """End all that is left of every worker."""
        left = [] if self._worker is None else [self._worker]
        for worker in (*self._gone, *left):
            await worker.close()

    @property
    def _at_work(self) -> Worker:
        if self._worker is None:
            raise AssertionError("the OS under test was not begun")
        return self._worker

    async def _work(self, until: float) -> bool:
        """Work until nothing is left to do before a time, in epoch seconds; return whether nothing is left at all."""
        while True:
            if self._at_work.life.over:
                await self._follow()
            worker = self._at_work
            busy = bool(worker.busy)
            if await worker.step(worker.receive()) is not False:
                continue
            queue_at, due_at = await worker.next_at(), await self._due_at()
            now = self._clock.time()
            if due_at <= now:
                await worker.step(worker.sweep())
            elif worker.busy:
                await worker.wait(min(queue_at, due_at) - now)
            elif busy:
                # It may have sent something after we received.
                continue
            elif min(queue_at, due_at) > max(until, now):
                return due_at == math.inf
            else:
                self._loop.pass_(max(0.0, min(queue_at, due_at) - now))

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
        gone = self._at_work
        gone.drop()
        self._gone.append(gone)
        self._worker = worker = await self._start()
        await worker.step(worker.kernel.departed.release(gone.kernel.worker))
