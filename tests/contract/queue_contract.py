"""What every `Queue` guarantees. An adapter's test class inherits this and gives the fixture `harness`.

Further abilities stand in `queue_capabilities_contract`; an adapter declares one by inheriting its class.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import pytest

from vextir_os.errors import InvalidRequestError, LockLostError, NotFoundError
from vextir_os.ports.queue import Delivery, Message, Queue

LOCK_S = 60.0
GUARD_S = 20.0


class QueueHarness(Protocol):
    """What an adapter gives the suite: queues made to order, and time."""

    async def make(
        self,
        name: str,
        *,
        lock_duration_s: float = LOCK_S,
        max_delivery_count: int = 10,
        duplicate_window_s: float = 0.0,
        requires_session: bool = False,
        default_ttl_s: float | None = None,
        dead_letter_on_expiry: bool = False,
    ) -> Queue:
        """Return an empty queue."""
        ...

    def missing(self) -> Queue:
        """Return a queue that does not exist."""
        ...

    def dead(self, queue: Queue) -> Queue:
        """Return the queue of its dead letters."""
        ...

    async def advance(self, seconds: float) -> None:
        """Let time pass for queue and receivers."""
        ...


def message(name: str = "m", *, flow: str = "", priority: int = 5, session: str = "", body: bytes = b"{}") -> Message:
    return Message(id=name, body=body, flow=flow, priority=priority, session=session)


def ids(deliveries: Sequence[Delivery]) -> list[str]:
    return [delivery.message.id for delivery in deliveries]


async def one(queue: Queue) -> Delivery:
    deliveries = await queue.receive(1, 0)
    assert len(deliveries) == 1, f"{queue.name} had no message that was ready"
    return deliveries[0]


async def drain(queue: Queue) -> list[str]:
    """Receive and complete all that is ready; return the message ids in order."""
    found: list[str] = []
    while deliveries := await queue.receive(10, 0):
        for delivery in deliveries:
            found.append(delivery.message.id)
            await queue.complete(delivery.token)
    return found


async def waiting(queue: Queue, seconds: float, limit: int = 1) -> "asyncio.Task[Sequence[Delivery]]":
    """Return a receiver that has found nothing and waits."""
    # The guard makes a receiver that is forgotten a failure, not a test that hangs.
    task = asyncio.create_task(asyncio.wait_for(queue.receive(limit, seconds), GUARD_S))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # Answered behind the first one, which has looked by then.
    assert list(await queue.receive(1, 0)) == []
    assert not task.done()
    return task


class QueueContract:
    """The core."""

    async def test_what_was_sent_is_delivered_as_it_was(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        sent = Message(
            id="m-1",
            body=b"\x00\xff{}",
            properties={"text": "ä", "whole": 7, "half": 0.5, "yes": True, "no": False},
            content_type="text/plain",
        )
        [sequence] = await queue.send([sent])
        delivery = await one(queue)
        assert (delivery.message.id, delivery.message.body) == ("m-1", b"\x00\xff{}")
        assert dict(delivery.message.properties) == {"text": "ä", "whole": 7, "half": 0.5, "yes": True, "no": False}
        assert type(delivery.message.properties["yes"]) is bool
        assert delivery.message.content_type == "text/plain"
        assert (delivery.entity, delivery.sequence, delivery.count) == ("q", sequence, 1)

    async def test_a_receive_without_messages_returns_none(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        assert list(await queue.receive(5, 0)) == []

    async def test_a_receive_takes_no_more_than_its_limit(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message(f"m{n}") for n in range(5)])
        first, second = await queue.receive(3, 0), await queue.receive(3, 0)
        assert (len(first), len(second)) == (3, 2)
        assert sorted(ids(first) + ids(second)) == ["m0", "m1", "m2", "m3", "m4"]

    async def test_sequence_numbers_rise_and_are_never_used_twice(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        first = await queue.send([message("a"), message("b")])
        await drain(queue)
        second = await queue.send([message("c")])
        numbers = [*first, *second]
        assert numbers == sorted(set(numbers))

    async def test_a_completed_message_never_comes_again(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        await queue.complete((await one(queue)).token)
        await harness.advance(10 * LOCK_S)
        assert list(await queue.receive(1, 0)) == []

    async def test_a_locked_message_is_not_handed_out_again(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        await one(queue)
        await harness.advance(LOCK_S - 5)
        assert list(await queue.receive(1, 0)) == []

    async def test_a_lock_that_ends_brings_the_message_back_counted(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        first = await one(queue)
        await harness.advance(LOCK_S + 5)
        second = await one(queue)
        assert (second.message.id, second.sequence, second.count) == ("m", first.sequence, 2)
        assert second.token != first.token

    async def test_a_lost_lock_settles_nothing(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        lost = (await one(queue)).token
        await harness.advance(LOCK_S + 5)
        current = await one(queue)
        for settle in (
            queue.complete(lost),
            queue.abandon(lost),
            queue.renew(lost),
            queue.dead_letter(lost, reason="late"),
        ):
            with pytest.raises(LockLostError, match="no longer held"):
                await settle
        await queue.complete(current.token)

    @pytest.mark.parametrize("token", ["", "nonsense", "0" * 32, "f" * 32, "ü" * 32])
    async def test_an_unknown_token_is_a_lost_lock(self, harness: QueueHarness, token: str) -> None:
        queue = await harness.make("q")
        with pytest.raises(LockLostError, match="no longer held"):
            await queue.complete(token)

    async def test_of_two_who_settle_one_delivery_the_second_is_told(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        token = (await one(queue)).token
        await queue.complete(token)
        with pytest.raises(LockLostError, match="no longer held"):
            await queue.complete(token)

    async def test_an_abandoned_message_comes_back_at_once_counted(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        await queue.abandon((await one(queue)).token)
        assert (await one(queue)).count == 2

    async def test_a_renewed_lock_holds_for_another_duration(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        delivery = await one(queue)
        await harness.advance(LOCK_S - 10)
        until = await queue.renew(delivery.token)
        assert until > delivery.locked_until
        await harness.advance(LOCK_S - 10)
        assert list(await queue.receive(1, 0)) == []
        await queue.complete(delivery.token)

    async def test_a_dead_letter_keeps_the_message_and_says_why(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message("bad", body=b"broken")])
        await queue.dead_letter((await one(queue)).token, reason="undecodable", description="not JSON")
        assert list(await queue.receive(1, 0)) == []
        dead = await one(harness.dead(queue))
        assert (dead.message.id, dead.message.body) == ("bad", b"broken")
        assert (dead.dead_reason, dead.dead_description) == ("undecodable", "not JSON")

    async def test_too_many_deliveries_make_a_dead_letter(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", max_delivery_count=3)
        await queue.send([message()])
        for count in (1, 2, 3):
            delivery = await one(queue)
            assert delivery.count == count
            await queue.abandon(delivery.token)
        assert list(await queue.receive(1, 0)) == []
        assert (await one(harness.dead(queue))).dead_reason == "MaxDeliveryCountExceeded"

    async def test_lost_locks_count_as_deliveries(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", max_delivery_count=2)
        await queue.send([message()])
        for _ in range(2):
            await one(queue)
            await harness.advance(LOCK_S + 5)
        assert list(await queue.receive(1, 0)) == []
        assert (await one(harness.dead(queue))).dead_reason == "MaxDeliveryCountExceeded"

    async def test_a_dead_letter_is_never_moved_for_its_count(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", max_delivery_count=1)
        await queue.send([message()])
        await queue.abandon((await one(queue)).token)
        dead = harness.dead(queue)
        for _ in range(3):
            await dead.abandon((await one(dead)).token)
        assert await drain(dead) == ["m"]

    async def test_a_waiting_receiver_gets_what_is_sent_later(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        task = await waiting(queue, 30, 5)
        await queue.send([message("late")])
        assert ids(await task) == ["late"]

    async def test_a_waiting_receiver_gets_what_is_abandoned(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        await queue.send([message()])
        held = await one(queue)
        task = await waiting(queue, 30)
        await queue.abandon(held.token)
        assert ids(await task) == ["m"]

    async def test_a_waiting_receiver_gets_what_a_lost_lock_frees(self, harness: QueueHarness) -> None:
        queue = await harness.make("q", lock_duration_s=10)
        await queue.send([message()])
        await one(queue)
        task = await waiting(queue, 30)
        await harness.advance(12)
        assert ids(await task) == ["m"]

    async def test_a_receiver_waits_no_longer_than_it_said(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        task = await waiting(queue, 5)
        await harness.advance(6)
        assert list(await task) == []

    async def test_each_message_goes_to_one_of_many_waiting_receivers(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        tasks = [await waiting(queue, 30) for _ in range(5)]
        await queue.send([message(f"m{n}") for n in range(5)])
        received = await asyncio.gather(*tasks)
        assert sorted(name for deliveries in received for name in ids(deliveries)) == ["m0", "m1", "m2", "m3", "m4"]

    async def test_a_cancelled_receive_takes_no_message_with_it(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        task = await waiting(queue, 30)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await queue.send([message()])
        [delivery] = await queue.receive(1, 30)
        assert delivery.count == 1

    async def test_a_receive_cancelled_while_it_was_answered_gives_its_message_back(
        self, harness: QueueHarness
    ) -> None:
        queue = await harness.make("q", max_delivery_count=1)
        await queue.send([message()])
        taking = asyncio.create_task(queue.receive(1, 0))
        await asyncio.sleep(0)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        [delivery] = await queue.receive(1, 30)
        assert delivery.count == 1

    async def test_two_queues_share_nothing(self, harness: QueueHarness) -> None:
        one_queue, other = await harness.make("a"), await harness.make("b")
        await one_queue.send([message("for-a")])
        assert list(await other.receive(1, 0)) == []
        assert await drain(one_queue) == ["for-a"]

    async def test_a_queue_that_is_missing_is_named(self, harness: QueueHarness) -> None:
        await harness.make("events")
        missing = harness.missing()
        with pytest.raises(NotFoundError, match=missing.name):
            await missing.send([message()])

    async def test_a_batch_is_sent_whole_or_not_at_all(self, harness: QueueHarness) -> None:
        queue = await harness.make("q")
        with pytest.raises(InvalidRequestError, match="'m2'"):
            await queue.send([message("m1"), message("m2", priority=99), message("m3")])
        assert await drain(queue) == []
        await queue.send([message(f"m{n}") for n in range(50)])
        assert len(await drain(queue)) == 50
