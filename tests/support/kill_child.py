"""The OS in a process that its parent kills: `python -m tests.support.kill_child <folder> <clock offset in seconds>`.

Standard input: one JSON list of event ids per line, to be published. Standard output: `up` once it runs, then the same
line again as soon as the publish was acknowledged. Its clock is ahead by the offset, so that after a restart the leases
and locks of its predecessor are over.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.harness import an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event


class Ahead:
    """Implements `Clock`: the machine's, some seconds ahead."""

    def __init__(self, offset_s: float) -> None:
        self._offset_s = offset_s

    def time(self) -> float:
        """Return the time in epoch seconds."""
        return time.time() + self._offset_s

    def monotonic(self) -> float:
        """Return the machine's."""
        return time.monotonic()


@driver("order.take", capabilities=["order.placed"], permissions=["emit:order.taken"], timeout="1s")
async def take(event: Event) -> Result:
    # Something to be killed in.
    await asyncio.sleep(0)
    return Result(output={"taken": event.data["n"]}, events=[Event(type="order.taken", data=event.data)])


@driver("order.pack", capabilities=["order.taken"], timeout="1s")
async def pack(event: Event) -> dict[str, Any]:
    return {"packed": event.data["n"]}


def of(event_id: str) -> Event:
    """Return the event of this id; the same id, the same event."""
    return Event(id=event_id, type="order.placed", data={"n": int(event_id.removeprefix("e-"))})


async def main(folder: Path, offset_s: float, atomic: bool) -> None:
    """Run until standard input ends and nothing is left to do."""
    loop = asyncio.get_running_loop()
    # Few at once: a life that is short and slow ends more runs than it leaves, so that none dies with six workers.
    async with an_os(
        folder, take, pack, clock=Ahead(offset_s), atomic=atomic, sweep_s=0.2, lock_s=30.0, concurrency=32
    ) as os:
        print("up", flush=True)  # noqa: T201
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await os.publish(*map(of, json.loads(line)))
            print(line, end="", flush=True)  # noqa: T201
        await asyncio.sleep(0)
        await os.settled(within_s=100.0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "one-transaction"))
