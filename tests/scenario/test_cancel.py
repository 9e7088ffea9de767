"""A person cancels an event: before it is taken, while it runs, while it waits, and when it is over.

PROTOCOL 9: one replace; acknowledged when it, or a read that shows it, is answered.
"""

import asyncio
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from tests.support.faults import Fault, Faults
from tests.support.gate import Gate, begun, gated
from tests.support.harness import ALLOW_ALL, ANN, Harness, an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.driverkit.result import Result
from vextir_os.errors import DeniedError, InvalidEventError, NotFoundError, RunStateError
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.policy.model import Match, Policy
from vextir_os.processor import execute

BOB = Principal(kind="user", id="bob", tenant="local")
LEASE_OVER_S = 48.0


@driver("quick", capabilities=["job.sent"], permissions=["emit:job.done"])
async def quick(event: Event) -> Result:
    return Result(output="quick", events=[Event(type="job.done")])


@driver("failing", capabilities=["job.sent"], retry=Retry(max_attempts=3, base_s=8, cap_s=60))
async def failing(event: Event, ctx: Context) -> str:
    raise TransientError(f"attempt {ctx.attempt} fails")


async def states(os: Harness, event_id: str = "e-1") -> dict[str, str]:
    return {driver: run["state"] for driver, run in (await os.record(event_id))["runs"].items()}


async def test_nothing_begins_and_nothing_commits_after_a_cancel_was_acknowledged(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate):
            await os.kernel.control.cancel("e-1", ANN, reason="wrong customer")
            before = await os.record("e-1")
            # Whatever the driver answers now, and whoever looks at the event again, in whatever time.
        clock.advance(LEASE_OVER_S)
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.sweep()
        await os.work()
        assert await os.record("e-1") == before
        assert gate.began == 1
        assert await os.records("job.done") == []
        assert {run["state"] for run in before["runs"].values()} == {"cancelled"}
        assert (before["runs"]["slow"]["fence"], before["runs"]["slow"]["output"]) == (2, None)
        assert "due" not in before


async def test_who_cancelled_when_and_why_stands_on_the_record(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        clock.advance(2)
        await os.kernel.control.cancel("e-1", BOB, reason="wrong customer")
        record = await os.record("e-1")
        said = {"by": "user:bob", "at": clock.time(), "reason": "wrong customer"}
        assert record["cancel"] == {**said, "runs": ["failing"], "in_doubt": []}
        [act] = record["acts"]
        assert act == {"id": act["id"], "do": "cancel", **said}


@pytest.mark.parametrize("cancelled_first", [True, False])
async def test_of_a_cancel_and_a_commit_exactly_one_wins(tmp_path: Path, atomic: bool, cancelled_first: bool) -> None:
    gate, clock, faults = Gate(), FakeClock(), Faults()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False, faults=faults) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        async with begun(os, gate) as worker:
            if cancelled_first:
                await os.kernel.control.cancel("e-1", ANN)
                gate.open(1)
                await worker
            else:
                gate.open(1)
                await worker
                with pytest.raises(RunStateError, match="event e-1 is over already: slow is done"):
                    await os.kernel.control.cancel("e-1", ANN)
        await os.work()
        run = (await os.record("e-1"))["runs"]["slow"]
        won = ("cancelled", None, 0) if cancelled_first else ("done", {"call": 1}, 1)
        assert (run["state"], run["output"], len(await os.records("job.done"))) == won


async def test_a_cancel_and_a_commit_at_one_moment_agree_on_what_happened(tmp_path: Path, atomic: bool) -> None:
    for turn in range(12):
        gate = Gate()
        async with an_os(tmp_path / str(turn), gated(gate), atomic=atomic, working=False) as os:
            await os.publish(Event(id="e-1", type="job.sent"))
            async with begun(os, gate) as worker:
                gate.open(1)
                for _ in range(turn):
                    await asyncio.sleep(0)
                answer = (await asyncio.gather(os.kernel.control.cancel("e-1", ANN), return_exceptions=True))[0]
                await worker
            await os.work()
            state = (await states(os))["slow"]
            assert (state == "cancelled") is not isinstance(answer, RunStateError)
            assert len(await os.records("job.done")) == (0 if state == "cancelled" else 1)


