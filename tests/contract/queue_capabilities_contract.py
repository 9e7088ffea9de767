"""What some queues can do besides the core: one class per capability, declared by inheriting it."""

from collections.abc import Sequence
from typing import Protocol

import pytest

from tests.contract.queue_contract import LOCK_S, QueueHarness, drain, ids, message, one, waiting
from vextir_os.errors import LockLostError, NotFoundError
from vextir_os.ports.queue import Delivery, Queue


class ScheduleContract:
    """Capability `schedule`."""

    async def test_a_scheduled_message_waits_for_its_time(self, harness: QueueHarness, now: float) -> None:
        queue = await harness.make("q")
        await queue.send([message()], at=now + 100)
        await harness.advance(95)
        assert list(await queue.receive(1, 0)) == []
        await harness.advance(10)
        assert ids(await queue.receive(1, 0)) == ["m"]

    async def test_a_waiting_receiver_gets_what_becomes_due(self, harness: QueueHarness, now: float) -> None:
        queue = await harness.make("q")
        await queue.send([message()], at=now + 10)
        task = await waiting(queue, 60)
        await harness.advance(12)
        assert ids(await task) == ["m"]

    async def test_a_time_that_is_past_means_at_once(self, harness: QueueHarness, now: float) -> None:
        queue = await harness.make("q")
        await queue.send([message()], at=now - 100)
        assert ids(await queue.receive(1, 0)) == ["m"]

    async def test_a_cancelled_schedule_never_comes(self, harness: QueueHarness, now: float) -> None:
        queue = await harness.make("q")
        keep, drop = await queue.send([message("keep"), message("drop")], at=now + 10)
        await queue.cancel_scheduled(drop)
        await harness.advance(20)
        [delivery] = await queue.receive(10, 0)
        assert (delivery.message.id, delivery.sequence) == ("keep", keep)

    async def test_what_is_due_or_gone_cannot_be_cancelled(self, harness: QueueHarness, now: float) -> None:
        queue = await harness.make("q")
        [sequence] = await queue.send([message()], at=now + 10)
        await harness.advance(20)
        with pytest.raises(NotFoundError, match=f"no scheduled message {sequence}"):
            await queue.cancel_scheduled(sequence)


class PriorityContract:
    """Capability `priority`."""

    async def test_higher_priority_goes_first_and_age_decides_within_one(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message("a", priority=5), message("b", priority=9), message("c", priority=0)])
        await queue.send([message("d", priority=9), message("e", priority=5)])
        assert await drain(queue) == ["b", "d", "a", "e", "c"]


class FairnessContract:
    """Capability `fairness`."""

    async def test_a_long_flow_does_not_delay_another_flows_message(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message(f"a{n}", flow="a") for n in range(200)])
        served = ids(await queue.receive(10, 0))
        assert served == [f"a{n}" for n in range(10)]
        await queue.send([message("b", flow="b")])
        assert "b" in ids(await queue.receive(2, 0))

    async def test_flows_take_turns(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        for flow in "abc":
            await queue.send([message(f"{flow}{n}", flow=flow) for n in range(3)])
        order = await drain(queue)
        assert [sorted(name[0] for name in order[n : n + 3]) for n in (0, 3, 6)] == [["a", "b", "c"]] * 3
        assert [name for name in order if name[0] == "a"] == ["a0", "a1", "a2"]

    async def test_an_idle_flow_saves_up_no_turns(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message(f"a{n}", flow="a") for n in range(50)])
        await drain(queue)
        await queue.send([message(f"a{n}", flow="a") for n in range(4)])
        await queue.send([message(f"b{n}", flow="b") for n in range(4)])
        order = await drain(queue)
        assert sorted(name[0] for name in order[:4]) == ["a", "a", "b", "b"]

    async def test_fairness_is_judged_within_one_priority(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message(f"a{n}", flow="a", priority=5) for n in range(50)])
        await queue.send([message("a-high", flow="a", priority=9)])
        await queue.send([message(f"b{n}", flow="b", priority=9) for n in range(5)])
        assert "a-high" in (await drain(queue))[:2]


