"""Records that leave one OS as lines and enter another as history: nothing runs, nothing is believed too much."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import ANN, Harness, an_os
from vextir_os import Context, Event, InvalidError, Result, driver
from vextir_os.cli.text import visible_json
from vextir_os.errors import DeniedError, NotFoundError, VextirError
from vextir_os.events.filters import EventFilter
from vextir_os.events.identity import Principal
from vextir_os.events.limits import INLINE_BYTES
from vextir_os.policy.model import Match, Policy
from vextir_os.processor.importing import Importer
from vextir_os.runs import exporting
from vextir_os.runs.record import EVENTS

RAN: list[str] = []


@driver("move.take", capabilities=["move.asked"], permissions=["emit:move.taken"])
async def take(event: Event, ctx: Context) -> Result:
    RAN.append(event.id)
    if event.data.get("bad"):
        raise InvalidError("no good")
    size = event.data.get("size", 1)
    return Result(output={"text": "y" * size}, events=[Event(type="move.taken", data={"of": event.id})])


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    RAN.clear()


async def none(_digest: str) -> bytes:
    raise NotFoundError("no files here")


async def lines(os: Harness, *terms: str) -> list[dict[str, Any]]:
    keep = EventFilter.parse(" ".join(terms))
    # As in a file: text, read again.
    return [
        json.loads(visible_json(await exporting.line(record, os.kernel.blobs, None)))
        async for record in exporting.wanted(os.kernel.store, "local", keep, now=os.kernel.clock.time())
    ]


async def bring_in(os: Harness, found: Sequence[Any], who: Principal = ANN) -> list[str]:
    taken = await Importer(os.kernel.processor.parts, none).take(found, who)
    for one in taken:
        if isinstance(one, VextirError):
            raise one
    return [str(one) for one in taken]


EVENTS_SENT = (
    Event(id="e-1", type="move.asked", data={"n": 1}, labels=("pii",)),
    Event(id="e-2", type="move.asked", data={"bad": True}),
    Event(id="e-3", type="move.asked", data={"size": 3 * INLINE_BYTES, "text": "x" * 2 * INLINE_BYTES}),
    Event(id="e-4", type="move.unrouted", data=None, null_data=True),
    Event(id="e-5", type="move.asked", data={"ordered": 1}, partitionkey="k", ordered=True),
)


async def played(os: Harness, clock: FakeClock) -> list[dict[str, Any]]:
    await os.publish(*EVENTS_SENT)
    await os.recover(clock)
    return await lines(os)


def said(line: dict[str, Any]) -> dict[str, Any]:
    """Return what of a line has to be the same after a journey."""
    left = {name: value for name, value in line.items() if name not in ("acts", "event")}
    own = ("userid", "labels", "tenantid")
    return left | {"event": {name: value for name, value in line["event"].items() if name not in own}}


async def test_what_was_exported_and_imported_is_exported_the_same(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path / "a", take, atomic=atomic, clock=clock, working=False) as os:
        first = await played(os, clock)
    assert {line["status"] for line in first} == {"ok", "failed", "unrouted"}
    async with an_os(tmp_path / "b", take, atomic=atomic, clock=clock, working=False) as os:
        ran = [*RAN]
        assert set(await bring_in(os, first)) == {"imported"}
        second = await lines(os)
        assert [said(line) for line in second] == [said(line) for line in first]
        assert await os.work() == 0
        clock.advance(60)
        await os.sweep()
        assert (await os.work(), RAN, await os.left()) == (0, ran, [])
        records = await os.records()
        assert all("ttl" in record and "due" not in record for record in records)
        # What was done is done here as well: sent again, it does not run.
        await os.publish(*EVENTS_SENT)
        await os.work()
        assert (RAN, len(await os.records())) == (ran, len(records))


async def test_the_same_lines_twice_change_nothing(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path / "a", take, atomic=atomic, clock=clock, working=False) as os:
        first = await played(os, clock)
        assert set(await bring_in(os, first)) == {"there"}
        assert await lines(os) == first
    async with an_os(tmp_path / "b", take, atomic=atomic, clock=clock, working=False) as os:
        await bring_in(os, first)
        before = await os.records()
        assert set(await bring_in(os, first)) == {"there"}
        assert await os.records() == before


async def test_an_import_is_believed_no_more_than_who_imports(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path / "a", take, clock=clock, working=False) as os:
        [line, *_] = await played(os, clock)
    line["event"] |= {"userid": "root", "tenantid": "other", "priority": 9, "source": "/drivers/move.take"}
    async with an_os(tmp_path / "b", take, clock=clock, working=False) as os:
        assert await bring_in(os, [line]) == ["imported"]
        [record] = await os.records()
        event = record["event"]
        assert record["id"].startswith("local~")
        assert (event["tenantid"], event["userid"], event["priority"], event["labels"]) == (
            "local", "ann", 6, "pii,untrusted",
        )  # fmt: skip
        act = record["acts"][-1]
        assert (act["do"], act["by"], act["reason"]) == ("import", "user:ann", "of tenant other, user root")


async def test_an_import_needs_a_policy_that_allows_it(tmp_path: Path) -> None:
    deny = Policy(id="no", effect="deny", match=Match(action=("admin:import",)), reason="history is written here")
    clock = FakeClock()
    async with an_os(tmp_path / "a", take, clock=clock, working=False) as os:
        [line, *_] = await played(os, clock)
    async with an_os(tmp_path / "b", take, clock=clock, working=False, policies=[deny]) as os:
        with pytest.raises(DeniedError, match=r"may not import 'move.asked': history is written here"):
            await bring_in(os, [line])
        assert await os.records() == []


async def test_what_was_not_over_is_left_out(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path / "a", take, clock=clock, working=False) as os:
        await os.publish(EVENTS_SENT[0])
        deliveries = await os.kernel.queue.receive(1, 0)
        await os.kernel.control.cancel("e-9", ANN, source="/cli")
        [line] = await lines(os)
        assert line["status"] == "cancelled"
        assert deliveries
    line["runs"] = {"move.take": {"state": "running"}}
    async with an_os(tmp_path / "b", take, clock=clock, working=False) as os:
        assert await bring_in(os, [line]) == ["unfinished"]
        assert await os.records() == []


async def test_a_line_leads_to_no_blob_of_another_record(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, take, clock=clock, working=False) as os:
        found = await played(os, clock)
        [victim] = [record for record in await os.records("move.asked") if record["event_id"] == "e-3"]
        thief = json.loads(json.dumps(found[0]))
        thief["event"] |= {"id": "thief", "dataref": victim["event"]["dataref"]}
        thief["runs"]["move.take"]["output_ref"] = victim["runs"]["move.take"]["output_ref"]
        thief["event"].pop("data")
        assert await bring_in(os, [thief]) == ["imported"]
        stolen = await os.record("thief")
        assert "dataref" not in stolen["event"]
        assert stolen["runs"]["move.take"]["output_ref"] is None


async def test_an_imported_head_of_a_key_holds_up_nobody(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()

    @driver("halt.it", capabilities=["halt.asked"], on_poison="halt")
    async def halt(event: Event) -> None:
        raise InvalidError("no")

    first = Event(id="e-1", type="halt.asked", partitionkey="k", ordered=True)
    async with an_os(tmp_path / "a", halt, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(first)
        await os.work()
        found = await lines(os)
    async with an_os(tmp_path / "b", halt, atomic=atomic, clock=clock, working=False) as os:
        assert set(await bring_in(os, found)) == {"imported"}
        await os.publish(first.but(id="e-2"))
        await os.work()
        assert (await os.record("e-2"))["runs"]["halt.it"]["state"] == "dead"
        assert "ttl" in (await os.record("e-1"))


async def test_an_export_is_of_what_a_filter_keeps(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, take, clock=clock, working=False) as os:
        await played(os, clock)
        assert [line["event"]["id"] for line in await lines(os, "status:failed")] == ["e-2"]
        clock.advance(3_600)
        await os.publish(Event(id="late", type="move.asked", data={}))
        await os.work()
        late = await lines(os, "since:30m", "type:move.asked")
        assert [line["event"]["id"] for line in late] == ["late"]


async def test_an_export_is_of_the_tenant_alone(tmp_path: Path) -> None:
    async with an_os(tmp_path, take, working=False) as os:
        await os.publish(EVENTS_SENT[0])
        await os.work()
        [mine, *_] = await os.records()
        await os.kernel.store.create(EVENTS, {**mine, "id": "acme~1", "pk": "acme~1"})
        assert {line["event"]["tenantid"] for line in await lines(os)} == {"local"}
