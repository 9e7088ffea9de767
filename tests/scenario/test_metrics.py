"""What the counts say of a working OS: each outcome is counted once, where it happened, in both ways of committing."""

import contextlib
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Faults
from tests.support.gate import Gate, begun, gated
from tests.support.harness import ALLOW_ALL, Harness, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import InvalidError, TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.driverkit.result import Result
from vextir_os.errors import DeniedError, ForgedError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy
from vextir_os.runs.transitions import MAX_TAKEOVERS
from vextir_os.telemetry.counting import Counting
from vextir_os.telemetry.counts import Counts

NO_SECRETS = Policy(id="no-secrets", effect="deny", match=Match(action=("publish:secret.*", "process:later.*")))


@driver("first", capabilities=["order.placed"], permissions=["emit:order.accepted"])
async def first(event: Event) -> Result:
    return Result(output=1, events=[Event(type="order.accepted")])


@driver("second", capabilities=["order.accepted"], delivery="idempotent")
async def second(event: Event) -> int:
    return 2


@driver("failing", capabilities=["job.sent"], retry=Retry(max_attempts=2, base_s=8, cap_s=60))
async def failing(event: Event, ctx: Context) -> None:
    raise TransientError("not now") if ctx.attempt == 1 else InvalidError("never")


def counted(os: Harness) -> Counts:
    counting = Counting(os.kernel.clock)
    os.kernel.observers.add(counting)
    return counting.counts


async def test_a_chain_is_counted_event_by_event(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, first, second, atomic=atomic) as os:
        counts = counted(os)
        await os.event("order.placed")
        await os.settled()
        assert counts.published == {"order.placed": 1}
        assert (counts.admitted, counts.received) == (2, 2)
        assert counts.finished == {"ok": 2, "failed": 0, "denied": 0, "unrouted": 0}
        assert {name: one.states for name, one in counts.drivers.items()} == {
            "first": {"done": 1, "dead": 0},
            "second": {"done": 1, "dead": 0},
        }
        assert counts.drivers["first"].emitted == 1
        assert counts.decisions == {("publish", "allow"): 1, ("process", "allow"): 2, ("emit", "allow"): 1}


async def test_an_event_that_stands_in_line_for_its_key_is_counted_once(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, first, atomic=atomic) as os:
        counts = counted(os)
        await os.run(Event(type="order.placed", partitionkey="k-1", ordered=True))
        await os.settled()
        assert counts.admitted == 2
        assert counts.drivers["first"].states == {"done": 1, "dead": 0}


async def test_a_failure_for_good_tells_of_itself_and_nobody_has_to_listen(tmp_path: Path, atomic: bool) -> None:
    @driver("broken", capabilities=["job.sent"])
    async def broken(event: Event) -> None:
        raise InvalidError("never")

    async with an_os(tmp_path, broken, atomic=atomic) as os:
        counts = counted(os)
        await os.event("job.sent")
        await os.settled()
        assert counts.finished == {"ok": 1, "failed": 1, "denied": 0, "unrouted": 0}
        assert (counts.drivers["broken"].emitted, ("emit", "allow") in counts.decisions) == (1, False)


async def test_times_are_those_of_the_stores_clock(tmp_path: Path, atomic: bool) -> None:
    clock, gate = FakeClock(), Gate()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        counts = counted(os)
        await os.publish(Event(id="e-1", type="job.sent"))
        clock.advance(3)
        async with begun(os, gate):
            clock.advance(7)
        assert counts.wait.total == 3
        assert counts.drivers["slow"].duration.total == 7
        assert counts.latency.total == 10


async def test_a_retry_is_no_end_and_a_death_is_one(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        counts = counted(os)
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        mine = counts.drivers["failing"]
        assert (mine.retries, mine.states, counts.latency.total) == (1, {"done": 0, "dead": 0}, 0)
        clock.advance(20)
        await os.sweep()
        await os.work()
        assert (mine.retries, mine.states) == (1, {"done": 0, "dead": 1})
        assert counts.dead_letters == {"message": 0, "run": 1}
        assert (counts.finished["failed"], counts.latency.total) == (1, 20)
        assert (counts.admitted, counts.swept["sweeps"], counts.swept["knocked"]) == (2, 1, 1)


async def test_what_ends_in_its_decision_is_counted_there(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, first, atomic=atomic, policies=(*ALLOW_ALL, NO_SECRETS)) as os:
        counts = counted(os)
        await os.run(Event(type="later.on"), Event(type="order.unknown"))
        assert (counts.finished["denied"], counts.finished["unrouted"]) == (1, 1)
        assert (counts.decisions["process", "deny"], counts.decisions["process", "allow"]) == (1, 1)


async def test_refusals_are_counted_by_their_code_and_denials_as_decisions(tmp_path: Path) -> None:
    async with an_os(tmp_path, policies=(*ALLOW_ALL, NO_SECRETS), working=False) as os:
        counts = counted(os)
        with pytest.raises(DeniedError, match=r"may not publish 'secret\.told'"):
            await os.publish(Event(type="secret.told"))
        with pytest.raises(ForgedError, match="reserved for the OS"):
            await os.publish(Event(type="vextir.mine"))
        assert counts.refused == {DeniedError.code: 1, ForgedError.code: 1}
        assert counts.decisions == {("publish", "deny"): 1}


async def test_a_message_that_cannot_be_read_is_a_dead_letter(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, atomic=atomic, working=False) as os:
        counts = counted(os)
        await os.send(b"{")
        await os.work()
        assert counts.dead_letters == {"message": 1, "run": 0}


async def test_a_run_that_another_worker_took_is_counted_as_lost(tmp_path: Path, atomic: bool) -> None:
    clock, gate = FakeClock(), Gate()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        counts = counted(os)
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            clock.advance(400)
            await os.sweep()
            async with begun(os, gate, 2):
                gate.open(1)
        mine = counts.drivers["slow"]
        assert (mine.lost, mine.states) == (1, {"done": 1, "dead": 0})


async def test_a_driver_whose_workers_died_too_often_is_counted_as_dead(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()

    @driver("killer", capabilities=["job.sent"])
    async def killer(event: Event) -> None:
        raise KeyboardInterrupt

    async with an_os(tmp_path, killer, atomic=atomic, clock=clock, working=False) as os:
        counts = counted(os)
        await os.publish(Event(id="e-1", type="job.sent"))
        for _ in range(MAX_TAKEOVERS + 3):
            with contextlib.suppress(KeyboardInterrupt):
                await os.work()
            clock.advance(70)
            await os.sweep()
        assert counts.drivers["killer"].states == {"done": 0, "dead": 1}
        assert (counts.dead_letters["run"], counts.finished["failed"]) == (1, 1)


async def test_writes_that_met_another_or_no_answer_are_counted(tmp_path: Path, atomic: bool) -> None:
    faults, clock = Faults(), FakeClock()
    write = "transact" if atomic else "replace"
    async with an_os(tmp_path, first, atomic=atomic, clock=clock, working=False, faults=faults) as os:
        counts = counted(os)
        await os.publish(Event(id="e-1", type="order.placed"))
        faults.next(write, *([None] if atomic else []), "meddled", "lost")
        await os.work()
        assert counts.missed == {"conflict": 1, "unavailable": 1}
        assert counts.drivers["first"].states == {"done": 1, "dead": 0}
