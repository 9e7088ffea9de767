"""What the broker does beyond the Queue port: the rules that a Service Bus client relies on."""

from typing import Any

import pytest

from tests.support.broker import ids, message, one
from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.browse import Counts
from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.adapters.sqlite.messages import WireDelivery, WireMessage
from vextir_os.errors import (
    InvalidRequestError,
    LockLostError,
    NotFoundError,
    TooLargeError,
)

# Entities


async def test_names_are_one_whatever_their_case(broker: Broker) -> None:
    await broker.declare("EVENTS", EntityProperties(lock_duration_s=30))
    await broker.send("Events", [message()])
    assert (await one(broker, "eVeNtS")).entity == "events"
    assert await broker.names() == ["events", "events" + DEAD, "ordered", "ordered" + DEAD]


async def test_a_wrong_name_is_answered_with_the_nearest(broker: Broker) -> None:
    with pytest.raises(NotFoundError, match=r"no queue 'evnets'\. Did you mean 'events'\?"):
        await broker.send("evnets", [message()])
    with pytest.raises(NotFoundError, match=r"no queue 'zzz'\. Declare it first"):
        await broker.receive("zzz", 1, 0)


@pytest.mark.parametrize("name", ["", "a b", "/a", "a'", "a\n", "ä", "$x", "x" * 300, "a/$deadletterqueue"])
async def test_a_name_has_a_strict_syntax(broker: Broker, name: str) -> None:
    with pytest.raises(InvalidRequestError, match="queue name"):
        await broker.declare(name)


async def test_declaring_again_changes_the_properties_and_keeps_the_messages(broker: Broker) -> None:
    await broker.send("events", [message()])
    await broker.declare("events", EntityProperties(lock_duration_s=7))
    assert (await broker.properties("events")).lock_duration_s == 7
    delivery = await one(broker)
    assert delivery.locked_until - delivery.enqueued_at == 7


async def test_sessions_cannot_be_required_later(broker: Broker) -> None:
    with pytest.raises(InvalidRequestError, match=r"requires_session=False, which cannot be changed"):
        await broker.declare("events", EntityProperties(requires_session=True))


@pytest.mark.parametrize(
    "rules",
    [
        {"lock_duration_s": 0},
        {"lock_duration_s": float("nan")},
        {"max_delivery_count": 0},
        {"duplicate_window_s": -1},
        {"default_ttl_s": 0},
    ],
    ids=str,
)
def test_a_property_out_of_range_is_named(rules: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=next(iter(rules))):
        EntityProperties(**rules)


async def test_dead_letters_can_be_forwarded(broker: Broker) -> None:
    await broker.declare("dead")
    await broker.declare("events", EntityProperties(forward_dead_letters_to="DEAD", lock_duration_s=30))
    await broker.send("events", [message()])
    await broker.dead_letter((await one(broker)).token, reason="bad")
    dead = await one(broker, "dead")
    assert (dead.entity, dead.dead_reason, dead.count) == ("dead", "bad", 1)
    assert (await broker.counts("events" + DEAD)).active == 0


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("events", "to itself"),
        ("ordered", "requires sessions"),
        ("ordered" + DEAD, "holds dead letters itself"),
        ("nowhere", "no queue 'nowhere'"),
    ],
)
async def test_dead_letters_are_forwarded_only_where_they_can_lie(broker: Broker, target: str, words: str) -> None:
    with pytest.raises((InvalidRequestError, NotFoundError), match=words):
        await broker.declare("events", EntityProperties(forward_dead_letters_to=target))


async def test_nothing_is_sent_to_dead_letters(broker: Broker) -> None:
    with pytest.raises(InvalidRequestError, match="nothing can be sent to it"):
        await broker.send("events" + DEAD, [message()])


