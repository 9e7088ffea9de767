"""Drivers that people turn off and on: new events go past them, and their records say so; what has begun goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.gate import Gate, begun
from tests.support.harness import ALLOW_ALL, ANN, an_os
from vextir_os import Event, TransientError, driver
from vextir_os.errors import DeniedError, InvalidEventError, NotFoundError, UnknownDriverError
from vextir_os.policy.model import Match, Policy
from vextir_os.processor.pausing import Pausing
from vextir_os.runs.record import status


@driver("mail.send", capabilities=["mail.wanted"], delivery="idempotent")
async def send(event: Event) -> str:
    return "sent"


@driver("mail.count", capabilities=["mail.*"])
async def count(event: Event) -> str:
    return "counted"


OFF = "driver mail.send was turned off by user:ann: the relay is down"


def states(record: Mapping[str, Any]) -> dict[str, str]:
    return {name: run["state"] for name, run in record["runs"].items()}


async def test_a_driver_that_is_off_gets_no_new_events_and_the_record_says_so(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, send, count, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.kernel.switching.off("mail.send", ANN, reason="the relay is down")
        await os.publish(Event(id="e-1", type="mail.wanted"))
        await os.work()
        record = await os.record("e-1")
        assert states(record) == {"mail.count": "done"}
        assert record["left_out"] == {"mail.send": OFF}
        await os.kernel.switching.on("mail.send", ANN)
        await os.publish(Event(id="e-2", type="mail.wanted"))
        await os.work()
        record = await os.record("e-2")
        assert states(record) == {"mail.count": "done", "mail.send": "done"}
        assert "left_out" not in record
        assert (await os.kernel.switching.listed())["off"] == {}


async def test_the_only_driver_being_off_leaves_the_event_unrouted_with_the_reason(
    tmp_path: Path, atomic: bool
) -> None:
    async with an_os(tmp_path, send, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.kernel.switching.off("mail.send", ANN, reason="the relay is down")
        await os.publish(Event(id="e-1", type="mail.wanted"))
        await os.work()
        record = await os.record("e-1")
        assert (status(record), record["left_out"], "due" in record) == ("unrouted", {"mail.send": OFF}, False)
        assert await os.left() == []


async def test_what_has_begun_goes_on_and_is_tried_again(tmp_path: Path, atomic: bool) -> None:
    gate, clock, fails = Gate(), FakeClock(), [TransientError("down")]

    @driver("mail.send", capabilities=["mail.wanted"])
    async def slow(event: Event) -> str:
        await gate.pass_()
        if fails:
            raise fails.pop()
        return "sent"

    async with an_os(tmp_path, slow, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="mail.wanted"))
        async with begun(os, gate):
            await os.kernel.switching.off("mail.send", ANN)
        assert states(await os.record("e-1")) == {"mail.send": "retry"}
        gate.pass_ = _at_once  # type: ignore[method-assign]
        await os.recover(clock)
        assert states(await os.record("e-1")) == {"mail.send": "done"}


async def _at_once() -> int:
    return 0


async def test_the_next_best_driver_gets_what_the_best_one_does_not(tmp_path: Path) -> None:
    settings: Any = {"best_of": ("mail.*",)}
    async with an_os(tmp_path, send, count, clock=FakeClock(), working=False, **settings) as os:
        await os.publish(Event(id="e-1", type="mail.wanted"))
        await os.kernel.switching.off("mail.send", ANN)
        await os.publish(Event(id="e-2", type="mail.wanted"))
        await os.work()
        assert states(await os.record("e-1")) == states(await os.record("e-2")) == {"mail.count": "done"}
        await os.kernel.switching.on("mail.send", ANN)
        await os.publish(Event(id="e-3", type="mail.wanted"))
        await os.work()
        assert states(await os.record("e-3")) == {"mail.send": "done"}


async def test_another_process_hears_of_it_before_its_first_event_after_five_seconds(
    tmp_path: Path, atomic: bool
) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, send, atomic=atomic, clock=clock, working=False) as os:
        async with an_os(tmp_path, send, atomic=atomic, clock=clock, working=False) as other:
            await other.kernel.switching.off("mail.send", ANN)
        clock.advance(5.1)
        await os.publish(Event(id="e-1", type="mail.wanted"))
        await os.work()
        assert status(await os.record("e-1")) == "unrouted"


async def test_pauses_and_switches_leave_each_other_alone(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, send, count, clock=clock, working=False) as os:
        await os.kernel.switching.off("mail.send", ANN)
        await os.kernel.pausing.pause("driver", "mail.count", ANN)
        await os.kernel.pausing.resume("driver", "mail.count", ANN)
        clock.advance(31)
        await os.sweep()
        assert list((await os.kernel.switching.listed())["off"]) == ["mail.send"]
        await os.kernel.pausing.pause("driver", "mail.count", ANN)
        await os.kernel.switching.on("mail.send", ANN)
        assert [entry["name"] for entry in await Pausing(os.kernel.processor.parts).listed()] == ["mail.count"]


async def test_turned_off_again_the_newer_word_counts(tmp_path: Path) -> None:
    async with an_os(tmp_path, send, clock=FakeClock(), working=False) as os:
        await os.kernel.switching.off("mail.send", ANN, reason="first")
        await os.kernel.switching.off("mail.send", ANN, reason="second")
        assert (await os.kernel.switching.listed())["off"]["mail.send"]["reason"] == "second"


async def test_what_cannot_be_switched_is_named(tmp_path: Path) -> None:
    async with an_os(tmp_path, send, working=False) as os:
        switching = os.kernel.switching
        with pytest.raises(UnknownDriverError, match=r"there is no driver `mail\.sned`\. Did you mean `mail\.send`\?"):
            await switching.off("mail.sned", ANN)
        with pytest.raises(NotFoundError, match=r"driver mail\.send is not off"):
            await switching.on("mail.send", ANN)
        with pytest.raises(InvalidEventError, match="reason"):
            await switching.off("mail.send", ANN, reason="a\x1b[31mb")


async def test_who_may_not_switch_turns_nothing_off(tmp_path: Path) -> None:
    no = Policy(id="no", effect="deny", match=Match(action=("admin:switch",)), priority=9)
    async with an_os(tmp_path, send, policies=(*ALLOW_ALL, no), working=False) as os:
        with pytest.raises(DeniedError, match="user:ann may not switch any driver"):
            await os.kernel.switching.off("mail.send", ANN)
        with pytest.raises(DeniedError, match="user:ann may not switch any driver"):
            await os.kernel.switching.on("mail.send", ANN)
        assert (await os.kernel.switching.listed())["off"] == {}
