"""What feeds itself or branches without end is stopped at its limit; the run that would pass it publishes nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import Harness, an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.manifest import Delivery
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event


def echo(delivery: Delivery = "default") -> Any:
    @driver("echo", capabilities=["ball.thrown"], permissions=["emit:ball.thrown"], delivery=delivery)
    async def throw(event: Event) -> Result:
        return Result(output="caught", events=[Event(type="ball.thrown", data=(event.data or 0) + 1)])

    return throw


async def storm(os: Harness) -> dict[str, Any]:
    """Return the error of the one run that passed a limit, after a look at what every one has."""
    [letter] = [one for one in await os.dead_letters("run") if one["error"]["code"] == "VX605"]
    error: dict[str, Any] = letter["error"]
    assert (error["class"], error["kind"], letter["attempts"]) == ("StormError", "invalid", 1)
    return error


@pytest.mark.parametrize("delivery", ["default", "idempotent"])
async def test_a_driver_that_feeds_itself_is_stopped(tmp_path: Path, atomic: bool, delivery: Delivery) -> None:
    async with an_os(tmp_path, echo(delivery), atomic=atomic, max_loops=5) as os:
        await os.event("ball.thrown")
        thrown = await os.records("ball.thrown")
        assert [record["event"].get("data") for record in thrown] == [None, 1, 2, 3, 4, 5]
        assert [record["runs"]["echo"]["state"] for record in thrown] == ["done"] * 5 + ["dead"]
        assert (await storm(os))["message"] == (
            "driver echo has emitted for events of type ball.thrown 5 times in this row of causes, and no more is "
            "allowed: what it emits comes back to it. Let it stop, or let it emit what does not lead back to it; or "
            "raise VEXTIR_MAX_LOOPS"
        )
        [told] = await os.records("vextir.error")
        assert told["event"]["causationid"] == thrown[-1]["event_id"]


async def test_two_drivers_that_feed_each_other_are_stopped(tmp_path: Path, atomic: bool) -> None:
    @driver("ping", capabilities=["ping"], permissions=["emit:pong"])
    async def ping(event: Event) -> Event:
        return Event(type="pong")

    @driver("pong", capabilities=["pong"], permissions=["emit:ping"])
    async def pong(event: Event) -> Event:
        return Event(type="ping")

    async with an_os(tmp_path, ping, pong, atomic=atomic, max_loops=4) as os:
        await os.event("ping")
        assert (len(await os.records("ping")), len(await os.records("pong"))) == (5, 4)
        assert "driver ping has emitted for events of type ping 4 times" in (await storm(os))["message"]


async def test_a_chain_that_never_ends_is_stopped_at_its_depth(tmp_path: Path, atomic: bool) -> None:
    @driver("dig", capabilities=["level.*"], permissions=["emit:level.*"])
    async def dig(event: Event) -> Event:
        return Event(type=f"level.{int(event.type.partition('.')[2]) + 1}")

    async with an_os(tmp_path, dig, atomic=atomic, max_depth=20) as os:
        await os.event("level.0")
        assert len(await os.records()) == 22, "the first, twenty that follow, and the event of the failure"
        assert "stands 20 steps behind the first one of its flow" in (await storm(os))["message"]


async def test_what_branches_without_end_is_stopped_at_its_flow(tmp_path: Path, atomic: bool) -> None:
    @driver("split", capabilities=["cell.grown"], permissions=["emit:cell.grown"])
    async def split(event: Event) -> list[Event]:
        return [Event(type="cell.grown"), Event(type="cell.grown")]

    async with an_os(tmp_path, split, atomic=atomic, max_flow=50) as os:
        await os.event("cell.grown")
        assert 20 < len(await os.records("cell.grown")) <= 51
        assert {letter["error"]["class"] for letter in await os.dead_letters("run")} == {"StormError"}


@pytest.mark.parametrize(
    ("count", "allowed", "message"),
    [
        (
            4,
            3,
            "driver many emits 4 events for one, at most 3 are allowed. Emit one event that names the rest, or",
        ),
        (101, 100, "driver `many` returned 101 events, at most 100 are allowed. Emit one event that names the rest"),
    ],
)
async def test_a_run_that_emits_too_many_is_dead_at_once_and_emits_none(
    tmp_path: Path, atomic: bool, count: int, allowed: int, message: str
) -> None:
    @driver("many", capabilities=["job.sent"], permissions=["emit:job.done"])
    async def many(event: Event) -> Result:
        return Result(output="kept back", events=[Event(type="job.done")] * count)

    async with an_os(tmp_path, many, atomic=atomic, max_fan_out=allowed) as os:
        run = (await os.event("job.sent"))["runs"]["many"]
        assert (run["state"], run["output"]) == ("dead", None)
        assert await os.records("job.done") == []
        assert (await storm(os))["message"].startswith(message)


async def test_a_long_chain_below_the_limits_is_none_of_it(tmp_path: Path, atomic: bool) -> None:
    @driver("page", capabilities=["page.*"], permissions=["emit:page.*"])
    async def page(event: Event) -> Event | None:
        return Event(type=f"page.{event.data % 7}", data=event.data - 1) if event.data else None

    async with an_os(tmp_path, page, atomic=atomic) as os:
        await os.event("page.0", 150)
        assert len(await os.records()) == 151
        assert await os.dead_letters("run") == []


async def test_nobody_outside_says_where_an_event_stands(tmp_path: Path, atomic: bool) -> None:
    """Neither far along, which would stop another's flow, nor at its beginning, which would let a storm go on."""
    async with an_os(tmp_path, echo(), atomic=atomic, max_loops=2) as os:
        body = {"specversion": "1.0", "id": "x-1", "source": "/partner", "type": "ball.thrown", "lineage": "999.0"}
        await os.send(json.dumps(body).encode(), "m-1")
        await os.settled()
        assert ["lineage" in record["event"] for record in await os.records("ball.thrown")] == [False, True, True]
        await os.run(Event(id="e-1", type="ball.thrown", data=10, lineage="999.0"))
        assert len(await os.records("ball.thrown")) == 6


async def test_each_event_of_a_chain_knows_where_it_stands(tmp_path: Path, atomic: bool) -> None:
    @driver("count.down", capabilities=["count"], permissions=["emit:count"])
    async def down(event: Event) -> Event | None:
        return event.but(data=event.data - 1, lineage="") if event.data else None

    async with an_os(tmp_path, down, atomic=atomic, max_flow=100) as os:
        await os.event("count", 3)
        places = [record["event"].get("lineage", "").partition(";")[0] for record in await os.records("count")]
        assert places == ["", "1.99", "2.98", "3.97"]


async def test_a_driver_does_not_say_where_its_events_stand(tmp_path: Path, atomic: bool) -> None:
    @driver("sly", capabilities=["ball.thrown"], permissions=["emit:ball.thrown"])
    async def sly(event: Event) -> Event:
        return event.but(lineage="")

    async with an_os(tmp_path, sly, atomic=atomic, max_loops=3) as os:
        await os.event("ball.thrown")
        assert len(await os.records("ball.thrown")) == 4


async def test_who_only_listens_takes_nothing_of_the_flow(tmp_path: Path, atomic: bool) -> None:
    @driver("audit", capabilities=["**"])
    async def audit(event: Event) -> None:
        return None

    async with an_os(tmp_path, echo(), audit, atomic=atomic, max_loops=30, max_flow=31) as os:
        await os.event("ball.thrown")
        assert len(await os.records("ball.thrown")) == 31
        assert "VEXTIR_MAX_LOOPS" in (await storm(os))["message"]
