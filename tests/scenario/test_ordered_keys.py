"""Ordered keys: events of one key take effect one by one, in the order of sending, whatever becomes of each."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.clock import TickingClock
from tests.support.faults import Faults
from tests.support.gate import Gate, begun
from tests.support.harness import ALLOW_ALL, ANN, Harness, an_os
from tests.support.ordered import KEY, check_at_rest, effects, key_of, states, step, taker
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.manifest import Retry
from vextir_os.errors import NotFoundError
from vextir_os.events.event import Event
from vextir_os.policy.model import Match, Policy
from vextir_os.processor.edits import Edit
from vextir_os.runs import ordering
from vextir_os.runs.deadletter import dead_run_id
from vextir_os.runs.transitions import MAX_TAKEOVERS

LEASE_OVER_S = 48.0


async def test_events_of_one_key_take_effect_in_the_order_of_sending(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, taker(), atomic=atomic) as os:
        await os.run(*(step(n) for n in range(20)))
        assert await effects(os) == list(range(20))
        await os.settled()
        await check_at_rest(os)
        assert all("ttl" in record for record in await os.records())


async def test_keys_do_not_wait_for_each_other(tmp_path: Path, atomic: bool) -> None:
    clock, keys = TickingClock(), ["a", "b", "c"]
    async with an_os(tmp_path, taker({0: 1}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(
            *(step(n, keys[n % 3]) for n in range(12)), Event(id="e-90", type="step.taken", data={"n": 90})
        )
        await os.work()
        assert (await effects(os, "a"), await effects(os, "")) == ([], [90])
        assert (await effects(os, "b"), await effects(os, "c")) == ([1, 4, 7, 10], [2, 5, 8, 11])
        await os.recover(clock)
        assert await effects(os, "a") == [0, 3, 6, 9]
        await check_at_rest(os, *keys)


async def test_a_hot_key_does_not_hold_up_another(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, taker(), atomic=atomic, clock=TickingClock(), working=False) as os:
        await os.publish(*(step(n, "hot") for n in range(30)))
        await os.publish(step(99, "cold"))
        [hot] = await os.kernel.ordered.receive(1, 0)
        [cold] = await os.kernel.ordered.receive(1, 0)
        assert (hot.message.id, cold.message.id) == ("e-0", "e-99")
        assert not await os.kernel.ordered.receive(1, 0)
        await os.handle(cold)
        assert await states(os) == {"e-99": "done"}
        await os.handle(hot)
        await os.work()
        assert await effects(os, "hot") == list(range(30))


async def test_a_head_that_is_tried_again_holds_its_key(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker({1: 3}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2), step(3))
        for _ in range(3):
            await os.work()
            assert await states(os) == {"e-1": "retry", "e-2": "queued", "e-3": "queued"}
            clock.advance(10)
        await os.recover(clock)
        assert await effects(os) == [1, 2, 3]
        await check_at_rest(os)


async def test_two_of_one_key_never_run_at_once(tmp_path: Path, atomic: bool) -> None:
    """The head is at work; the lock of its message and of its session ends, so that others take both."""
    gate, clock, began = Gate(), TickingClock(), list[str]()

    @driver("take", capabilities=["step.taken"])
    async def take(event: Event) -> int:
        began.append(event.id)
        return await gate.pass_()

    async with an_os(tmp_path, take, atomic=atomic, clock=clock, working=False, lock_s=20) as os:
        await os.publish(step(1), step(2))
        [first] = await os.kernel.ordered.receive(1, 0)
        async with begun(os, gate, delivery=first):
            await os.work()
            clock.advance(25)
            await os.sweep()
            await os.work()
            assert await states(os) == {"e-1": "running", "e-2": "queued"}
            assert began == ["e-1"]
            gate.open(1)
        async with begun(os, gate, 2):
            assert began == ["e-1", "e-2"]
            assert await states(os) == {"e-1": "done", "e-2": "running"}


async def test_a_key_moves_on_after_done_dead_and_cancelled(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    drivers = taker({1: 1}, dead=frozenset({2}))
    async with an_os(tmp_path, drivers, atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2), step(3), step(4), step(5))
        await os.work()
        assert await states(os) == {"e-1": "retry", "e-2": "queued", "e-3": "queued", "e-4": "queued", "e-5": "queued"}
        await os.kernel.control.cancel("e-3", ANN)
        await os.work()
        assert (await states(os))["e-4"] == "queued"
        await os.recover(clock)
        assert await states(os) == {"e-1": "done", "e-2": "dead", "e-3": "cancelled", "e-4": "done", "e-5": "done"}
        assert await effects(os) == [1, 4, 5]
        await check_at_rest(os)


async def test_a_key_moves_on_when_its_head_is_cancelled(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker({1: 1}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2))
        await os.work()
        await os.kernel.control.cancel("e-1", ANN)
        await os.recover(clock)
        assert await effects(os) == [2]
        await check_at_rest(os)


async def test_an_event_cancelled_before_it_came_takes_no_place(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker(), atomic=atomic, clock=clock, working=False) as os:
        await os.publish(step(1), step(2))
        await os.kernel.control.cancel("e-1", ANN, source="/cli")
        await os.recover(clock)
        assert await effects(os) == [2]
        await check_at_rest(os)


async def test_a_key_moves_on_when_its_head_kills_its_worker_too_often(tmp_path: Path, atomic: bool) -> None:
    gate, clock = Gate(), TickingClock()

    @driver("take", capabilities=["step.taken"])
    async def take(event: Event) -> int:
        return event.data["n"] if event.data["n"] == 2 else await gate.pass_()

    async with an_os(tmp_path, take, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(step(1), step(2))
        tasks = []
        for number in range(1, MAX_TAKEOVERS + 2):
            [delivery] = await os.kernel.queue.receive(1, 0) or await os.kernel.ordered.receive(1, 0)
            context = begun(os, gate, number, delivery=delivery)
            await context.__aenter__()
            tasks.append(context)
            clock.advance(LEASE_OVER_S)
            await os.sweep()
        await os.work()
        assert await states(os) == {"e-1": "dead", "e-2": "done"}
        for context in tasks:
            await context.__aexit__(None, None, None)
        assert await states(os) == {"e-1": "dead", "e-2": "done"}


async def test_several_drivers_of_one_event_all_end_before_the_next_begins(tmp_path: Path, atomic: bool) -> None:
    clock, began = TickingClock(), list[str]()

    def one(name: str, fails: int) -> Any:
        @driver(name, capabilities=["step.taken"], retry=Retry(max_attempts=3, base_s=8, cap_s=60))
        async def run(event: Event, ctx: Context) -> None:
            began.append(f"{name} {event.data['n']}")
            if event.data["n"] == 1 and ctx.attempt <= fails:
                raise TransientError("not yet")

        return run

    drivers = [one("quick", 0), one("slow", 1), one("never", 9)]
    async with an_os(tmp_path, *drivers, atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2))
        await os.recover(clock)
        first = [index for index, call in enumerate(began) if call.endswith("1")]
        second = [index for index, call in enumerate(began) if call.endswith("2")]
        assert (len(first), len(second)) == (1 + 2 + 3, 3)
        assert max(first) < min(second)


async def test_a_denied_event_and_one_without_a_driver_take_no_place(tmp_path: Path, atomic: bool) -> None:
    deny = Policy(id="no", effect="deny", match=Match(action=("process:secret.told",)), priority=9)
    async with an_os(
        tmp_path, taker(), atomic=atomic, clock=TickingClock(), working=False, policies=(*ALLOW_ALL, deny)
    ) as os:
        await os.publish(step(1, type="secret.told"), step(2, type="nobody.cares"))
        await os.work()
        with pytest.raises(NotFoundError):
            await key_of(os)
        assert all("key" not in record for record in await os.records())
        assert await os.left() == []


async def test_an_event_sent_again_keeps_its_first_place(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker({1: 1}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2), step(3), step(2), step(1))
        await os.work()
        assert [place["turn"] for place in (await key_of(os))["list"]] == [0, 0, 0]
        await os.recover(clock)
        assert await effects(os) == [1, 2, 3]
        await check_at_rest(os)


async def test_what_runs_emit_as_ordered_keeps_the_order_of_their_commits(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()

    @driver("relay", capabilities=["step.asked"], permissions=["emit:step.taken"])
    async def relay(event: Event, ctx: Context) -> list[Event]:
        if event.data["n"] == 1 and ctx.attempt == 1:
            raise TransientError("not yet")
        first = event.data["n"] * 10
        return [Event(type="step.taken", data={"n": n}, partitionkey="out", ordered=True) for n in (first, first + 1)]

    async with an_os(tmp_path, relay, taker(), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(*(step(n, "in", type="step.asked") for n in (1, 2, 3)))
        await os.recover(clock)
        assert await effects(os, "out") == [10, 11, 20, 21, 30, 31]
        await check_at_rest(os, "in", "out")


async def test_a_dead_head_that_halts_its_key_is_replayed_in_its_place(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    driver_ = taker(dead=frozenset({1}), on_poison="halt")
    async with an_os(tmp_path, driver_, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(step(1), step(2), step(3))
        await os.work()
        clock.advance(3 * 86_400)
        await os.recover(clock)
        assert await states(os) == {"e-1": "dead", "e-2": "queued", "e-3": "queued"}
        assert "ttl" not in await os.record("e-1")
        await os.kernel.dead_letters.replay(await letter_of(os, "e-1"), ANN)
        await os.recover(clock)
        assert await effects(os) == [1, 2, 3]
        await check_at_rest(os)


async def test_a_dead_head_that_halts_its_key_is_discarded_and_the_next_one_begins(
    tmp_path: Path, atomic: bool
) -> None:
    clock = TickingClock()
    driver_ = taker(dead=frozenset({1}), on_poison="halt")
    async with an_os(tmp_path, driver_, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(step(1), step(2), step(3))
        await os.recover(clock)
        assert await states(os) == {"e-1": "dead", "e-2": "queued", "e-3": "queued"}
        await os.kernel.dead_letters.discard(await letter_of(os, "e-1"), ANN)
        await os.work()
        assert await effects(os) == [2, 3]
        await os.recover(clock)
        assert "ttl" in await os.record("e-1")
        await check_at_rest(os)


async def test_an_edited_event_is_ordered_like_the_one_that_it_stands_for(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    driver_ = taker(dead=frozenset({1}), on_poison="halt")
    async with an_os(tmp_path, driver_, atomic=atomic, clock=clock, working=False) as os:
        await os.publish(step(1), step(2))
        await os.work()
        edit = Edit(data={"n": 9})
        await os.kernel.dead_letters.edit(await letter_of(os, "e-1"), ANN, edit, source="/cli")
        await os.recover(clock)
        assert await effects(os) == [2, 9]
        await check_at_rest(os)


async def test_a_dead_event_that_is_replayed_goes_to_the_end_of_its_key(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    driver_ = taker({2: 1}, dead=frozenset({1}))
    async with an_os(tmp_path, driver_, atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1), step(2), step(3))
        await os.work()
        assert await states(os) == {"e-1": "dead", "e-2": "retry", "e-3": "queued"}
        await os.kernel.dead_letters.replay(await letter_of(os, "e-1"), ANN)
        await os.recover(clock)
        assert await effects(os) == [2, 3, 1]
        assert (await os.record("e-1"))["key"]["turn"] == 1
        await check_at_rest(os)


async def test_a_full_key_leaves_what_comes_in_the_queue_and_in_order(
    tmp_path: Path, atomic: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "WAITING", 3)
    clock = TickingClock()
    async with an_os(tmp_path, taker({0: 1}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(*(step(n) for n in range(6)))
        for _ in range(10):
            for delivery in await os.kernel.ordered.receive(1, 0):
                await os.handle(delivery)
        assert await states(os) == {"e-0": "retry", "e-1": "queued", "e-2": "queued"}
        clock.advance(10)
        await os.recover(clock)
        assert await effects(os) == list(range(6))
        await check_at_rest(os)


async def test_a_batch_of_ordered_and_other_events_is_accepted_whole_or_not_at_all(tmp_path: Path) -> None:
    async with an_os(tmp_path, taker(), clock=TickingClock(), working=False) as os:
        await os.publish(step(1), Event(id="e-2", type="step.taken", data={"n": 2}), step(3))
        assert sorted(await os.left()) == ["e-1", "e-2", "e-3"]
        assert len(await os.kernel.queue.receive(10, 0)) == 1
        assert [delivery.message.id for delivery in await os.kernel.ordered.receive(10, 0)] == ["e-1", "e-3"]


async def test_the_list_of_a_key_names_records_and_nothing_of_their_events(tmp_path: Path, atomic: bool) -> None:
    async with an_os(tmp_path, taker({1: 1}), atomic=atomic, clock=TickingClock(), working=False, draw=0.9) as os:
        await os.publish(step(1, correlationid="c"), step(2, correlationid="c"))
        await os.work()
        key = await key_of(os)
        records = [await os.record("e-1"), await os.record("e-2")]
        assert key["list"] == [{"id": record["id"], "pk": "local~c", "turn": 0} for record in records]
        assert KEY not in str(key)


async def test_an_ordered_event_costs_six_writes(tmp_path: Path, atomic: bool) -> None:
    """Its record, its place, the claim, the commit, the place given up, the entry removed."""

    @driver("take", capabilities=["step.taken"])
    async def take(event: Event) -> None:
        pass

    faults = Faults()
    async with an_os(tmp_path, take, atomic=atomic, clock=TickingClock(), working=False, faults=faults) as os:
        await os.publish(step(1))
        await os.work()
        await os.publish(step(2))
        faults.calls.clear()
        await os.work()
        writes = [call for call in faults.calls if call != "read"]
        assert writes == (["transact"] * 6 if atomic else ["create", *["replace"] * 5])


async def letter_of(os: Harness, event_id: str) -> str:
    return dead_run_id((await os.record(event_id))["id"], "take", 0)
