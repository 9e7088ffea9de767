"""`traceparent` along a chain: an event that a run emits stays in the trace of the one that caused it."""

from pathlib import Path

from tests.support.harness import an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"


@driver("first", capabilities=["order.placed"], permissions=["emit:order.accepted"])
async def first(event: Event, ctx: Context) -> Result:
    lie = "00-11111111111111111111111111111111-2222222222222222-01"
    return Result(output=ctx.traceparent, events=[Event(type="order.accepted", traceparent=lie)])


@driver("second", capabilities=["order.accepted"])
async def second(event: Event, ctx: Context) -> str:
    return ctx.traceparent


async def test_a_chain_stays_in_one_trace_whatever_a_driver_writes(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, first, second, atomic=atomic) as os:
        [record] = await os.run(Event(id="e-1", type="order.placed", traceparent=PARENT))
        assert record["runs"]["first"]["output"] == PARENT
        [child] = await os.records("order.accepted")
        assert child["event"]["traceparent"] == PARENT
        assert child["runs"]["second"]["output"] == PARENT


async def test_an_event_of_no_trace_stays_in_none(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, second, atomic=atomic) as os:
        [record] = await os.run(Event(id="e-1", type="order.accepted"))
        assert record["runs"]["second"]["output"] == ""
        assert "traceparent" not in record["event"]


async def test_a_foreign_message_brings_a_trace_when_it_is_one(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, second, atomic=atomic, working=False) as os:
        for number, trace in enumerate((PARENT, "00-00-00-00")):
            body = b'{"type": "order.accepted", "id": "f-%d", "traceparent": "%s"}' % (number, trace.encode())
            await os.send(body)
        await os.work()
        outputs = [record["runs"]["second"]["output"] for record in await os.records()]
        assert sorted(outputs) == ["", PARENT]
