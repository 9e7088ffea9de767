"""Class drivers are asked how they are: who is not well is told of in log, metrics and lists, and goes on working."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import Harness, an_os, until
from vextir_os import driver
from vextir_os.events.event import Event
from vextir_os.processor.health import EVERY_S
from vextir_os.runs.healthfile import HEALTH, all_well, said_by
from vextir_os.runs.record import STATE
from vextir_os.telemetry.counting import Counting


def reader(answers: list[Any], name: str = "mail.reader") -> type:
    """Return a class driver that says how it is: the first of these answers, raised where it is an error."""

    @driver(name, capabilities=["mail.received"])
    class Reader:
        async def handle(self, event: Event) -> str:
            return "read"

        async def health(self) -> Any:
            if isinstance(answers[0], Exception):
                raise answers[0]
            return answers[0]

    return Reader


async def unwell(os: Harness) -> dict[str, str]:
    return {name: said["reason"] for name, said in (await os.kernel.health.known()).items()}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("the box is closed", "the box is closed"),
        (False, "it says no more"),
        (ConnectionError("no route"), "ConnectionError: no route"),
        ("red\x1b[31m", "red\N{REPLACEMENT CHARACTER}[31m"),
        ("x" * 500, "x" * 200),
        (None, None),
        (True, None),
        ("", None),
    ],
    ids=["text", "false", "raises", "control", "long", "none", "true", "empty"],
)
async def test_what_a_driver_says_of_itself_is_kept_while_it_says_so(
    tmp_path: Path, answer: Any, reason: str | None
) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, reader([answer]), clock=clock, working=False) as os:
        await os.kernel.health.ask()
        assert await unwell(os) == {}
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        await os.kernel.health.ask()
        assert await unwell(os) == ({} if reason is None else {"mail.reader": reason})


async def test_it_is_told_when_it_begins_and_when_it_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock, answers = FakeClock(), ["the box is closed"]
    async with an_os(tmp_path, reader(answers), clock=clock, working=False) as os:
        counting = Counting(clock)
        os.kernel.observers.add(counting)
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        began = clock.time()
        for _ in range(3):
            await os.kernel.health.ask()
            clock.advance(EVERY_S)
        assert (await os.kernel.health.known())["mail.reader"]["since"] == began
        await os.publish(Event(id="e-2", type="mail.received"))
        await os.work()
        assert (await os.record("e-2"))["runs"]["mail.reader"]["state"] == "done"
        answers[0] = ""
        await os.kernel.health.ask()
        assert await unwell(os) == {}
        assert (await os.kernel.store.read(STATE, HEALTH, HEALTH)).document["drivers"] == {}
        assert counting.counts.drivers["mail.reader"].unwell == 3
    assert [record.getMessage() for record in caplog.records if record.name == "vextir.driver"] == [
        "driver mail.reader is not well: the box is closed",
        "driver mail.reader is well again",
    ]


async def test_one_that_does_not_answer_is_not_well_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @driver("mail.slow", capabilities=["mail.received"])
    class Slow:
        async def handle(self, event: Event) -> None: ...

        async def health(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("vextir_os.processor.health.ANSWER_S", 0.02)
    async with an_os(tmp_path, Slow, reader(["sick"]), clock=FakeClock(), working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        await os.kernel.health.ask()
        assert await unwell(os) == {"mail.slow": "it did not answer within 0.02 s", "mail.reader": "sick"}


async def test_what_a_process_said_that_is_gone_counts_no_more(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, reader(["sick"]), clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.received"))
        await os.work()
        await os.kernel.health.ask()
    async with an_os(tmp_path, reader(["sick"]), clock=clock, working=False) as os:
        assert await unwell(os) == {"mail.reader": "sick"}
        clock.advance(4 * EVERY_S + 1)
        assert await unwell(os) == {}


def test_workers_leave_what_others_said_alone() -> None:
    one = said_by(all_well(), "w1", {"a": {"reason": "sick", "since": 1.0, "until": 60.0}}, now=1.0)
    assert one is not None
    both = said_by(one, "w2", {"a": {"reason": "tired", "since": 2.0, "until": 61.0}}, now=2.0)
    assert both is not None
    assert set(both["drivers"]["a"]) == {"w1", "w2"}
    left = said_by(both, "w1", {}, now=3.0)
    assert left is not None
    assert set(left["drivers"]["a"]) == {"w2"}
    assert said_by(left, "w1", {}, now=3.0) is None


async def test_a_running_os_asks_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vextir_os.local.runner.EVERY_S", 0.01)
    async with an_os(tmp_path, reader(["sick"])) as os:
        await os.event("mail.received")

        async def is_told() -> bool:
            return await unwell(os) == {"mail.reader": "sick"}

        await until(is_told)
