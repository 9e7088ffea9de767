"""Tenants take turns end to end: one with ten thousand waiting events holds up nobody."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.harness import Harness, an_os, until
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.local.runner import Runner

WAITING = 10_000
AT_ONCE = 4
CROWD, GUEST, FRIEND = (Principal(kind="user", id="ann", tenant=tenant) for tenant in ("crowd", "guest", "friend"))


async def crowded(os: Harness) -> None:
    """Let one tenant have its ten thousand events on the queue."""
    for first in range(0, WAITING, 500):
        await os.publish(*(Event(type="job.sent") for _ in range(first, first + 500)), who=CROWD)


def noting(order: list[str]) -> Callable[..., Any]:
    """Return a driver that notes whose event it is given."""

    @driver("noting", capabilities=["job.sent"], delivery="idempotent")
    async def note(ctx: Context) -> None:
        order.append(ctx.principal.tenant)
        await asyncio.sleep(0)

    return note


async def test_an_event_of_another_tenant_waits_for_no_more_than_a_round(tmp_path: Path, atomic: bool) -> None:
    order: list[str] = []
    async with an_os(tmp_path, noting(order), atomic=atomic, working=False, max_queue_depth=0) as os:
        await crowded(os)
        await os.publish(Event(type="job.sent"), Event(type="job.sent"), who=GUEST)
        await os.publish(Event(type="job.sent"), who=FRIEND)
        for _ in range(9):
            [delivery] = await os.kernel.queue.receive(1, 0)
            await os.handle(delivery)
        # Three tenants wait, so a round is three events long: two rounds, then the crowd has the queue for itself.
        assert sorted(order[:3]) == ["crowd", "friend", "guest"]
        assert sorted(order[3:5]) == ["crowd", "guest"]
        assert order[5:] == ["crowd"] * 4


async def test_tenants_that_come_while_workers_are_busy_with_another_go_next(tmp_path: Path, atomic: bool) -> None:
    order: list[str] = []

    async def busy() -> bool:
        return len(order) >= 20

    async with an_os(
        tmp_path, noting(order), atomic=atomic, working=False, max_queue_depth=0, concurrency=AT_ONCE
    ) as os:
        await crowded(os)
        async with Runner(os.kernel):
            await until(busy)
            os.watch.expect("g-1")
            before = len(order)
            await os.publish(Event(id="g-1", type="job.sent"), who=GUEST)
            await os.watch.idle()
        # While it is written, and before it is received, each worker may take a few of the crowd's; not thousands.
        assert order.index("guest") - before < WAITING / 10
        assert order.count("crowd") < WAITING / 2
