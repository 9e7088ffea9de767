"""The locks of one process end at once, all of them and nobody else's, when another says that it is gone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.broker import accept, ids, message, one
from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.errors import LockLostError

DEPARTED, ALIVE = "deadbeef00000000", "a11fe00000000000"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[tuple[Broker, Broker]]:
    """Two processes on one file: one that will be gone, and one that lives."""
    clock = FakeClock()
    async with (
        open_storage(tmp_path / "v.db", clock, worker=DEPARTED) as departed,
        open_storage(tmp_path / "v.db", clock, worker=ALIVE) as alive,
    ):
        for broker in (departed.broker, alive.broker):
            await broker.declare("events", EntityProperties(lock_duration_s=30))
            await broker.declare("ordered", EntityProperties(lock_duration_s=30, requires_session=True))
        yield departed.broker, alive.broker


async def test_every_message_that_it_held_is_handed_out_again_with_its_count(two: tuple[Broker, Broker]) -> None:
    departed, alive = two
    await alive.send("events", [message("a"), message("b"), message("c")])
    mine = await alive.receive("events", 1, 0)
    held = await departed.receive("events", 5, 0)
    assert (ids(mine), ids(held)) == (["a"], ["b", "c"])
    assert ids(await alive.receive("events", 5, 0)) == []
    assert await alive.give_up(DEPARTED) == 2
    again = await alive.receive("events", 5, 0)
    assert [(delivery.message.id, delivery.count) for delivery in again] == [("b", 2), ("c", 2)]
    await alive.complete(mine[0].token)


async def test_who_is_taken_for_gone_and_lives_settles_nothing_any_more(two: tuple[Broker, Broker]) -> None:
    departed, alive = two
    await alive.send("events", [message()])
    delivery = await one(departed)
    await alive.give_up(DEPARTED)
    with pytest.raises(LockLostError, match="lock"):
        await departed.complete(delivery.token)


async def test_a_message_that_went_straight_to_its_receiver_is_given_up_too(two: tuple[Broker, Broker]) -> None:
    departed, alive = two
    waiting = departed.receive("events", 1, 60)
    sent = departed.send("events", [message()])
    assert ids(await waiting) == ["m"]
    await sent
    assert await alive.give_up(DEPARTED) == 1
    assert (await one(alive)).count == 2


async def test_a_message_that_took_too_many_processes_is_dead_lettered(two: tuple[Broker, Broker]) -> None:
    departed, alive = two
    await alive.declare("events", EntityProperties(max_delivery_count=2))
    await alive.send("events", [message()])
    for _ in range(2):
        await one(departed)
        assert await alive.give_up(DEPARTED) == 1
    assert (await one(alive, "events" + DEAD)).dead_reason == "MaxDeliveryCountExceeded"


async def test_its_sessions_are_free_and_their_messages_come_in_order(two: tuple[Broker, Broker]) -> None:
    departed, alive = two
    await alive.send("ordered", [message(f"{session}{n}", session=session) for n in range(2) for session in "ab"])
    kept = await accept(alive, "b")
    lost = await accept(departed, "a")
    assert ids(await departed.receive_in_session(lost, 1, 0)) == ["a0"]
    assert await alive.give_up(DEPARTED) == 1
    lock = await accept(alive, None)
    assert lock.session == "a"
    assert ids(await alive.receive_in_session(lock, 5, 0)) == ["a0", "a1"]
    assert ids(await alive.receive_in_session(kept, 5, 0)) == ["b0", "b1"]
    with pytest.raises(LockLostError, match="the lock of session 'a'"):
        await departed.receive_in_session(lost, 1, 0)


async def test_a_deferred_message_that_it_had_taken_stays_deferred(two: tuple[Broker, Broker]) -> None:
    departed, alive = two
    await alive.send("events", [message()])
    delivery = await one(departed)
    await departed.defer(delivery.token)
    [taken] = await departed.receive_deferred("events", [delivery.sequence])
    assert await alive.give_up(DEPARTED) == 1
    [again] = await alive.receive_deferred("events", [delivery.sequence])
    assert (again.message.id, again.count, taken.token == again.token) == ("m", 3, False)


async def test_tokens_of_one_process_differ(two: tuple[Broker, Broker]) -> None:
    departed, _ = two
    await departed.send("events", [message(str(number)) for number in range(200)])
    tokens = {delivery.token[12:] for delivery in await departed.receive("events", 200, 0)}
    assert len(tokens) == 200
    assert {token[:8] for token in tokens} == {DEPARTED[:8]}