async def test_runs_that_are_over_stay_and_their_events_still_go_out(tmp_path: Path, atomic: bool) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(
        tmp_path, quick, failing, atomic=atomic, clock=clock, working=False, faults=faults, draw=0.5
    ) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        if not atomic:
            # The worker dies between the commit and its publishing: the event waits in the outbox.
            faults.next("send", "crash before")
        await os.work()
        clock.advance(70)
        await os.kernel.control.cancel("e-1", ANN)
        await os.recover(clock)
        assert await states(os) == {"quick": "done", "failing": "cancelled"}
        assert len(await os.records("job.done")) == 1


@pytest.mark.parametrize("fault", ["lost", "late", "meddled", "down"])
async def test_a_cancel_whose_answer_is_lost_is_one_cancel(tmp_path: Path, atomic: bool, fault: Fault) -> None:
    clock, faults = FakeClock(), Faults()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, faults=faults, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        faults.next("transact" if atomic else "replace", fault)
        record = await os.kernel.control.cancel("e-1", ANN)
        await faults.land()
        assert record["runs"]["failing"]["fence"] == 2
        assert len((await os.record("e-1"))["acts"]) == 1


async def test_a_second_cancel_is_answered_by_the_first(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        first = await os.kernel.control.cancel("e-1", ANN)
        assert await os.kernel.control.cancel("e-1", BOB) == first
        assert [act["by"] for act in (await os.record("e-1"))["acts"]] == ["user:ann"]


async def test_a_driver_at_work_in_this_process_is_stopped(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), FakeClock()
    async with an_os(tmp_path, gated(gate), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        [delivery] = await os.kernel.queue.receive(1, 0)
        worker = asyncio.create_task(os.handle(delivery))
        await gate.entered(1)
        await os.kernel.control.cancel("e-1", ANN)
        # Nobody opens the gate.
        async with asyncio.timeout(10):
            await worker
        assert await states(os) == {"slow": "cancelled"}


async def test_a_driver_is_stopped_by_the_knock_when_another_process_cancels(tmp_path: Path, atomic: bool) -> None:
    gate = Gate()
    async with an_os(tmp_path, gated(gate), atomic=atomic) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await gate.entered(1)
        os.watch.expect("e-1")
        async with an_os(tmp_path, atomic=atomic, working=False) as other:
            await other.kernel.control.cancel("e-1", ANN)
        async with asyncio.timeout(10):
            await os.watch.idle()
            await os.settled()
        assert await states(os) == {"slow": "cancelled"}


async def test_a_long_driver_is_stopped_when_its_lease_cannot_be_renewed(
    tmp_path: Path, atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, stopped = Gate(), []

    @driver("long", capabilities=["job.sent"], timeout="2m")
    async def long(event: Event) -> None:
        try:
            await gate.pass_()
        finally:
            stopped.append(event.id)

    monkeypatch.setattr(execute, "lease_s", lambda _timeout_s: 0.03)
    async with an_os(tmp_path, long, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.handle((await os.kernel.queue.receive(1, 0))[0])
        async with begun(os, gate, lane="slow") as worker:
            async with an_os(tmp_path, atomic=atomic, working=False) as other:
                await other.kernel.control.cancel("e-1", ANN)
            # Nobody opens the gate.
            async with asyncio.timeout(10):
                await worker
        assert stopped == ["e-1"]
        assert await states(os) == {"long": "cancelled"}
        [knock] = await os.kernel.lanes["slow"].receive(10, 0)
        assert knock.message.id.startswith("cancel~")


async def test_its_neighbours_go_on_when_one_event_is_cancelled(tmp_path: Path, atomic: bool) -> None:
    gate, other = Gate(), Gate()

    @driver("other", capabilities=["job.other"])
    async def free(event: Event) -> int:
        return await other.pass_()

    async with an_os(tmp_path, gated(gate), free, atomic=atomic) as os:
        os.watch.expect("e-1", "e-2")
        await os.publish(Event(id="e-1", type="job.sent"), Event(id="e-2", type="job.other"))
        await gate.entered(1)
        await other.entered(1)
        await os.kernel.control.cancel("e-1", ANN)
        other.open(1)
        await os.watch.idle()
        assert await states(os, "e-2") == {"other": "done"}


@pytest.mark.parametrize("delivery", ["default", "idempotent"])
async def test_an_event_that_waits_on_the_queue_is_cancelled_by_its_source(
    tmp_path: Path, atomic: bool, delivery: str
) -> None:
    calls = []

    @driver("slow", capabilities=["job.sent"], permissions=["emit:job.done"], delivery=delivery)  # type: ignore[arg-type]
    async def slow(event: Event) -> Event:
        calls.append(event.id)
        return Event(type="job.done")

    async with an_os(tmp_path, slow, atomic=atomic, working=False) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        with pytest.raises(NotFoundError, match="there is no event `e-1`"):
            await os.kernel.control.cancel("e-1", ANN)
        record = await os.kernel.control.cancel("e-1", ANN, source="/cli", reason="too late")
        before = await os.record("e-1")
        assert record["cancel"] == before["cancel"]
        await os.work()
        assert await os.record("e-1") == before
        assert (before["runs"], before["ttl"]) == ({}, os.kernel.settings.retention_s)
        assert await os.records("job.done") == []
        # A driver that may run twice runs before its record is looked at; nothing of it counts.
        assert calls == ([] if delivery == "default" else ["e-1"])


async def test_a_tombstone_that_comes_too_late_cancels_the_record_that_is_there(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent", correlationid="flow-1"))
        await os.work()
        with pytest.raises(NotFoundError):
            await os.kernel.control.cancel("e-2", ANN)
        await os.kernel.control.cancel("e-1", ANN, source="/cli", correlation="flow-1")
        assert await states(os) == {"failing": "cancelled"}
        assert len(await os.records()) == 1


async def test_an_id_that_two_events_have_needs_their_source(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"), Event(id="e-1", type="job.sent", source="/mail"))
        await os.work()
        with pytest.raises(RunStateError, match="several events have the id e-1: from /cli in flow e-1 and from /mail"):
            await os.kernel.control.cancel("e-1", ANN)
        await os.kernel.control.cancel("e-1", ANN, source="/mail")
        assert [record["runs"]["failing"]["state"] for record in await os.records()] == ["retry", "cancelled"]


async def test_what_was_denied_is_over_already(tmp_path: Path, atomic: bool) -> None:
    deny = Policy(id="no", effect="deny", match=Match(action=("process:job.sent",)), priority=900)
    async with an_os(tmp_path, quick, atomic=atomic, working=False, policies=(*ALLOW_ALL, deny)) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        with pytest.raises(RunStateError, match="event e-1 is over already: no driver has anything to do with it"):
            await os.kernel.control.cancel("e-1", ANN)


async def test_who_may_not_cancel_changes_nothing(tmp_path: Path, atomic: bool) -> None:
    deny = Policy(
        id="not-bob", effect="deny", match=Match(action=("admin:cancel",), users=("bob",), event=("job.*",)), priority=9
    )
    clock = FakeClock()
    policies = (*ALLOW_ALL, deny)
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, policies=policies, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        before = await os.record("e-1")
        with pytest.raises(DeniedError, match=r"user:bob may not cancel 'job.sent': policy not-bob denies it"):
            await os.kernel.control.cancel("e-1", BOB)
        assert await os.record("e-1") == before
        await os.kernel.control.cancel("e-1", ANN)
        with pytest.raises(DeniedError):
            await os.kernel.control.cancel("e-1", BOB)


async def test_another_tenants_event_is_not_there(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    eve = Principal(kind="user", id="ann", tenant="other")
    async with an_os(tmp_path, failing, atomic=atomic, clock=clock, working=False, draw=0.5) as os:
        await os.publish(Event(id="e-1", type="job.sent"))
        await os.work()
        with pytest.raises(NotFoundError):
            await os.kernel.control.cancel("e-1", eve)
        await os.kernel.control.cancel("e-1", eve, source="/cli")
        assert await states(os) == {"failing": "retry"}
        assert [record["id"].partition("~")[0] for record in await os.records()] == ["local", "other"]


@pytest.mark.parametrize("reason", ["x" * 3_000, "a\x1b[31m"])
async def test_a_reason_that_no_record_should_hold_is_refused(tmp_path: Path, reason: str) -> None:
    async with an_os(tmp_path, working=False) as os:
        with pytest.raises(InvalidEventError, match="reason"):
            await os.kernel.control.cancel("e-1", ANN, reason=reason)
