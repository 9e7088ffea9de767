"""What the tests of limits of drivers share: jobs, who runs at once, what became of a run."""

import asyncio
from collections.abc import Mapping
from typing import Any

from tests.support.gate import Gate
from tests.support.harness import Harness
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal

BOB = Principal(kind="user", id="bob", tenant="acme")


def job(number: int, **data: Any) -> Event:
    return Event(id=f"e-{number}", type="job.sent", data=data or {"n": number})


async def run_of(os: Harness, number: int) -> Mapping[str, Any]:
    [run] = (await os.record(f"e-{number}"))["runs"].values()
    return dict(run)


async def states(os: Harness) -> list[str]:
    return [run["state"] for record in await os.records() for run in record["runs"].values()]


class Crowd:
    """A driver body that counts how many of it run at once."""

    def __init__(self) -> None:
        self.now = self.most = self.calls = 0

    async def pass_(self) -> None:
        self.calls += 1
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(3):
            await asyncio.sleep(0)
        self.now -= 1


async def deliver(os: Harness, gate: Gate, number: int) -> "asyncio.Task[None]":
    """Take the next delivery; its driver is held at the gate as call `number`."""
    [delivery] = await os.kernel.queue.receive(1, 0)
    task = asyncio.create_task(os.handle(delivery))
    await gate.entered(number)
    return task


async def handle_next(os: Harness) -> None:
    [delivery] = await os.kernel.queue.receive(1, 0)
    await os.handle(delivery)
