"""A driver that a test holds up, to have something happen while it runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tests.support.harness import Harness
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.ports.queue import Delivery
from vextir_os.runs.record import Lane


class Gate:
    """A driver body that a test holds up: each call says that it began, and ends when it is let through."""

    def __init__(self) -> None:
        self.began = 0
        self._entered = asyncio.Event()
        self._through: list[asyncio.Event] = []

    async def pass_(self) -> int:
        """Return the number of the call, from 1, once the test lets it through."""
        through = asyncio.Event()
        self._through.append(through)
        self.began = number = len(self._through)
        self._entered.set()
        await through.wait()
        return number

    async def entered(self, number: int) -> None:
        """Wait until call `number`, from 1, has begun."""
        async with asyncio.timeout(10):
            while self.began < number:
                self._entered.clear()
                await self._entered.wait()

    def open(self, number: int) -> None:
        """Let call `number` through; it has begun."""
        self._through[number - 1].set()

    def open_all(self) -> None:
        """Let all calls through that have begun."""
        for through in self._through:
            through.set()


@contextlib.asynccontextmanager
async def begun(
    os: Harness, gate: Gate, number: int = 1, lane: Lane = "batch", *, delivery: Delivery | None = None
) -> AsyncIterator["asyncio.Task[None]"]:
    """Take this delivery, or the next of a lane, and hold its driver at the gate; in any case end it at the end."""
    if delivery is None:
        [delivery] = await os.kernel.lanes.get(lane, os.kernel.queue).receive(1, 0)
    task = asyncio.create_task(os.handle(delivery))
    await gate.entered(number)
    try:
        yield task
    finally:
        gate.open_all()
        await task


def gated(gate: Gate, driver_id: str = "slow") -> Callable[..., Awaitable[Any]]:
    """Return a driver of `job.sent` that stops at the gate, then answers with the number of its call and emits it."""

    @driver(driver_id, capabilities=["job.sent"], permissions=["emit:job.done"])
    async def slow(event: Event) -> Result:
        number = await gate.pass_()
        return Result(output={"call": number}, events=[Event(type="job.done", data={"call": number})])

    return slow
