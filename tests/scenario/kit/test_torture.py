"""Torture: drivers that bear everything endure it, and drivers that only seem to are found, with the way to see it."""

import asyncio
import random
import time
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.scenario.kit.cast import greet, guest
from tests.support.drivers import write_driver
from vextir_os import Context, Event, InvalidError, TransientError, driver
from vextir_os.errors import UsageError
from vextir_os.testing import OS, open_os, torture
from vextir_os.testing.rounds import round_named

FEW = 16
SENT: list[tuple[str, str]] = []
"""What the mail server of these tests was asked to send: key and recipient."""


async def test_a_driver_that_bears_everything_endures() -> None:
    endured = await torture(greet, [guest("Ann"), guest("Bob")], rounds=FEW)
    assert (len(endured.rounds), endured.exact, endured.seed) == (FEW, True, 0)
    kinds = {round_named(name).kind for name in endured.rounds}
    assert {"dies", "is killed", "freezes", "mix"} <= kinds
    assert {name.split()[0] for name in endured.rounds} == {"one-transaction", "outbox"}


def test_drivers_that_fail_emit_and_keep_order_endure() -> None:
    @driver("steps", capabilities=["step.taken"], permissions=["emit:step.noted"])
    async def step(event: Event, ctx: Context) -> Event:
        if ctx.attempt == 1 and event.data.n == 1:
            raise TransientError("the first one holds up the others")
        await asyncio.sleep(2)
        if event.data.n == 3:
            raise InvalidError("no third step")
        return Event(type="step.noted", data={"n": event.data.n})

    @driver("notes", capabilities=["step.noted"], delivery="idempotent")
    async def note(event: Event) -> int:
        return int(event.data.n)

    events = [Event(id=f"s-{n}", type="step.taken", partitionkey="k", ordered=True, data={"n": n}) for n in range(1, 4)]
    torture([step, note], events, rounds=FEW)


def test_a_driver_that_keeps_state_in_a_global_between_attempts_is_found() -> None:
    seen: set[str] = set()

    @driver("forgetful", capabilities=["guest.arrived"])
    async def forget(event: Event) -> dict[str, Any]:
        if event.id in seen:
            return {"duplicate": True}
        seen.add(event.id)
        return {"greeted": event.data.name}

    with pytest.raises(AssertionError) as error:
        torture(forget, guest(), rounds=None)
    said = str(error.value)
    assert "forgetful of e-1: output {'duplicate': True}, without trouble {'greeted': 'Ann'}" in said
    assert seen == set()


def test_a_driver_that_only_says_it_is_idempotent_is_found() -> None:
    calls = 0

    @driver("counter", capabilities=["guest.arrived"], delivery="idempotent")
    async def count(event: Event) -> dict[str, int]:
        nonlocal calls
        calls += 1
        await asyncio.sleep(1)
        return {"call": calls}

    with pytest.raises(
        AssertionError, match=r"without trouble \{'call': 1\}|counter says delivery=.idempotent., and returned"
    ):
        torture(count, guest(), rounds=None)


@pytest.mark.parametrize("keyed", [True, False], ids=["keyed", "not-keyed"])
def test_an_effect_outside_is_held_against_an_invariant(keyed: bool) -> None:
    @driver("mailer", capabilities=["guest.arrived"])
    async def mail(event: Event, ctx: Context) -> str:
        SENT.append((ctx.event_id if keyed else str(uuid.uuid4()), event.data.name))
        return "sent"

    def each_guest_gets_one_mail(os: OS) -> None:
        assert len(set(SENT)) == len({name for _, name in SENT}), "a guest got two mails"

    if keyed:
        torture(mail, [guest("Ann"), guest("Bob")], invariants=each_guest_gets_one_mail, rounds=FEW)
    else:
        with pytest.raises(AssertionError, match=r"the invariant at .*test_torture.py:\d+ does not hold: a guest got"):
            torture(mail, [guest("Ann"), guest("Bob")], invariants=each_guest_gets_one_mail, rounds=None)


def test_where_values_differ_without_trouble_only_what_there_is_is_compared() -> None:
    @driver("dicer", capabilities=["guest.arrived"], permissions=["emit:dice.cast"])
    async def cast(event: Event) -> Event:
        return Event(type="dice.cast", data={"n": random.random(), "id": str(uuid.uuid4())})  # noqa: S311 - dice

    assert torture(cast, guest(), rounds=FEW).exact is False


def test_what_is_wrong_is_told_with_the_command_that_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    played: list[str] = []

    @driver("stateful", capabilities=["guest.arrived"])
    async def state(event: Event) -> int:
        played.append(event.id)
        return len(played)

    with pytest.raises(AssertionError) as error:
        torture(state, guest(), rounds=None, seed=7)
    said = str(error.value)
    command = next(line for line in said.splitlines() if line.startswith("again: "))
    assert "pytest " in command
    assert "test_torture.py::test_what_is_wrong_is_told_with_the_command_that_shows_it" in command
    assert "seed 7; " in said
    assert played == []
    monkeypatch.setenv("TORTURE", command.partition("TORTURE='")[2].partition("'")[0])
    with pytest.raises(AssertionError, match="without trouble 1"):
        torture(state, guest(), seed=7)
    # This time in this very process, for whoever has a debugger at hand.
    assert len(played) > 1


def test_a_round_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORTURE", "outbox sings before commit 2")
    with pytest.raises(UsageError, match="TORTURE: 'outbox sings before commit 2' is no round"):
        torture(greet, guest())


def test_what_is_wrong_without_any_trouble_is_told_as_that() -> None:
    def never(os: OS) -> None:
        raise AssertionError("never holds")

    with pytest.raises(AssertionError, match=r"torture of greet: without any trouble (?s:.)*never holds"):
        torture(greet, guest(), invariants=never)


async def test_the_drivers_of_a_project_are_tortured_where_they_stand(tmp_path: Path) -> None:
    source = (
        "@driver('greeter', capabilities=['guest.arrived'])\nasync def greet(event: Event) -> str:\n    return 'x'\n"
    )
    write_driver(tmp_path, "greeter", source)
    policy = "policies:\n  - id: all\n    effect: allow\n    match: {action: ['publish:**', 'process:**']}\n"
    async with open_os(root=tmp_path, policies=policy) as os:
        endured = await os.torture(guest(), rounds=8)
        assert len(endured.rounds) == 8
        assert os.records == ()


def test_a_driver_that_never_comes_back_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vextir_os.testing.chamber.LIMIT_S", 6.0)

    @driver("blocker", capabilities=["guest.arrived"])
    async def block(event: Event) -> None:
        time.sleep(30)  # noqa: ASYNC251 - it blocks the loop, which is what is to be found

    with pytest.raises(AssertionError, match=r"did not come to rest within 3 s\. It is here:(?s:.)*in block"):
        torture(block, guest())