class DuplicatesContract:
    """Capability `duplicates`."""

    async def test_a_known_id_within_the_window_is_dropped(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", duplicate_window_s=100)
        [first] = await queue.send([message("same", body=b"1")])
        [second] = await queue.send([message("same", body=b"2")])
        assert first == second
        [delivery] = await queue.receive(10, 0)
        assert delivery.message.body == b"1"

    async def test_an_id_is_known_even_when_its_message_is_settled(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", duplicate_window_s=100)
        await queue.send([message("same")])
        await drain(queue)
        await queue.send([message("same")])
        assert await drain(queue) == []

    async def test_an_id_is_forgotten_after_the_window(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", duplicate_window_s=100)
        await queue.send([message("same")])
        await harness.advance(110)
        await queue.send([message("same")])
        assert await drain(queue) == ["same", "same"]

    async def test_without_a_window_nothing_is_dropped(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message("same"), message("same")])
        assert await drain(queue) == ["same", "same"]


class TtlContract:
    """Capability `ttl`."""

    async def test_a_message_whose_time_is_over_is_dropped(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", default_ttl_s=50)
        await queue.send([message()])
        await harness.advance(55)
        assert await drain(queue) == []
        assert await drain(harness.dead(queue)) == []

    async def test_or_dead_lettered_where_the_queue_says_so(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", default_ttl_s=50, dead_letter_on_expiry=True)
        await queue.send([message()])
        await harness.advance(55)
        assert await drain(queue) == []
        dead = await one(harness.dead(queue))
        assert (dead.message.id, dead.dead_reason) == ("m", "TTLExpiredException")

    async def test_a_locked_message_can_still_be_completed(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", default_ttl_s=50, lock_duration_s=100)
        await queue.send([message()])
        delivery = await one(queue)
        await harness.advance(60)
        await queue.complete(delivery.token)

    async def test_a_message_that_was_locked_beyond_its_time_does_not_come_back(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", default_ttl_s=50, lock_duration_s=100)
        await queue.send([message()])
        delivery = await one(queue)
        await harness.advance(60)
        await queue.abandon(delivery.token)
        assert await drain(queue) == []


class PeekHarness(QueueHarness, Protocol):
    """What `peek` needs besides."""

    async def peek(self, queue: Queue, limit: int, from_sequence: int = 0) -> Sequence[tuple[str, str]]:
        """Return message id and state (`active`, `locked`, `scheduled`, `deferred`) by sequence number."""
        ...


class PeekContract:
    """Capability `peek`."""

    async def test_a_peek_shows_every_state_and_locks_nothing(self, harness: PeekHarness, now: float) -> None:
        queue = await harness.make("q")
        await queue.send([message("held"), message("free")])
        await one(queue)
        await queue.send([message("later")], at=now + 50)
        shown = [("held", "locked"), ("free", "active"), ("later", "scheduled")]
        assert list(await harness.peek(queue, 10)) == shown
        assert list(await harness.peek(queue, 10)) == shown
        assert ids(await queue.receive(10, 0)) == ["free"]

    async def test_a_peek_goes_on_from_a_sequence_number(self, harness: PeekHarness) -> None:
        queue = await harness.make("q")
        numbers = await queue.send([message(f"m{n}") for n in range(4)])
        assert [name for name, _ in await harness.peek(queue, 2, numbers[1])] == ["m1", "m2"]


class DeferHarness(QueueHarness, Protocol):
    """What `defer` needs besides."""

    async def defer(self, queue: Queue, token: str) -> None:
        """Set a message aside."""
        ...

    async def receive_deferred(self, queue: Queue, sequence: int) -> Delivery:
        """Lock one deferred message by its number. Raises `NotFoundError`."""
        ...


class DeferContract:
    """Capability `defer`."""

    async def test_a_deferred_message_comes_only_by_its_number(self, harness: DeferHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        held = await one(queue)
        await harness.defer(queue, held.token)
        await harness.advance(10 * LOCK_S)
        assert list(await queue.receive(1, 0)) == []
        again = await harness.receive_deferred(queue, held.sequence)
        assert (again.message.id, again.count) == ("m", 2)
        await queue.complete(again.token)
        with pytest.raises(NotFoundError, match=f"no deferred message {held.sequence}"):
            await harness.receive_deferred(queue, held.sequence)

    async def test_a_deferred_message_is_locked_once(self, harness: DeferHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        held = await one(queue)
        await harness.defer(queue, held.token)
        await harness.receive_deferred(queue, held.sequence)
        with pytest.raises(NotFoundError, match="that is free"):
            await harness.receive_deferred(queue, held.sequence)

    async def test_a_deferred_message_given_back_stays_deferred(self, harness: DeferHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        held = await one(queue)
        await harness.defer(queue, held.token)
        await queue.abandon((await harness.receive_deferred(queue, held.sequence)).token)
        await harness.receive_deferred(queue, held.sequence)
        await harness.advance(LOCK_S + 5)
        assert list(await queue.receive(1, 0)) == []
        assert (await harness.receive_deferred(queue, held.sequence)).count == 4


class SessionsContract:
    """Capability `sessions`: through the port, a receive takes one session; it is free when all of it is settled."""

    async def test_messages_of_one_session_come_in_order(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", requires_session=True)
        await queue.send([message(f"m{n}", session="s") for n in range(6)])
        assert await drain(queue) == [f"m{n}" for n in range(6)]

    async def test_a_receive_holds_messages_of_one_session(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", requires_session=True)
        await queue.send([message("a0", session="a"), message("b0", session="b"), message("a1", session="a")])
        assert ids(await queue.receive(10, 0)) == ["a0", "a1"]
        assert ids(await queue.receive(10, 0)) == ["b0"]

    async def test_a_session_that_is_held_is_given_to_nobody_else(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", requires_session=True)
        await queue.send([message("m0", session="s"), message("m1", session="s")])
        first = await one(queue)
        assert list(await queue.receive(10, 0)) == []
        await queue.complete(first.token)
        assert ids(await queue.receive(10, 0)) == ["m1"]

    async def test_a_waiting_receiver_gets_a_session_that_becomes_free(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", requires_session=True)
        await queue.send([message("m0", session="s"), message("m1", session="s")])
        first = await one(queue)
        task = await waiting(queue, 30)
        await queue.complete(first.token)
        assert ids(await task) == ["m1"]

    async def test_an_abandoned_message_comes_before_later_ones(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", requires_session=True)
        await queue.send([message("m0", session="s"), message("m1", session="s")])
        await queue.abandon((await one(queue)).token)
        assert await drain(queue) == ["m0", "m1"]

    async def test_a_lost_session_lock_frees_its_messages_in_order(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", requires_session=True)
        await queue.send([message("m0", session="s"), message("m1", session="s")])
        lost = await one(queue)
        await harness.advance(LOCK_S + 5)
        assert ids(await queue.receive(10, 0)) == ["m0", "m1"]
        with pytest.raises(LockLostError, match="no longer held"):
            await queue.complete(lost.token)