# Messages


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"id": "x" * 129}, "over 128 characters"),
        ({"session": "x" * 129}, "over 128 characters"),
        ({"content_type": "x" * 3000}, "other long attributes"),
        ({"id": "\ud800"}, "half a surrogate pair"),
        ({"flow": "\udfff"}, "half a surrogate pair"),
        ({"priority": 10}, "priority from 0 to 9"),
        ({"priority": True}, "priority from 0 to 9"),
        ({"body": "text"}, "body of bytes"),
        ({"properties": {"a": None}}, "property 'a'"),
        ({"properties": {"a": [1]}}, "property 'a'"),
        ({"properties": {1: "a"}}, "property 1"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_message_that_cannot_be_taken_is_refused(
    broker: Broker, attributes: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidRequestError, match=words):
        await broker.send("events", [message(**attributes)])
    assert (await broker.counts("events")).active == 0


async def test_sizes_are_bounded(broker: Broker) -> None:
    with pytest.raises(TooLargeError, match="at most 1048576"):
        await broker.send("events", [message(body=bytes(1_048_577))])
    with pytest.raises(TooLargeError, match="bytes of properties"):
        await broker.send("events", [message(properties={"a": "x" * 70_000})])
    await broker.send("events", [message(body=bytes(1_048_576))])


@pytest.mark.parametrize("at", [float("nan"), float("inf")])
async def test_a_schedule_needs_a_time_that_comes(broker: Broker, at: float) -> None:
    with pytest.raises(InvalidRequestError, match="cannot be scheduled"):
        await broker.send("events", [message()], at=at)


async def test_wire_bytes_travel_along_unread(broker: Broker) -> None:
    await broker.send("events", [WireMessage(id="m", body=b"{}", wire=b"\x00Sp")])
    delivery = await one(broker)
    assert isinstance(delivery, WireDelivery)
    assert delivery.wire == b"\x00Sp"


async def test_a_message_may_name_its_own_time_to_live(broker: Broker, clock: FakeClock) -> None:
    await broker.send("events", [WireMessage(id="short", body=b"", ttl_s=5), message("long")])
    clock.advance(6)
    assert ids(await broker.receive("events", 10, 0)) == ["long"]


async def test_a_scheduled_message_lives_from_its_time_on(broker: Broker, clock: FakeClock) -> None:
    await broker.send("events", [WireMessage(id="m", body=b"", ttl_s=5)], at=clock.time() + 100)
    clock.advance(103)
    assert ids(await broker.receive("events", 10, 0)) == ["m"]


async def test_receive_and_delete_leaves_nothing_to_settle(broker: Broker) -> None:
    await broker.send("events", [message("a"), message("b")])
    deliveries = await broker.receive("events", 10, 0, delete=True)
    assert [(d.message.id, d.token, d.count) for d in deliveries] == [("a", "", 1), ("b", "", 1)]
    assert await broker.counts("events") == Counts()


async def test_a_released_message_was_never_delivered(broker: Broker) -> None:
    await broker.declare("events", EntityProperties(max_delivery_count=1))
    await broker.send("events", [message()])
    for _ in range(3):
        delivery = await one(broker)
        assert delivery.count == 1
        await broker.release(delivery.token)


async def test_messages_given_back_go_to_the_head(broker: Broker) -> None:
    await broker.send("events", [message(f"m{n}") for n in range(3)])
    await broker.abandon((await one(broker)).token)
    assert ids(await broker.receive("events", 3, 0)) == ["m0", "m1", "m2"]


async def test_flows_with_the_same_turn_go_by_age(broker: Broker) -> None:
    for flow in "cab":
        await broker.send("events", [message(flow, flow=flow)])
    assert ids(await broker.receive("events", 3, 0)) == ["c", "a", "b"]


async def test_a_lock_token_cannot_be_guessed_from_another(broker: Broker) -> None:
    await broker.send("events", [message("a"), message("b")])
    first, second = await broker.receive("events", 2, 0)
    forged = second.token[:12] + first.token[12:]
    with pytest.raises(LockLostError, match="no longer held"):
        await broker.complete(forged)
    assert len({first.token[12:], second.token[12:]}) == 2
    assert all(len(bytes.fromhex(delivery.token)) == 16 for delivery in (first, second))


async def test_deferred_messages_are_received_all_or_none(broker: Broker) -> None:
    await broker.send("events", [message("a"), message("b")])
    first, second = await broker.receive("events", 2, 0)
    await broker.defer(first.token)
    for missing in (second.sequence, 0, -1, 2**70):
        with pytest.raises(NotFoundError, match=f"no deferred message {missing}"):
            await broker.receive_deferred("events", [first.sequence, missing])
    assert ids(await broker.receive_deferred("events", [first.sequence])) == ["a"]


async def test_a_sequence_number_belongs_to_its_queue(broker: Broker, clock: FakeClock) -> None:
    [sequence] = await broker.send("events", [message()], at=clock.time() + 10)
    await broker.declare("other")
    for number in (sequence, 2**70):
        with pytest.raises(NotFoundError, match=f"'other' has no scheduled message {number}"):
            await broker.cancel_scheduled("other", number)


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_batch_has_a_bounded_size(broker: Broker, limit: int) -> None:
    with pytest.raises(InvalidRequestError, match="not of 1 to 1000"):
        await broker.receive("events", limit, 0)


async def test_counts_tell_every_state_apart(broker: Broker, clock: FakeClock) -> None:
    await broker.send("events", [message(f"m{n}") for n in range(5)])
    await broker.send("events", [message("later")], at=clock.time() + 10)
    first, second, _ = await broker.receive("events", 3, 0)
    await broker.defer(first.token)
    await broker.dead_letter(second.token, reason="x")
    assert await broker.counts("events") == Counts(active=2, locked=1, scheduled=1, deferred=1, dead=1)


async def test_a_peek_gives_no_token(broker: Broker) -> None:
    await broker.send("events", [message()])
    await one(broker)
    [peeked] = await broker.peek("events", 10)
    assert (peeked.state, peeked.delivery.token) == ("locked", "")
    assert await broker.peek("events", 10, from_sequence=2**70) == []
