"""The same event more than once: one record, one output, one effect."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.manifest import Delivery
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.runs.claimcheck import encoded_out


def drivers(delivery: Delivery) -> list[Any]:
    @driver("take", capabilities=["order.placed"], permissions=["emit:order.taken"], delivery=delivery)
    async def take(event: Event) -> Result:
        await asyncio.sleep(0)
        return Result(output=event.data, events=[Event(type="order.taken", data=event.data)])

    @driver("pack", capabilities=["order.taken"], delivery=delivery)
    async def pack(event: Event) -> Any:
        return event.data

    return [take, pack]


@pytest.mark.parametrize("delivery", ["default", "idempotent"])
async def test_fifty_deliveries_of_one_event_at_once_are_one_event(
    tmp_path: Path, atomic: bool, delivery: Delivery
) -> None:
    async with an_os(tmp_path, *drivers(delivery), atomic=atomic) as os:
        event = Event(id="e-1", type="order.placed", data=7)
        os.watch.expect("e-1")
        await asyncio.gather(*(os.publish(event) for _ in range(25)), os.publish(*[event] * 25))
        await os.watch.idle()
        await os.settled()
        assert Counter(record["event"]["type"] for record in await os.records()) == {
            "order.placed": 1,
            "order.taken": 1,
        }
        run = (await os.record("e-1"))["runs"]["take"]
        assert (run["state"], run["output"], run["fence"]) == ("done", 7, 1)


async def test_an_event_that_comes_again_after_it_is_done_changes_nothing(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, *drivers("default"), atomic=atomic) as os:
        before = await os.event("order.placed", 7)
        await os.publish(Event(id="e-1", type="order.placed", data=7))
        await os.settled()
        assert await os.record("e-1") == before
        assert len(await os.records()) == 2


async def test_the_same_id_with_other_large_data_does_not_replace_the_first(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, *drivers("default"), atomic=atomic, working=False) as os:
        for text in ("first", "other"):
            await os.publish(Event(id="e-1", type="order.placed", data=text * 50_000))
        await os.work()
        record = await os.record("e-1")
        run = record["runs"]["take"]
        assert run["state"] == "done"
        assert await encoded_out(record["id"], run["output_ref"], os.kernel.blobs) == b'"' + b"first" * 50_000 + b'"'


async def test_the_same_id_from_another_source_is_another_event(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, *drivers("default"), atomic=atomic) as os:
        for source in ("/shop/a", "/shop/b"):
            await os.publish(Event(id="e-1", source=source, type="order.placed", data=source))
        await os.settled()
        assert {record["runs"]["take"]["output"] for record in await os.records("order.placed")} == {
            "/shop/a",
            "/shop/b",
        }
        assert len(await os.records("order.taken")) == 2


async def test_many_events_with_duplicates_at_once_are_each_one_event(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, *drivers("default"), atomic=atomic) as os:
        events = [Event(id=f"e-{number}", type="order.placed", data=number) for number in range(100)]
        await asyncio.gather(*(os.publish(event) for event in [*events, *reversed(events), *events]))
        await os.settled()
        for type_ in ("order.placed", "order.taken"):
            assert sorted(record["event"]["data"] for record in await os.records(type_)) == list(range(100))


async def test_what_was_published_before_a_stop_is_done_after_it(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, *drivers("default"), atomic=atomic, working=False) as os:
        await os.publish(*(Event(id=f"e-{number}", type="order.placed", data=number) for number in range(10)))
    async with an_os(tmp_path, *drivers("default"), atomic=atomic) as os:
        await os.settled()
        assert len(await os.records("order.taken")) == 10
