"""What is kept and for how long, and what code of this process publishes on the bus."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import an_os
from vextir_os import Context, Event, driver
from vextir_os.errors import DeniedError, NotFoundError
from vextir_os.events.limits import INLINE_BYTES, RECORD_BYTES, RUNS_PER_RECORD, inline_bytes
from vextir_os.policy.model import Match, Policy
from vextir_os.ports.blobs import BlobRef


@driver("keep.echo", capabilities=["keep.asked"])
async def echo(event: Event, ctx: Context) -> Any:
    return {"size": len(event.data["text"])}


async def test_an_event_emitted_on_the_bus_is_published(tmp_path: Path) -> None:
    async with an_os(tmp_path, echo) as os:
        async with os.kernel.bus.stream("keep.*") as seen:
            os.watch.expect("b-1")
            assert await os.kernel.bus.emit(Event(type="keep.asked", id="b-1", data={"text": "abc"})) == "b-1"
            await os.watch.idle()
            assert (await anext(seen)).id == "b-1"
        record = await os.record("b-1")
        assert record["runs"]["keep.echo"]["output"] == {"size": 3}
        assert (record["event"]["source"], record["event"]["userid"]) == ("/bus", "operator")


async def test_the_bus_is_no_way_around_policy(tmp_path: Path) -> None:
    deny = Policy(id="no", effect="deny", match=Match(action=("publish:**",)), reason="not here")
    async with an_os(tmp_path, echo, policies=[deny]) as os:
        with pytest.raises(DeniedError, match="not here"):
            await os.kernel.bus.emit(Event(type="keep.asked", data={"text": "abc"}))
        assert await os.records() == []


async def test_what_is_over_its_retention_goes_with_its_blobs(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, echo, clock=clock, working=True, retention_s=60, sweep_s=3_600) as os:
        (record,) = await os.run(Event(type="keep.asked", data={"text": "x" * 2 * INLINE_BYTES}))
        dataref = record["event"]["dataref"]
        assert dataref.startswith("vextir-blob:")
        clock.advance(61)
        swept = await os.kernel.sweep.run()
        assert swept.purged == 1
        assert await os.records() == []
        name = dataref.removeprefix("vextir-blob:").partition("?")[0]
        with pytest.raises(NotFoundError):
            await os.kernel.blobs.get(BlobRef(name=name, size_bytes=1, sha256="0" * 64))


def test_a_record_with_all_its_runs_stays_under_its_limit() -> None:
    per_run_bytes = 30_000
    for runs in range(1, RUNS_PER_RECORD + 1):
        assert INLINE_BYTES + runs * (inline_bytes(runs) + per_run_bytes) <= RECORD_BYTES


async def test_a_late_duplicate_does_not_run_again_while_its_id_is_remembered(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    settings: dict[str, Any] = {"atomic": atomic, "clock": clock, "retention_s": 60, "dedupe_s": 1_000}
    async with an_os(tmp_path, echo, working=False, **settings) as os:
        for late_s in (0, 61, 900):
            clock.advance(late_s)
            await os.sweep()
            await os.publish(Event(type="keep.asked", id="k-1", data={"text": "abc"}))
            assert await os.work() == 1
            assert await os.left() == []
            assert len(await os.records()) == (0 if late_s else 1)
        clock.advance(100)
        await os.publish(Event(type="keep.asked", id="k-1", data={"text": "abcd"}))
        await os.work()
        assert (await os.record("k-1"))["runs"]["keep.echo"]["output"] == {"size": 4}


async def test_a_late_duplicate_is_known_before_any_sweep_has_come_by(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, echo, atomic=atomic, clock=clock, working=False, retention_s=60) as os:
        await os.publish(Event(type="keep.asked", id="k-1", data={"text": "abc"}))
        await os.work()
        clock.advance(30 * 86_400)
        await os.publish(Event(type="keep.asked", id="k-1", data={"text": "abc"}))
        await os.work()
        assert (await os.records(), await os.left()) == ([], [])


async def test_a_late_duplicate_of_an_ordered_event_holds_up_nobody(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    first = Event(type="keep.asked", id="k-1", data={"text": "a"}, partitionkey="key", ordered=True)
    async with an_os(tmp_path, echo, atomic=atomic, clock=clock, working=False, retention_s=60) as os:
        await os.publish(first)
        await os.work()
        clock.advance(61)
        await os.sweep()
        await os.publish(first, first.but(id="k-2"))
        await os.work()
        assert [record["event_id"] for record in await os.records()] == ["k-2"]
        assert (await os.record("k-2"))["runs"]["keep.echo"]["state"] == "done"
        assert await os.left() == []


async def test_dead_letters_stay_for_a_time_of_their_own(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    settings: dict[str, Any] = {"atomic": atomic, "clock": clock, "retention_s": 60, "deadletters_s": 90_000}
    async with an_os(tmp_path, echo, working=False, **settings) as os:
        await os.publish(Event(type="keep.asked", id="k-1", data={}))
        await os.send(b"no json", "m-1")
        await os.recover(clock, rounds=30)
        clock.advance(61)
        await os.sweep()
        assert await os.records("keep.asked") == []
        assert (len(await os.dead_letters("run")), len(await os.dead_letters("message"))) == (1, 1)
        clock.advance(90_000)
        await os.sweep()
        assert (await os.dead_letters("run"), await os.dead_letters("message")) == ([], [])


async def test_one_sweep_removes_thousands(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, echo, clock=clock, working=False, retention_s=60) as os:
        for number in range(1_200):
            await os.kernel.store.create("state", {"v": 1, "id": str(number), "pk": "p", "ttl": 1})
        clock.advance(2)
        assert (await os.kernel.sweep.run()).purged == 1_200
