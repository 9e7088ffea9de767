"""Who waits for a place: first come, first served. Used from one event loop."""

import asyncio
from collections import deque


class Line:
    """Waits of those that found no place; each that is woken looks again for itself."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait(self) -> None:
        """Wait until woken. Who is cancelled as it is woken wakes the next one."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self.wake()
            raise

    def wake(self) -> None:
        """Wake the first that waits, if somebody does."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
