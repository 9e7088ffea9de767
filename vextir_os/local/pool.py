"""One lane's workers: receives from its queue, hands each delivery to the processor, settles what that answers."""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator

from vextir_os.errors import LockLostError, StoreError, StoreUnavailableError
from vextir_os.ports.queue import Delivery, Queue
from vextir_os.processor.observe import Observer
from vextir_os.processor.pipeline import Processor

_LOG = logging.getLogger("vextir.runner")
_BATCH = 256
_WAIT_S = 30.0
_STOP_S = 20.0
_HOLD_S = (1.0, 30.0)


class Pool:
    """Processes the deliveries of one queue, several at once, until it is stopped.

    Args:
        queue: Where they come from.
        processor: What processes them.
        observer: Told of each delivery, and of what became of it.
        limit: Deliveries at once, at most.
        lock_s: How long a message stays locked, in seconds.
        batch: Deliveries in one receive, at most.
        renews: Whether the locks of messages at work are renewed: for a lane whose runs may outlast them.

    Attributes:
        queue: Where they come from.
        batch: Deliveries in one receive, at most.
    """

    def __init__(
        self,
        queue: Queue,
        processor: Processor,
        observer: Observer,
        *,
        limit: int,
        lock_s: float,
        renews: bool = False,
        batch: int = _BATCH,
    ) -> None:
        self.queue = queue
        self._processor = processor
        self._observer = observer
        self._limit = limit
        self._lock_s = lock_s
        self._renews = renews
        self.batch = batch
        self._busy: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()

    async def receive(self) -> None:
        """Receive and process for ever; raises what no waiting helps against."""
        while True:
            free = self._limit - len(self._busy)
            if free <= 0:
                self._room.clear()
                await self._room.wait()
                # The task that made room says so with its last step, and leaves the set after it.
                await asyncio.sleep(0)
                continue
            try:
                deliveries = await self.queue.receive(min(free, self.batch), _WAIT_S)
            except StoreError as error:
                if error.kind != "transient":
                    raise
                _LOG.warning("cannot receive: %s", error)
                await asyncio.sleep(_HOLD_S[0])
                continue
            for delivery in deliveries:
                self._observer.received(delivery)
                task = asyncio.create_task(self.handle(delivery))
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)

    async def drain(self) -> bool:
        """Let the deliveries at work end for 20 s, give up the rest; return whether all ended.

        What receives has been stopped before.
        """
        if not self._busy:
            return True
        _, late = await asyncio.wait(self._busy, timeout=_STOP_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return not late

    async def handle(self, delivery: Delivery) -> None:
        """Process one delivery and settle it; whatever goes wrong, it goes back after a pause."""
        try:
            if self._renews:
                async with self._lock_kept(delivery.token):
                    settlement = await self._processor.process(delivery)
            else:
                settlement = await self._processor.process(delivery)
            if settlement == "complete":
                with contextlib.suppress(LockLostError):
                    await self.queue.complete(delivery.token)
            self._observer.settled(settlement)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the message goes back and the others go on
            await self._give_back(delivery, error)
        finally:
            self._room.set()

    @contextlib.asynccontextmanager
    async def _lock_kept(self, token: str) -> AsyncIterator[None]:
        renewing = asyncio.create_task(self._renew(token))
        try:
            yield
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing

    async def _renew(self, token: str) -> None:
        # A lock that is lost, as with the commit that settles, ends nothing: who owns a run stands on its record.
        with contextlib.suppress(LockLostError):
            while True:
                await asyncio.sleep(self._lock_s / 3)
                with contextlib.suppress(StoreUnavailableError):
                    await self.queue.renew(token)

    async def _give_back(self, delivery: Delivery, error: Exception) -> None:
        # The pause keeps an outage from burning the delivery count, and stays inside the message's lock.
        if isinstance(error, StoreError):
            _LOG.warning("message %s goes back: %s", delivery.message.id, error)
        else:
            _LOG.error("message %s goes back after an error in the processor", delivery.message.id, exc_info=error)
        low, high = _HOLD_S
        pause = random.uniform(low, min(high, max(low, self._lock_s / 2)))  # noqa: S311 - jitter
        await asyncio.sleep(pause)
        with contextlib.suppress(StoreError):
            await self.queue.abandon(delivery.token)
        self._observer.settled("abandoned")
