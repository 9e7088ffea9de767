"""The OS that is measured: its drivers, its policy, how it is opened, how events are published to it."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.job import payload, result
from vextir_os import Context, Event, Result, driver
from vextir_os.bootstrap import open_kernel
from vextir_os.events.identity import Principal
from vextir_os.kernel import Kernel
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.registry.registry import Registry
from vextir_os.settings import Settings
from vextir_os.telemetry.counting import Counting
from vextir_os.telemetry.counts import Counts
from vextir_os.telemetry.logs import logged

PUBLISHERS = 64
"""How many events each process publishes at once."""

DELIVERY: Any = "default" if "default" in sys.argv else "idempotent"
_WHO = Principal(kind="user", id="bench", tenant="local")


@driver("bench.work", capabilities=["bench.in"], delivery=DELIVERY)
async def work(event: Event, ctx: Context) -> dict[str, Any]:
    """Do the job."""
    return result(event.data)


@driver("bench.first", capabilities=["chain.first"], permissions=["emit:chain.second"], delivery=DELIVERY)
async def first(event: Event, ctx: Context) -> Result:
    """Do the job and pass it on."""
    return Result(output=result(event.data), events=[Event(type="chain.second", data=event.data)])


@driver("bench.second", capabilities=["chain.second"], permissions=["emit:chain.third"], delivery=DELIVERY)
async def second(event: Event, ctx: Context) -> Result:
    """Do the job and pass it on."""
    return Result(output=result(event.data), events=[Event(type="chain.third", data=event.data)])


@driver("bench.third", capabilities=["chain.third"], delivery=DELIVERY)
async def third(event: Event, ctx: Context) -> dict[str, Any]:
    """Do the job."""
    return result(event.data)


def opened(data: Path, *, log: str = "") -> contextlib.AbstractAsyncContextManager[Kernel]:
    """Open the OS on a folder; `log` is where INFO lines go, empty for nowhere."""
    actions = ("publish:**", "process:**", "emit:**")
    policy = PolicyEngine(Bundle(policies=(Policy(id="bench", effect="allow", match=Match(action=actions)),)))
    registry = Registry.of(work, first, second, third)
    return open_kernel(Settings(root=data, data_dir=data, log=log), registry=registry, policy=policy)


@contextlib.contextmanager
def observed(kernel: Kernel) -> Iterator[Counts | None]:
    """Where the settings name a log: write INFO lines to it, and count for `/metrics`."""
    if not kernel.settings.log:
        yield None
        return
    counting = Counting(kernel.clock)
    kernel.observers.add(counting)
    with logged(kernel.settings, kernel.observers, kernel.clock):
        yield counting.counts


def event(type_: str, prefix: str, number: int) -> Event:
    """Return event `number` of a measurement."""
    return Event(type=type_, id=f"{prefix}{number}", source="/cli", data=payload(number))


async def publish(
    kernel: Kernel, type_: str, prefix: str, numbers: Sequence[int], expect: Callable[[str], None] = lambda _id: None
) -> None:
    """Publish an event per number, many at once; `expect` is told of each before."""
    left = iter(numbers)

    async def publisher() -> None:
        for number in left:
            one = event(type_, prefix, number)
            expect(one.id)
            await kernel.intake.publish([one], _WHO, source="/cli")

    async with asyncio.TaskGroup() as group:
        for _ in range(PUBLISHERS):
            group.create_task(publisher())
