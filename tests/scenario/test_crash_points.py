"""One event with two drivers, a retry and a caused event, and a fault at every single call to store and queue.

Wherever the worker dies, whatever answer is lost: in the end each run has committed once, the caused event has one
record, and nothing is left to do.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Fault, Faults
from tests.support.harness import Harness, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Delivery
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event

FAULTS: tuple[Fault, ...] = ("crash before", "crash after", "down", "lost", "late", "meddled")


def drivers(delivery: Delivery) -> list[Callable[..., Any]]:
    @driver("order.take", capabilities=["order.placed"], permissions=["emit:order.taken"], delivery=delivery)
    async def take(event: Event) -> Result:
        return Result(output={"taken": event.data["n"]}, events=[Event(type="order.taken", data=event.data)])

    @driver("order.check", capabilities=["order.placed"], delivery=delivery)
    async def check(event: Event, ctx: Context) -> dict[str, int]:
        if ctx.attempt == 1:
            raise TransientError("the stock does not answer")
        return {"checked": event.data["n"]}

    @driver("order.pack", capabilities=["order.taken"], delivery=delivery)
    async def pack(event: Event) -> dict[str, int]:
        return {"packed": event.data["n"]}

    return [take, check, pack]


async def play(folder: Path, atomic: bool, faults: Faults, delivery: Delivery) -> None:
    """Publish one event, let the fault happen, recover, and check what came of it."""
    clock = FakeClock()
    async with an_os(
        folder, *drivers(delivery), atomic=atomic, clock=clock, working=False, faults=faults, draw=0.9,
        synchronous="NORMAL",
    ) as os:  # fmt: skip
        await os.publish(Event(id="e-1", type="order.placed", data={"n": 7}))
        await os.work()
        clock.advance(50)
        await faults.land()
        await os.recover(clock)
        await check_all_is_done(os)


async def check_all_is_done(os: Harness) -> None:
    [parent] = await os.records("order.placed")
    [child] = await os.records("order.taken")
    assert {name: (run["state"], run["output"]) for name, run in parent["runs"].items()} == {
        "order.take": ("done", {"taken": 7}),
        "order.check": ("done", {"checked": 7}),
    }
    assert (child["runs"]["order.pack"]["state"], child["runs"]["order.pack"]["output"]) == ("done", {"packed": 7})
    assert (parent["outbox"], child["outbox"]) == ([], [])
    assert "ttl" in parent
    assert await os.dead_letters("run") == []
    assert await os.left() == []


@pytest.mark.parametrize("delivery", ["default", "idempotent"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_an_acknowledged_event_always_ends_done_dead_or_cancelled(
    tmp_path: Path, atomic: bool, fault: Fault, delivery: Delivery
) -> None:
    smooth = Faults()
    await play(tmp_path / "smooth", atomic, smooth, delivery)
    assert len(smooth.calls) > 4
    for at in range(len(smooth.calls)):
        faults = Faults(at, fault)
        try:
            await play(tmp_path / str(at), atomic, faults, delivery)
        except AssertionError as error:
            raise AssertionError(f"{fault} at call {at} ({faults.calls[at]}): {error}") from error
