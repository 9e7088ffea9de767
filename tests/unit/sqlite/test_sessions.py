"""Sessions: accepted, held, renewed, lost and left; their messages, their state."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.broker import accept, ids, message, one
from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.adapters.sqlite.messages import WireMessage
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.errors import (
    InvalidRequestError,
    LockLostError,
    NotFoundError,
    SessionLockedError,
)
from vextir_os.ports.queue import Delivery


async def test_a_session_is_accepted_by_name_or_the_one_that_waited_longest(broker: Broker) -> None:
    await broker.send("ordered", [message("b", session="b"), message("a", session="a")])
    assert (await accept(broker, None)).session == "b"
    assert (await accept(broker, None)).session == "a"
    assert await broker.accept_session("ordered", None, 0) is None
    assert (await accept(broker, "empty")).session == "empty"
    with pytest.raises(SessionLockedError, match="session 'a' of queue 'ordered' is locked by another receiver"):
        await broker.accept_session("ordered", "a", 0)


async def test_who_waits_for_a_session_gets_the_next_one(broker: Broker) -> None:
    task = asyncio.create_task(broker.accept_session("ordered", None, 60))
    await asyncio.sleep(0)
    await broker.send("ordered", [message(session="s")])
    lock = await task
    assert lock is not None
    assert lock.session == "s"


async def test_a_held_session_receives_its_own_messages_in_order(broker: Broker) -> None:
    await broker.send("ordered", [message(f"{s}{n}", session=s) for n in range(3) for s in "ab"])
    lock = await accept(broker, "a")
    first = await broker.receive_in_session(lock, 2, 0)
    assert ids(first) == ["a0", "a1"]
    await broker.abandon(first[0].token)
    assert ids(await broker.receive_in_session(lock, 10, 0)) == ["a0", "a2"]
    assert await broker.receive_in_session(lock, 10, 0) == ()


async def test_a_receiver_that_waits_in_a_session_gets_only_its_messages(broker: Broker) -> None:
    lock = await accept(broker, "a")
    task = asyncio.create_task(broker.receive_in_session(lock, 5, 60))
    await asyncio.sleep(0)
    await broker.send("ordered", [message("b", session="b")])
    await broker.send("ordered", [message("a", session="a")])
    assert ids(await task) == ["a"]


async def test_a_receiver_whose_session_is_lost_while_it_waits_is_told(
    broker: Broker, storage: SqliteStorage, clock: FakeClock
) -> None:
    lock = await accept(broker, "a")
    task = asyncio.create_task(broker.receive_in_session(lock, 5, 600))
    await asyncio.sleep(0)
    await broker.counts("ordered")
    clock.advance(31)
    storage.wake()
    with pytest.raises(LockLostError, match="session 'a'"):
        await task


async def test_a_session_left_free_gives_its_messages_back_uncounted(broker: Broker) -> None:
    await broker.send("ordered", [message(session="s")])
    lock = await accept(broker, "s")
    [delivery] = await broker.receive_in_session(lock, 1, 0)
    await broker.release_session(lock)
    await broker.release_session(lock)
    with pytest.raises(LockLostError, match="no longer held"):
        await broker.complete(delivery.token)
    again = await broker.receive_in_session(await accept(broker, None), 1, 0)
    assert [d.count for d in again] == [1]


async def test_a_session_lock_that_ends_gives_its_messages_back_counted(broker: Broker, clock: FakeClock) -> None:
    await broker.send("ordered", [message(session="s")])
    lock = await accept(broker, "s")
    await broker.receive_in_session(lock, 1, 0)
    clock.advance(31)
    for lost in (
        broker.renew_session(lock),
        broker.session_state(lock),
        broker.set_session_state(lock, b"x"),
        broker.receive_in_session(lock, 1, 0),
    ):
        with pytest.raises(LockLostError, match="session 's' of queue 'ordered' is no longer held"):
            await lost
    again = await broker.receive_in_session(await accept(broker, None), 1, 0)
    assert [d.count for d in again] == [2]


async def test_renewing_a_session_renews_its_messages(broker: Broker, clock: FakeClock) -> None:
    await broker.send("ordered", [message(session="s")])
    lock = await accept(broker, "s")
    [delivery] = await broker.receive_in_session(lock, 1, 0)
    clock.advance(20)
    assert await broker.renew_session(lock) == clock.time() + 30
    clock.advance(20)
    await broker.complete(delivery.token)


async def test_a_sessions_state_outlives_its_messages_and_locks(broker: Broker) -> None:
    await broker.send("ordered", [message(session="s")])
    lock = await accept(broker, "s")
    assert await broker.session_state(lock) is None
    await broker.set_session_state(lock, b"\x00step 3")
    await broker.receive_in_session(lock, 1, 0, delete=True)
    await broker.release_session(lock)
    assert await broker.sessions("ordered") == ["s"]
    again = await accept(broker, "s")
    assert await broker.session_state(again) == b"\x00step 3"
    await broker.set_session_state(again, None)
    await broker.release_session(again)
    assert await broker.sessions("ordered") == []


async def test_a_session_that_has_only_a_state_is_available_again_with_its_next_message(broker: Broker) -> None:
    lock = await accept(broker, "s")
    await broker.set_session_state(lock, b"kept")
    await broker.release_session(lock)
    assert await broker.accept_session("ordered", None, 0) is None
    await broker.send("ordered", [message(session="s")])
    assert (await accept(broker, None)).session == "s"


async def test_a_sessions_state_is_bounded(broker: Broker) -> None:
    lock = await accept(broker, "s")
    with pytest.raises(InvalidRequestError, match="over 262144"):
        await broker.set_session_state(lock, bytes(262_145))


async def test_deferred_messages_of_a_session_need_its_lock(broker: Broker) -> None:
    await broker.send("ordered", [message("a", session="a"), message("b", session="b")])
    lock, other = await accept(broker, "a"), await accept(broker, "b")
    [delivery] = await broker.receive_in_session(lock, 1, 0)
    await broker.defer(delivery.token)
    with pytest.raises(InvalidRequestError, match="has sessions"):
        await broker.receive_deferred("ordered", [delivery.sequence])
    with pytest.raises(NotFoundError, match="no deferred message"):
        await broker.receive_deferred("ordered", [delivery.sequence], lock=other)
    [again] = await broker.receive_deferred("ordered", [delivery.sequence], lock=lock)
    assert again.locked_until == lock.locked_until


async def test_a_session_whose_messages_expired_is_passed_over(broker: Broker, clock: FakeClock) -> None:
    await broker.send("ordered", [WireMessage(id="gone", body=b"", session="a", ttl_s=5)])
    await broker.send("ordered", [message("kept", session="b")])
    clock.advance(6)
    assert (await accept(broker, None)).session == "b"
    assert await broker.accept_session("ordered", None, 0) is None


async def test_a_scheduled_message_makes_its_session_available_when_it_is_due(broker: Broker, clock: FakeClock) -> None:
    await broker.send("ordered", [message(session="s")], at=clock.time() + 10)
    assert await broker.accept_session("ordered", None, 0) is None
    clock.advance(11)
    assert (await accept(broker, None)).session == "s"


async def test_only_who_fits_the_queue_uses_sessions(broker: Broker) -> None:
    with pytest.raises(InvalidRequestError, match="'events' has no sessions"):
        await broker.accept_session("events", "s", 0)
    with pytest.raises(InvalidRequestError, match="requires sessions, and a message names none"):
        await broker.send("ordered", [message("a", session="s"), message("b")])
    with pytest.raises(InvalidRequestError, match="'ordered' has sessions"):
        await broker.receive("ordered", 1, 0, delete=True)
    assert await broker.sessions("ordered") == []


async def test_dead_letters_of_a_session_queue_need_no_session(broker: Broker) -> None:
    await broker.send("ordered", [message(session="s")])
    [delivery] = await broker.receive("ordered", 1, 0)
    await broker.dead_letter(delivery.token, reason="bad")
    dead = await one(broker, "ordered" + DEAD)
    assert (dead.message.session, dead.dead_reason) == ("s", "bad")


class Receivers:
    """Some who receive from one queue, and what the queue must never do to them."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.held: list[Delivery] = []
        self.completed: dict[str, list[int]] = {}

    async def receive(self, limit: int) -> None:
        busy = {delivery.message.session for delivery in self.held}
        deliveries = await self.broker.receive("ordered", limit, 0)
        sessions = {delivery.message.session for delivery in deliveries}
        assert len(sessions) <= 1, "one receive mixed sessions"
        assert not sessions & busy, "a session was handed to two receivers"
        self.held.extend(deliveries)

    async def complete(self) -> None:
        if self.held:
            delivery = self.held.pop(0)
            await self.broker.complete(delivery.token)
            self.completed.setdefault(delivery.message.session, []).append(int(delivery.message.id))

    async def give_back(self) -> None:
        """Give back all of one session, as a receiver does that stops."""
        session = self.held[0].message.session if self.held else ""
        for delivery in [delivery for delivery in self.held if delivery.message.session == session]:
            await self.broker.abandon(delivery.token)
            self.held.remove(delivery)


@settings(max_examples=20, deadline=None)
@given(
    sent=st.lists(st.sampled_from("abc"), min_size=1, max_size=30),
    acts=st.lists(st.sampled_from(["receive 1", "receive 2", "receive 3", "complete", "give back"]), max_size=120),
)
async def test_many_receivers_see_each_session_in_order_and_one_at_a_time(sent: list[str], acts: list[str]) -> None:
    async with open_storage(":memory:", FakeClock()) as storage:
        await storage.broker.declare("ordered", EntityProperties(requires_session=True))
        await storage.broker.send("ordered", [message(f"{n}", session=s) for n, s in enumerate(sent)])
        receivers = Receivers(storage.broker)
        for act in acts:
            if act == "complete":
                await receivers.complete()
            elif act == "give back":
                await receivers.give_back()
            else:
                await receivers.receive(int(act[-1]))
        while receivers.held or (await storage.broker.counts("ordered")).active:
            await receivers.complete()
            await receivers.receive(3)
            assert receivers.held or not (await storage.broker.counts("ordered")).active, "a session was forgotten"
        expected = {session: [n for n, other in enumerate(sent) if other == session] for session in sent}
        assert receivers.completed == expected
