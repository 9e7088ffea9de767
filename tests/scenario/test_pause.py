"""Drivers, types and tenants that people pause: events are taken in, their runs wait in the store until a resume."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Crash, Faults, FaultyQueue, FaultyStore
from tests.support.gate import Gate, begun, gated
from tests.support.harness import ANN, Harness, an_os
from vextir_os.driverkit.decorator import driver
from vextir_os.errors import DeniedError, InvalidEventError, NotFoundError, PatternError, StoreError, UnknownDriverError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy
from vextir_os.ports.store import Where
from vextir_os.processor.paused import Paused
from vextir_os.processor.pausing import Pausing
from vextir_os.processor.pipeline import Processor
from vextir_os.runs.pauses import PAUSES
from vextir_os.runs.record import EVENTS, STATE


@driver("quick", capabilities=["job.sent"], delivery="idempotent")
async def quick(event: Event) -> str:
    return "quick"


@driver("other", capabilities=["job.*"])
async def other(event: Event) -> str:
    return "other"


@driver("slow", capabilities=["job.sent"], timeout="5m")
async def slow(event: Event) -> str:
    return "slow"


def states(record: Mapping[str, Any]) -> dict[str, str]:
    return {name: run["state"] for name, run in record["runs"].items()}


async def heard(os: Harness, clock: FakeClock) -> None:
    """Let the sweep forget pauses that are over."""
    clock.advance(31)
    await os.sweep()


async def test_a_paused_driver_takes_events_in_and_runs_them_after_the_resume(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, quick, other, atomic=atomic, clock=clock, working=False) as os:
        pausing = os.kernel.pausing
        await pausing.pause("driver", "quick", ANN, reason="the disk is full")
        await os.publish(Event(id="e-1", type="job.sent"))
        assert await os.work() == 1
        record = await os.record("e-1")
        assert states(record) == {"quick": "ready", "other": "done"}
        assert (record["waits"], record["due"]) == (["driver:quick"], clock.time() + 3_600)
        assert record["runs"]["quick"]["wait"]["reason"] == "driver quick is paused by user:ann: the disk is full"
        assert await os.left() == []
        assert await pausing.resume("driver", "quick", ANN) == 1
        await os.work()
        record = await os.record("e-1")
        assert states(record) == {"quick": "done", "other": "done"}
        assert "waits" not in record
        await heard(os, clock)
        assert (await os.kernel.store.read(STATE, PAUSES, PAUSES)).document["list"] == []


@pytest.mark.parametrize(
    ("kind", "name"), [("driver", "slow"), ("capability", "job.*"), ("tenant", "local"), ("capability", "job.sent")]
)
async def test_what_is_paused_stands_still_and_goes_on(tmp_path: Path, atomic: bool, kind: Any, name: str) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, slow, atomic=atomic, clock=clock, working=False) as os:
        await os.kernel.pausing.pause(kind, name, ANN)
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        assert states(await os.record("e-1")) == {"slow": "ready"}
        await os.kernel.pausing.resume(kind, name, ANN)
        await os.work()
        assert states(await os.record("e-1")) == {"slow": "done"}


async def test_other_drivers_types_and_tenants_go_on(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, quick, other, atomic=atomic, clock=FakeClock(), working=False) as os:
        await os.kernel.pausing.pause("capability", "task.*", ANN)
        await os.kernel.pausing.pause("tenant", "acme", ANN)
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        assert states(await os.record("e-1")) == {"quick": "done", "other": "done"}


async def test_the_sweep_does_not_spin_over_what_is_paused(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, other, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.kernel.pausing.pause("driver", "other", ANN)
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        knocked = 0
        for _ in range(100):
            clock.advance(60)
            knocked += (await os.kernel.sweep.run()).knocked
            await os.work()
        assert knocked == 1
        assert states(await os.record("e-1")) == {"other": "ready"}


async def test_a_pause_takes_effect_at_the_commit_of_what_runs(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"), Event(id="e-2", type="job.sent"))
        async with begun(os, gate):
            await os.kernel.pausing.pause("driver", "slow", ANN)
            await os.work()
        assert states(await os.record("e-1")) == {"slow": "done"}
        assert states(await os.record("e-2")) == {"slow": "ready"}
        assert gate.began == 1


async def test_a_retry_and_a_takeover_wait_as_well_and_are_counted(tmp_path: Path, atomic: bool) -> None:
    clock, calls = FakeClock(), list[str]()

    @driver("shaky", capabilities=["job.sent"])
    async def shaky(event: Event) -> str:
        calls.append(event.id)
        if calls.count(event.id) == 1:
            raise KeyboardInterrupt if event.id == "dies" else TimeoutError
        return "at last"

    async with an_os(tmp_path, shaky, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="fails", type="job.sent"))
        await os.work()
        await os.publish(Event(id="dies", type="job.sent"))
        with pytest.raises(KeyboardInterrupt):
            await os.work()
        await os.kernel.pausing.pause("driver", "shaky", ANN)
        clock.advance(100)
        await os.sweep()
        await os.work()
        fails, dies = [(await os.record(name))["runs"]["shaky"] for name in ("fails", "dies")]
        assert [(run["state"], run["attempt"], run["takeovers"]) for run in (fails, dies)] == [
            ("ready", 1, 0), ("ready", 0, 1)
        ]  # fmt: skip
        assert await os.kernel.pausing.resume("driver", "shaky", ANN) == 2
        clock.advance(1)
        await os.work()
        assert [(await os.record(name))["runs"]["shaky"]["output"] for name in ("fails", "dies")] == ["at last"] * 2


async def test_a_pause_ends_by_its_time(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, other, atomic=atomic, clock=clock, working=False) as os:
        entry = await os.kernel.pausing.pause("driver", "other", ANN, for_s=600)
        assert entry["until"] == clock.time() + 600
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        clock.advance(599)
        await os.sweep()
        assert await os.work() == 0
        clock.advance(1)
        await os.sweep()
        await os.work()
        assert states(await os.record("e-1")) == {"other": "done"}
        assert await os.kernel.pausing.listed() == []


async def test_a_shorter_pause_in_the_place_of_a_longer_one_frees_what_the_longer_held(
    tmp_path: Path, atomic: bool
) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, other, atomic=atomic, clock=clock, working=False) as os:
        await os.kernel.pausing.pause("driver", "other", ANN)
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        await os.kernel.pausing.pause("driver", "other", ANN, for_s=60)
        clock.advance(61)
        await os.sweep()
        await os.work()
        assert states(await os.record("e-1")) == {"other": "done"}


async def test_a_resume_knocks_at_a_rate(tmp_path: Path) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, other, clock=clock, working=False) as os:
        await os.kernel.pausing.pause("driver", "other", ANN)
        await os.publish(*(Event(id=f"e-{number}", type="job.sent") for number in range(250)))
        await os.work()
        assert await os.kernel.pausing.resume("driver", "other", ANN) == 250
        assert await os.work() == 1
        clock.advance(1)
        assert await os.work() == 200
        clock.advance(1)
        assert await os.work() == 49
        assert {record["runs"]["other"]["state"] for record in await os.records()} == {"done"}


class Another:
    """A second process over the same data."""

    def __init__(self, os: Harness, clock: FakeClock, faults: Faults | None = None) -> None:
        parts = os.kernel.processor.parts
        store = parts.desk.store if faults is None else FaultyStore(parts.desk.store, faults)
        queue = parts.desk.queue if faults is None else FaultyQueue(parts.desk.queue, faults)
        desk = dataclasses.replace(parts.desk, store=store, queue=queue)
        self.parts = dataclasses.replace(parts, desk=desk, paused=Paused(store, clock))
        self.pausing = Pausing(self.parts)
        self.os = dataclasses.replace(
            os, kernel=dataclasses.replace(os.kernel, processor=Processor(self.parts), pausing=self.pausing)
        )


async def test_another_process_follows_within_five_seconds(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, other, atomic=atomic, clock=clock, working=False) as os:
        another = Another(os, clock)
        await another.parts.paused.refresh()
        await os.kernel.pausing.pause("driver", "other", ANN)
        await os.publish(Event(id="at-once", type="job.sent"))
        await another.os.work()
        clock.advance(5)
        await os.publish(Event(id="later", type="job.sent"))
        await another.os.work()
        assert states(await os.record("at-once")) == {"other": "done"}
        assert states(await os.record("later")) == {"other": "ready"}


async def test_a_knock_tells_a_process_of_a_resume_that_it_has_not_heard_of(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, other, atomic=atomic, clock=clock, working=False) as os:
        another = Another(os, clock)
        await os.kernel.pausing.pause("driver", "other", ANN)
        await os.publish(Event(id="e-1", type="job.sent"))
        await another.os.work()
        await os.kernel.pausing.resume("driver", "other", ANN)
        await another.os.work()
        assert states(await os.record("e-1")) == {"other": "done"}


async def test_what_is_held_back_after_the_resume_by_who_had_not_heard_is_knocked_at(
    tmp_path: Path, atomic: bool
) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, other, atomic=atomic, clock=clock, working=False) as os:
        another = Another(os, clock)
        await os.kernel.pausing.pause("driver", "other", ANN)
        await another.parts.paused.refresh()
        assert await os.kernel.pausing.resume("driver", "other", ANN) == 0
        # A sweep that comes at once must not be the last that looks for it.
        await os.sweep()
        await os.publish(Event(id="e-1", type="job.sent"))
        await another.os.work()
        assert states(await os.record("e-1")) == {"other": "ready"}
        await heard(os, clock)
        await os.work()
        assert states(await os.record("e-1")) == {"other": "done"}


@pytest.mark.parametrize("fault", ["crash before", "crash after", "down", "lost", "late"])
async def test_a_crash_in_a_resume_loses_nothing(tmp_path: Path, atomic: bool, fault: Any) -> None:
    for at in range(6):
        clock, faults = FakeClock(), Faults(at, fault)
        async with an_os(tmp_path / str(at), other, atomic=atomic, clock=clock, working=False) as os:
            another = Another(os, clock, faults)
            await os.kernel.pausing.pause("driver", "other", ANN)
            await os.publish(*(Event(id=f"e-{number}", type="job.sent") for number in range(3)))
            await os.work()
            try:
                await another.pausing.resume("driver", "other", ANN)
            except (Crash, StoreError):
                await faults.land()
            if await os.kernel.pausing.listed():
                await os.kernel.pausing.resume("driver", "other", ANN)
            for _ in range(4):
                clock.advance(31)
                await os.sweep()
                await os.work()
            assert {record["runs"]["other"]["state"] for record in await os.records()} == {"done"}, at
            assert (await os.kernel.store.read(STATE, PAUSES, PAUSES)).document["list"] == []


async def test_events_go_on_while_nobody_answers_what_is_paused(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, other, atomic=atomic, clock=clock, working=False) as os:
        known = Paused(FaultyStore(os.kernel.store, faults), clock)
        await os.kernel.pausing.pause("driver", "other", ANN)
        await known.refresh()
        clock.advance(6)
        faults.next("read", "down")
        await known.refresh()
        assert [entry["name"] for entry in known.now.entries] == ["other"]
        assert not known.is_stale


async def test_an_ordered_key_waits_for_its_paused_head(tmp_path: Path, atomic: bool) -> None:
    order, clock = list[str](), FakeClock()

    @driver("one", capabilities=["job.first"])
    async def one(event: Event) -> None:
        order.append(event.id)

    @driver("two", capabilities=["job.second"])
    async def two(event: Event) -> None:
        order.append(event.id)

    async with an_os(tmp_path, one, two, atomic=atomic, clock=clock, working=False) as os:
        await os.kernel.pausing.pause("driver", "one", ANN)
        for number, name in enumerate(("first", "second")):
            await os.publish(Event(id=f"e-{number}", type=f"job.{name}", partitionkey="k", ordered=True))
        await os.work()
        assert order == []
        await os.kernel.pausing.resume("driver", "one", ANN)
        await os.recover(clock)
        assert order == ["e-0", "e-1"]


NOTHING = (Policy(id="work", effect="allow", match=Match(action=("publish:**", "process:**", "admin:cancel"))),)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda pausing: pausing.pause("driver", "other", ANN), "user:ann may not pause anything"),
        (lambda pausing: pausing.resume("driver", "other", ANN), "user:ann may not resume anything"),
    ],
    ids=["pause", "resume"],
)
async def test_without_a_policy_nobody_pauses(tmp_path: Path, act: Callable[[Pausing], Any], message: str) -> None:
    async with an_os(tmp_path, other, policies=NOTHING, working=False) as os:
        with pytest.raises(DeniedError, match=message):
            await act(os.kernel.pausing)
        page = await os.kernel.store.query(STATE, [Where("kind", "=", "pauses")])
        assert page.items == []


@pytest.mark.parametrize(
    ("kind", "name", "options", "error", "message"),
    [
        ("drivr", "other", {}, InvalidEventError, "'drivr' is nothing that can be paused. Did you mean `driver`?"),
        ("driver", "othr", {}, UnknownDriverError, "there is no driver `othr`. Did you mean `other`?"),
        ("capability", "Job.*", {}, PatternError, "'Job.*'"),
        ("tenant", "../acme", {}, InvalidEventError, "'../acme'"),
        ("driver", "other", {"for_s": 0}, InvalidEventError, "0 seconds are no time for a pause"),
        ("driver", "other", {"for_s": 1e9}, InvalidEventError, "1e+09 seconds are no time for a pause"),
        ("driver", "other", {"for_s": float("nan")}, InvalidEventError, "nan seconds are no time for a pause"),
        ("driver", "other", {"reason": "a\x1bb"}, InvalidEventError, "reason"),
        ("driver", "other", {"reason": "x" * 5_000}, InvalidEventError, "reason"),
    ],
)
async def test_what_cannot_be_paused_is_said(
    tmp_path: Path, kind: Any, name: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    async with an_os(tmp_path, other, working=False) as os:
        with pytest.raises(error) as caught:
            await os.kernel.pausing.pause(kind, name, ANN, **options)
        assert message in str(caught.value)
        assert await os.kernel.pausing.listed() == []


async def test_what_is_not_paused_cannot_be_resumed(tmp_path: Path) -> None:
    async with an_os(tmp_path, other, working=False) as os:
        with pytest.raises(NotFoundError, match=r"^driver other is not paused"):
            await os.kernel.pausing.resume("driver", "other", ANN)
        assert (await os.kernel.store.query(EVENTS)).items == []
