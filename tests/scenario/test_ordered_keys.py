"""Ordered keys: events of one key take effect one by one, in the order of sending, whatever becomes of each."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.clock import FakeClock
from tests.support.harness import Harness, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.events.event import Event
from vextir_os.events.ids import key_id
from vextir_os.runs.record import STATE


def step(number: int, key: str = "acct-7", **attributes: Any) -> Event:
    attributes = {"id": f"e-{number}", "type": "step.taken", "data": {"n": number}} | attributes
    return Event(partitionkey=key, ordered=True, **attributes)


def taking(effects: list[int], failing: int = 0) -> Callable[..., Any]:
    @driver("take", capabilities=["step.taken"])
    async def take(event: Event, ctx: Context) -> int:
        if event.data["n"] == failing and ctx.attempt == 1:
            raise TransientError("not yet")
        effects.append(event.data["n"])
        return len(effects)

    return take


async def key_of(os: Harness, name: str = "acct-7") -> dict[str, Any]:
    key = key_id("local", name)
    return (await os.kernel.store.read(STATE, key, key)).document


async def states(os: Harness) -> dict[str, str]:
    return {
        record["event_id"]: next(iter(record["runs"].values()))["state"] for record in await os.records("step.taken")
    }


async def test_events_of_one_key_take_effect_in_the_order_of_sending(tmp_path: Path, atomic: bool) -> None:
    effects: list[int] = []
    async with an_os(tmp_path, taking(effects), atomic=atomic) as os:
        await os.run(*(step(number) for number in range(20)))
        assert effects == list(range(20))
        await os.settled()
        key = await key_of(os)
        assert (key["list"], key["ttl"]) == ([], 90 * 86_400)
        assert all(record["outbox"] == [] and "ttl" in record for record in await os.records())


async def test_a_head_that_is_tried_again_holds_its_key(tmp_path: Path, atomic: bool) -> None:
    clock, effects = FakeClock(), list[int]()
    async with an_os(tmp_path, taking(effects, failing=1), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(*(step(number) for number in range(1, 4)))
        await os.work()
        assert await states(os) == {"e-1": "retry", "e-2": "queued", "e-3": "queued"}
        assert effects == []
        await os.recover(clock)
        assert effects == [1, 2, 3]
