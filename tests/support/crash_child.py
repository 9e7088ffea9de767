"""Runs workers that kill themselves: `python -m tests.support.crash_child`, one JSON list of jobs per line.

All is imported once; each job is a process forked from here, so that thousands of deaths cost seconds. The jobs of a
line run at the same time; the answer is one line with their exit codes, -9 for one that killed itself.

The first job of a line publishes and works until nothing is left to do, or until its fail point. The others work beside
it, and end once it has ended and nothing is left on the queue. In the folder, `acknowledged` names what was
acknowledged, `passed` counts the points of a job that ended well, `error` is the traceback of one that did not.
"""

import asyncio
import json
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict

from tests.support.harness import Harness, an_os
from tests.support.kill_child import Ahead
from tests.support.points import Points
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import Delivery
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.local import deaths

PARTS, STEPS = 3, 3
LARGE = "x" * 70_000
POISON = b"{no event"
_LIMIT_S = 60.0
_LOOK_S = 0.05


class Job(TypedDict):
    """One process.

    Attributes:
        folder: Where its data is.
        atomic: Whether store and queue share a transaction.
        delivery: Of all drivers.
        at: Its fail point, or nothing.
        passage: At which passage of it, from 1.
        ahead_s: How far its clock is ahead.
        late: Start once another worker on this folder has started.
    """

    folder: str
    atomic: bool
    delivery: Delivery
    at: str
    passage: int
    ahead_s: float
    late: bool


def events() -> list[Event]:
    """Return what is published: a chain with retry and fan-out, twice; each other way of an event."""
    return [
        Event(id="e-1", type="order.placed", data={"n": 1}),
        Event(id="e-2", type="order.placed", data={"n": 2}),
        Event(id="e-3", type="order.spoiled", data={"n": 3}),
        Event(id="e-4", type="order.large", data={"n": 4, "text": LARGE}),
        Event(id="e-5", type="order.heavy", data={"n": 5}),
        Event(id="e-6", type="order.heavy", data={"n": 6}, priority=9),
        *(
            Event(id=f"k-{n}", type="step.taken", data={"n": n}, partitionkey="acct-7", ordered=True)
            for n in range(1, STEPS + 1)
        ),
    ]


def drivers(delivery: Delivery) -> list[Callable[..., Any]]:
    """Return the drivers of these events; these are the chain's."""

    @driver("order.take", capabilities=["order.placed"], permissions=["emit:order.taken"], delivery=delivery)
    async def take(event: Event) -> Result:
        return Result(output={"taken": event.data["n"]}, events=[Event(type="order.taken", data=event.data)])

    @driver("order.check", capabilities=["order.placed"], delivery=delivery)
    async def check(event: Event, ctx: Context) -> dict[str, int]:
        if ctx.attempt == 1:
            raise TransientError("the stock does not answer")
        return {"checked": event.data["n"]}

    @driver("order.pack", capabilities=["order.taken"], permissions=["emit:order.packed"], delivery=delivery)
    async def pack(event: Event) -> Result:
        parts = [Event(type="order.packed", data={**event.data, "part": part}) for part in range(PARTS)]
        return Result(output={"packed": event.data["n"]}, events=parts)

    @driver("order.ship", capabilities=["order.packed"], delivery=delivery)
    async def ship(event: Event) -> dict[str, int]:
        return {"shipped": event.data["n"], "part": event.data["part"]}

    return [take, check, pack, ship, *others(delivery)]


def others(delivery: Delivery) -> list[Callable[..., Any]]:
    """Return drivers that fail for good, write to the blobs, work in the slow lane, or in the order of a key."""

    @driver("order.sort", capabilities=["order.spoiled"], delivery=delivery)
    async def sort(event: Event) -> None:
        raise InvalidError("spoiled")

    @driver("order.weigh", capabilities=["order.large"], delivery=delivery)
    async def weigh(event: Event) -> Any:
        return {"weighed": event.data["n"], "text": event.data["text"]}

    @driver("order.haul", capabilities=["order.heavy"], timeout="40s", delivery=delivery)
    async def haul(event: Event) -> dict[str, int]:
        return {"hauled": event.data["n"]}

    @driver("step.take", capabilities=["step.taken"])
    async def step(event: Event, ctx: Context) -> dict[str, int]:
        if ctx.attempt == 1 and event.data["n"] == 1:
            raise TransientError("the first holds up the others")
        return {"step": event.data["n"]}

    return [sort, weigh, haul, step]


async def publish(os_: Harness, folder: Path) -> None:
    """Publish what is not acknowledged yet, and note each acknowledgement at once."""
    noted = folder / "acknowledged"
    known = noted.read_text().split() if noted.exists() else []
    for event in events():
        if event.id not in known:
            await os_.publish(event)
            note(noted, event.id)
    if "poison" not in known:
        await os_.send(POISON, message_id="poison")
        note(noted, "poison")


def note(path: Path, word: str) -> None:
    """Write a word so that it stays when this process is killed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, f"{word}\n".encode())
    os.close(descriptor)


async def work(job: Job, points: Points, beside: int | None) -> None:
    """Be one worker; `beside`: a pipe that ends when the worker has ended beside which this one runs."""
    deaths._LOOK_S = _LOOK_S
    folder = Path(job["folder"])
    while job["late"] and not (folder / "started").exists():  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    async with (
        asyncio.timeout(_LIMIT_S),
        an_os(
            folder, *drivers(job["delivery"]), atomic=job["atomic"], clock=Ahead(job["ahead_s"]), draw=0.0,
            sweep_s=0.1, synchronous="NORMAL",
        ) as os_,
    ):  # fmt: skip
        (folder / "started").touch()
        if beside is not None:
            await asyncio.to_thread(os.read, beside, 1)
            await os_.settled()
            return
        await publish(os_, folder)
        while any("due" in record for record in await os_.records()) or await os_.left():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    (folder / "passed").write_text(json.dumps(points.passed))


def life(job: Job, beside: int | None) -> int:
    """Live in this process, and return its exit code."""
    points = Points(job["at"], job["passage"])
    points.install()
    try:
        asyncio.run(work(job, points, beside))
    except BaseException:  # noqa: BLE001 - told, and the process ends
        (Path(job["folder"]) / "error").write_text(traceback.format_exc())
        return 1
    return 0


def forked(job: Job, beside: int | None, close: list[int]) -> int:
    """Start a job; return its process id."""
    pid = os.fork()
    if pid == 0:
        for descriptor in close:
            os.close(descriptor)
        os._exit(life(job, beside))
    return pid


def together(jobs: list[Job]) -> list[int]:
    """Run jobs at the same time and return their exit codes."""
    reading, writing = os.pipe()
    others = [forked(job, reading, [writing]) for job in jobs[1:]]
    first = forked(jobs[0], None, [reading, writing])
    codes = [os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])]
    os.close(writing)
    codes += [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in others]
    os.close(reading)
    return codes


def main() -> None:
    """Run the jobs of each line."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(together(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
