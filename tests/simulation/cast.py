"""The drivers of a simulated world, and the journal of their calls, kept outside of the OS.

Each call has a number that no other has; it stands in the output and in every event that the call returns. So whatever
a record says can be held against what really happened.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.simulation.loop import LIFE, Life
from tests.simulation.weather import Weather
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, ThrottledError, TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.registry.registry import Registry

ERRORS: tuple[type[Exception], ...] = (TransientError, TransientError, ThrottledError, InvalidError, ValueError)
RETRY = Retry(max_attempts=4, base_s=8, cap_s=40)


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of a driver.

    Attributes:
        by: The life that it ran in.
        returned: Data of the events that it returned, once it did; None for a call that did not return.
    """

    number: int
    driver: str
    event_id: str
    by: str
    attempt: int
    at: float
    returned: list[dict[str, int]] | None = None
    ended: bool = False


@dataclass(slots=True, kw_only=True)
class Journal:
    """All calls of one world, and what the weather does to them."""

    weather: Weather
    draw: Random
    calls: list[Call] = field(default_factory=list)
    calm: bool = False


class Worker(Life):
    """A life that runs the OS; its drivers find their journal by it.

    Args:
        name: Such as `w1.3`.
        journal: Of its world.
        die: Ends this life.
    """

    def __init__(self, name: str, journal: Journal, die: Callable[["Worker"], None]) -> None:
        super().__init__(name)
        self.journal = journal
        self.die = die


async def act(event: Event, ctx: Context, *, emits: str = "", most: int = 0) -> Result:
    """Be one call of a driver: take time, fail, end the worker, or return."""
    worker = LIFE.get()
    assert isinstance(worker, Worker)
    journal = worker.journal
    draw, weather, loop = journal.draw, journal.weather, asyncio.get_running_loop()
    call = Call(
        number=len(journal.calls), driver=ctx.driver, event_id=event.id, by=worker.name, attempt=ctx.attempt,
        at=loop.time(),
    )  # fmt: skip
    journal.calls.append(call)
    try:
        await asyncio.sleep(draw.choice((0.0, 0.01, 1.0)))
        if event.data.get("kills") or (draw.random() < weather.kills and not journal.calm):
            worker.die(worker)
            await loop.create_future()
        if draw.random() < weather.stalls:
            await asyncio.sleep(draw.uniform(1.0, 50.0))
        if event.data.get("fails") or (draw.random() < weather.fails and not journal.calm):
            raise draw.choice(ERRORS)("it fails")
        count = draw.randint(0, most)
        call.returned = [{"call": call.number, "n": n} for n in range(count)]
        return Result(output={"call": call.number}, events=[Event(type=emits, data={**data}) for data in call.returned])
    finally:
        call.ended = True


@driver("job.one", capabilities=["job.sent"], permissions=["emit:job.done"], retry=RETRY)
async def job_one(event: Event, ctx: Context) -> Result:
    return await act(event, ctx, emits="job.done", most=2)


@driver("job.two", capabilities=["job.*"], permissions=["emit:leaf.seen"], retry=RETRY, timeout="5s")
async def job_two(event: Event, ctx: Context) -> Result:
    return await act(event, ctx, emits="leaf.seen", most=1)


@driver("note.one", capabilities=["note.sent"], permissions=["emit:note.done"], retry=RETRY, delivery="idempotent")
async def note_one(event: Event, ctx: Context) -> Result:
    return await act(event, ctx, emits="note.done", most=2)


@driver("note.two", capabilities=["note.*"], permissions=["emit:leaf.seen"], retry=RETRY, delivery="idempotent")
async def note_two(event: Event, ctx: Context) -> Result:
    return await act(event, ctx, emits="leaf.seen", most=1)


@driver("leaf.end", capabilities=["leaf.seen"], retry=RETRY, delivery="idempotent")
async def leaf_end(event: Event, ctx: Context) -> Result:
    return await act(event, ctx)


@driver("step.one", capabilities=["step.taken"], permissions=["emit:leaf.seen"], retry=RETRY, timeout="5s")
async def step_one(event: Event, ctx: Context) -> Result:
    return await act(event, ctx, emits="leaf.seen", most=1)


@driver("long.one", capabilities=["long.sent"], permissions=["emit:job.done"], retry=RETRY, timeout="2m")
async def long_one(event: Event, ctx: Context) -> Result:
    await asyncio.sleep(100)
    return await act(event, ctx, emits="job.done", most=1)


REGISTRY = Registry.of(job_one, job_two, note_one, note_two, leaf_end, step_one, long_one)
POLICY = PolicyEngine(
    Bundle(
        policies=(
            Policy(
                id="all",
                effect="allow",
                match=Match(action=("publish:**", "process:**", "emit:**", "admin:**")),
                priority=1,
            ),
            Policy(id="not", effect="deny", match=Match(action=("process:bad.**",)), priority=2),
        )
    )
)
TYPES = ("job.sent", "job.sent", "note.sent", "note.sent", "long.sent", "bad.sent", "nobody.sent")


def in_order(draw: Random) -> list[Event]:
    """Return events of one key, to be sent one after the other."""
    return [
        Event(
            id=f"s-{number}",
            type="step.taken",
            partitionkey="acct-7",
            ordered=True,
            data={"kills": draw.random() < 0.05, "fails": draw.random() < 0.1},
        )
        for number in range(draw.choice((0, 0, 2, 4)))
    ]


def workload(draw: Random, *, fair: bool) -> list[Event]:
    """Return the events that a world is sent; in a fair one none fails always, or always ends its worker."""
    odds = 0.0 if fair else 0.05
    return [
        Event(
            id=f"e-{number}",
            type=draw.choice(TYPES),
            data={"kills": draw.random() < odds, "fails": draw.random() < odds},
        )
        for number in range(draw.randint(1, 5))
    ]
