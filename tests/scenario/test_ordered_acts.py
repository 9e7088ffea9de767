"""People and ordered events: what a cancel, a replay and a discard do to the key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.harness import ANN, Harness, an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import OnPoison
from vextir_os.errors import RunStateError
from vextir_os.events.event import Event
from vextir_os.processor.edits import Edit
from vextir_os.runs.deadletter import dead_run_id


def step(number: int) -> Event:
    return Event(id=f"e-{number}", type="step.taken", data={"n": number}, partitionkey="acct-7", ordered=True)


def taking(effects: list[int], bad: set[int], on_poison: OnPoison = "skip") -> Callable[..., Any]:
    @driver("take", capabilities=["step.taken"], on_poison=on_poison)
    async def take(event: Event) -> int:
        if event.data["n"] in bad:
            raise InvalidError("not this one")
        if -event.data["n"] in bad:
            raise TransientError("later")
        effects.append(event.data["n"])
        return len(effects)

    return take


async def letter_of(os: Harness, event_id: str) -> str:
    return dead_run_id((await os.record(event_id))["id"], "take", 0)


@pytest.mark.parametrize("number", [1, 2], ids=["the-head", "one-that-waits"])
async def test_a_key_goes_on_when_an_event_of_it_is_cancelled(tmp_path: Path, atomic: bool, number: int) -> None:
    clock, effects = FakeClock(), list[int]()
    bad = {-1}
    async with an_os(tmp_path, taking(effects, bad), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2), step(3))
        await os.work()
        await os.kernel.control.cancel(f"e-{number}", ANN)
        bad.clear()
        await os.recover(clock)
        assert effects == ([2, 3] if number == 1 else [1, 3])
        assert (await os.record(f"e-{number}"))["runs"]["take"]["state"] == "cancelled"


async def test_a_replayed_event_goes_to_the_end_of_its_key(tmp_path: Path, atomic: bool) -> None:
    clock, effects, bad = FakeClock(), list[int](), {1, -2}
    async with an_os(tmp_path, taking(effects, bad), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2), step(3))
        await os.work()
        await os.kernel.dead_letters.replay(await letter_of(os, "e-1"), ANN)
        bad.clear()
        await os.recover(clock)
        assert effects == [2, 3, 1]


@pytest.mark.parametrize("act", ["replay", "discard", "edit"])
async def test_a_halted_key_goes_on_by_what_a_person_does(tmp_path: Path, atomic: bool, act: str) -> None:
    clock, effects, bad = FakeClock(), list[int](), {1}
    async with an_os(tmp_path, taking(effects, bad, "halt"), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(step(1), step(2), step(3))
        await os.recover(clock)
        assert effects == []
        bad.clear()
        letter = await letter_of(os, "e-1")
        if act == "edit":
            await os.kernel.dead_letters.edit(letter, ANN, Edit(data={"n": 9}), source="/cli")
        else:
            await getattr(os.kernel.dead_letters, act)(letter, ANN)
        await os.recover(clock)
        assert effects == {"replay": [1, 2, 3], "discard": [2, 3], "edit": [2, 3, 9]}[act]


async def test_an_ordered_event_is_replayed_when_all_its_drivers_are_over(tmp_path: Path, atomic: bool) -> None:
    @driver("beside", capabilities=["step.taken"])
    async def beside(event: Event) -> None:
        raise TransientError("later")

    clock = FakeClock()
    async with an_os(tmp_path, taking([], {1}), beside, atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1))
        await os.work()
        with pytest.raises(RunStateError, match="event e-1 is ordered, and other drivers of it still go on"):
            await os.kernel.dead_letters.replay(await letter_of(os, "e-1"), ANN)
