"""Workers and sweep in one process: receives, hands each delivery to the processor, settles what it answers."""

import asyncio
import contextlib
import logging
import random

from vextir_os.errors import LockLostError, StoreError
from vextir_os.kernel import Kernel
from vextir_os.local.deaths import Deaths
from vextir_os.local.presence import Presence
from vextir_os.ports.queue import Delivery, Queue

_LOG = logging.getLogger("vextir.runner")
_BATCH = 64
_WAIT_S = 30.0
_STOP_S = 20.0
_HOLD_S = (1.0, 30.0)


class Runner:
    """Runs the OS until it is stopped. Used from one event loop.

    Args:
        kernel: The OS; stays open as long as the runner runs.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._limit = kernel.settings.concurrency
        self._busy: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()
        self._presence = Presence(kernel.settings.data_dir, kernel.worker)
        self._loops: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Runner":
        try:
            self._presence.take()
        except OSError as error:
            _LOG.warning("others will not notice when this process dies, and wait for its leases: %s", error)
        self._loops = [
            asyncio.create_task(self._receive(self._kernel.queue, _BATCH), name="vextir-receive"),
            # One at a time: the next of a session is handed out once this one is settled.
            asyncio.create_task(self._receive(self._kernel.ordered, 1), name="vextir-receive-ordered"),
            asyncio.create_task(self._sweep(), name="vextir-sweep"),
            asyncio.create_task(Deaths(self._kernel).watch(), name="vextir-deaths"),
        ]
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Receive nothing more, let the runs at work end for 20 s, give up the rest: others go on."""
        for task in self._loops:
            task.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        late = set[asyncio.Task[None]]()
        if self._busy:
            _, late = await asyncio.wait(self._busy, timeout=_STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._presence.leave(clean=not late)

    async def wait(self) -> None:
        """Wait until a loop of the runner fails, and raise what it raised."""
        await asyncio.gather(*self._loops)

    async def _receive(self, queue: Queue, batch: int) -> None:
        while True:
            free = self._limit - len(self._busy)
            if free <= 0:
                self._room.clear()
                await self._room.wait()
                # The task that made room says so with its last step, and leaves the set after it.
                await asyncio.sleep(0)
                continue
            try:
                deliveries = await queue.receive(min(free, batch), _WAIT_S)
            except StoreError as error:
                if error.kind != "transient":
                    raise
                _LOG.warning("cannot receive: %s", error)
                await asyncio.sleep(_HOLD_S[0])
                continue
            for delivery in deliveries:
                self._kernel.observers.received(delivery)
                task = asyncio.create_task(self._handle(queue, delivery))
                self._busy.add(task)
                task.add_done_callback(self._busy.discard)

    async def _handle(self, queue: Queue, delivery: Delivery) -> None:
        try:
            settlement = await self._kernel.processor.process(delivery)
            if settlement == "complete":
                with contextlib.suppress(LockLostError):
                    await queue.complete(delivery.token)
            self._kernel.observers.settled(settlement)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the message goes back and the others go on
            await self._give_back(queue, delivery, error)
        finally:
            self._room.set()

    async def _give_back(self, queue: Queue, delivery: Delivery, error: Exception) -> None:
        # The pause keeps an outage from burning the delivery count, and stays inside the message's lock.
        if isinstance(error, StoreError):
            _LOG.warning("message %s goes back: %s", delivery.message.id, error)
        else:
            _LOG.error("message %s goes back after an error in the processor", delivery.message.id, exc_info=error)
        low, high = _HOLD_S
        pause = random.uniform(low, min(high, max(low, self._kernel.settings.lock_s / 2)))  # noqa: S311 - jitter
        await asyncio.sleep(pause)
        with contextlib.suppress(StoreError):
            await queue.abandon(delivery.token)
        self._kernel.observers.settled("abandoned")

    async def _sweep(self) -> None:
        while True:
            try:
                await self._kernel.sweep.run()
            except StoreError as error:
                _LOG.warning("cannot sweep: %s", error)
            await asyncio.sleep(self._kernel.settings.sweep_s)
