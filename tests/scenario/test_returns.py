"""What a driver may return and emit, what it may not, and how its run says so."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.harness import ALLOW_ALL, an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.manifest import Retry
from vextir_os.driverkit.result import Result
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy

ONCE = Retry(max_attempts=1)


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


async def later() -> int:
    return 1


def generate() -> Any:
    yield 1


def looped() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


NONSENSE: dict[str, tuple[Callable[[], Any], str]] = {
    "a set": (lambda: {1, 2}, "the output is"),
    "bytes": (lambda: b"x", "the output is"),
    "NaN": (lambda: {"x": float("nan")}, "the output is"),
    "infinity": (lambda: float("inf"), "the output is"),
    "a coroutine": (later, "the output is a coroutine that was not awaited"),
    "a generator": (generate, "the output is"),
    "an object": (object, "the output is"),
    "a class": (lambda: Result, "the output is"),
    "keys that are no text": (lambda: {1: "a"}, "the output is"),
    "half a surrogate pair": (lambda: "\ud800", "the output is"),
    "nested too deeply": (lambda: deep(100), "nested deeper than 64 levels"),
    "very deep": (lambda: deep(100_000), "nested deeper than 64 levels"),
    "itself": (looped, "nested deeper than 64 levels"),
    "an integer of 5,000 digits": (lambda: 10**5_000, "the output is"),
    "events mixed with values": (lambda: [Event(type="job.done"), 7], "mixes events with `int` values"),
    "a tuple without events": (tuple, "a tuple without events"),
    "events that are none": (lambda: Result(events=["job.done"]), "events[0] is of type `str`"),  # type: ignore[list-item]
    "events that are no list": (lambda: Result(events="ab"), "whose events are of type `str`"),  # type: ignore[arg-type]
    "an event with data that is no JSON": (
        lambda: Event(type="job.done", data={"x": {1}}), "the data of events[0] (job.done) is"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_refused_with_what_it_is_and_nothing_is_published(
    tmp_path: Path, atomic: bool, name: str
) -> None:
    make, message = NONSENSE[name]

    @driver("odd", capabilities=["job.sent"], permissions=["emit:job.done"], retry=ONCE)
    async def odd(event: Event) -> Any:
        return make()

    async with an_os(tmp_path, odd, atomic=atomic) as os:
        run = (await os.event("job.sent"))["runs"]["odd"]
        assert (run["state"], run["output"], run["error"]["code"]) == ("dead", None, "VX406")
        assert message in run["error"]["message"]
        assert len(await os.dead_letters("run")) == 1
        assert await os.records("job.done") == []


REFUSED = {
    "without the permission": ("job.lost", "driver odd emits 'job.lost' without the permission"),
    "a type of ours": ("vextir.run.done", "which only the OS may publish"),
    "what a policy denies": ("job.secret", "driver odd may not emit 'job.secret': Not outside."),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_an_event_that_may_not_be_emitted_ends_the_run_and_publishes_nothing(
    tmp_path: Path, atomic: bool, name: str
) -> None:
    type_, message = REFUSED[name]

    @driver("odd", capabilities=["job.sent"], permissions=["emit:job.done", "emit:job.secret"], retry=ONCE)
    async def odd(event: Event) -> Result:
        return Result(output="kept back", events=[Event(type="job.done"), Event(type=type_)])

    deny = Policy(id="no", effect="deny", match=Match(action=("emit:job.secret",)), reason="Not outside.")
    async with an_os(tmp_path, odd, atomic=atomic, policies=(*ALLOW_ALL, deny)) as os:
        run = (await os.event("job.sent"))["runs"]["odd"]
        assert (run["state"], run["output"]) == ("dead", None)
        assert message in run["error"]["message"]
        assert [record["event"]["type"] for record in await os.records()] == ["job.sent", "vextir.error"]
        assert [letter["driver"] for letter in await os.dead_letters("run")] == ["odd"]


async def test_a_hundred_events_of_one_run_are_a_hundred_records(tmp_path: Path, atomic: bool) -> None:
    @driver("many", capabilities=["job.sent"], permissions=["emit:job.done"])
    async def many(event: Event) -> list[Event]:
        return [Event(type="job.done", data=number) for number in range(100)]

    async with an_os(tmp_path, many, atomic=atomic) as os:
        await os.event("job.sent")
        children = await os.records("job.done")
        assert sorted(child["event"]["data"] for child in children) == list(range(100))


@pytest.mark.parametrize("size", [63_000, 70_000, 250_000, 4_000_000], ids=lambda size: f"{size:,} bytes")
async def test_large_data_and_outputs_travel_as_claim_checks(tmp_path: Path, atomic: bool, size: int) -> None:
    @driver("big", capabilities=["job.sent"], permissions=["emit:job.done"])
    async def big(event: Event) -> Result:
        return Result(output=event.data, events=[Event(type="job.done", data=event.data)])

    @driver("last", capabilities=["job.done"])
    async def last(event: Event) -> dict[str, int]:
        return {"length": len(event.data["text"])}

    async with an_os(tmp_path, big, last, atomic=atomic) as os:
        record = await os.event("job.sent", {"text": "x" * size})
        run = record["runs"]["big"]
        assert run["state"] == "done"
        assert (run["output_ref"] is None) == ("data" in record["event"]) == (size < 64_000)
        assert len(str(record)) < 140_000
        [child] = await os.records("job.done")
        assert child["runs"]["last"]["output"] == {"length": size}


async def test_data_over_the_largest_blob_is_refused_at_the_door(tmp_path: Path) -> None:
    async with an_os(tmp_path, working=False) as os:
        with pytest.raises(Exception, match="bytes"):
            await os.publish(Event(type="job.sent", data="x" * 64_000_001))
        assert await os.left() == []


async def test_a_driver_that_waits_keeps_nobody_waiting(tmp_path: Path, atomic: bool) -> None:
    gate = asyncio.Event()

    @driver("waits", capabilities=["job.sent"])
    async def waits(event: Event) -> str:
        await gate.wait()
        return "waited"

    @driver("opens", capabilities=["job.opened"])
    async def opens(event: Event) -> str:
        gate.set()
        return "opened"

    async with an_os(tmp_path, waits, opens, atomic=atomic) as os:
        first, second = await os.run(Event(type="job.sent"), Event(type="job.opened"))
        assert first["runs"]["waits"]["output"] == "waited"
        assert second["runs"]["opens"]["output"] == "opened"
