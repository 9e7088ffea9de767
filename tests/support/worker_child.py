"""A worker in a process of its own: `python -m tests.support.worker_child <folder> <mode> <delivery>`.

Its only driver says `began` on standard output, and ends when a line comes in on standard input. The worker says `over`
when it has nothing more in hand, and stops when standard input ends.
"""

import asyncio
import sys
from pathlib import Path

from tests.support.harness import an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.manifest import Delivery
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event


def say(text: str) -> None:
    """Say it now."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def main(folder: Path, atomic: bool, delivery: Delivery) -> None:
    """Run the OS until standard input ends."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    @driver("slow", capabilities=["job.sent"], permissions=["emit:job.done"], delivery=delivery)
    async def slow(event: Event) -> Result:
        say("began")
        await lines.get()
        return Result(output={"by": "child"}, events=[Event(type="job.done", data="child")])

    async with an_os(folder, slow, atomic=atomic):
        say("up")
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            lines.put_nowait(line)
    say("over")


if __name__ == "__main__":
    _, given, mode, how = sys.argv
    asyncio.run(main(Path(given), mode == "one-transaction", "default" if how == "default" else "idempotent"))
