"""Ordered events of senders that write to the queues themselves: what they can ask for, and what they cannot."""

from pathlib import Path

from tests.support.clock import TickingClock
from tests.support.harness import Harness, an_os
from tests.support.ordered import check_at_rest, effects, key_of, step, taker
from vextir_os.events.ids import key_id
from vextir_os.events.jsonio import dumps
from vextir_os.ports.queue import Message


async def send(os: Harness, *bodies: object, session: str = "any") -> None:
    """Put messages on the queue of ordered events as somebody would who has access to it, and not our key."""
    messages = [Message(id="", body=dumps(body), session=session, content_type="") for body in bodies]
    await os.kernel.ordered.send(messages)


def plain(n: int, **attributes: object) -> dict[str, object]:
    return {"type": "step.taken", "data": {"n": n}, "partitionkey": "acct-7", "ordered": True, **attributes}


async def test_the_order_of_a_session_is_kept(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker({0: 1}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await send(os, *(plain(n) for n in range(5)))
        await os.recover(clock)
        assert await effects(os) == [0, 1, 2, 3, 4]
        await check_at_rest(os)


async def test_the_events_of_one_message_keep_their_order(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker({0: 1}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.send(dumps([plain(n) for n in range(5)]))
        await os.recover(clock)
        assert await effects(os) == [0, 1, 2, 3, 4]


async def test_nobody_enters_the_key_of_another_tenant(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker(), atomic=atomic, clock=clock, working=False) as os:
        await send(os, plain(1, tenantid="other"), session=key_id("other", "acct-7"))
        await os.recover(clock)
        [record] = await os.records("step.taken")
        assert record["key"]["name"] == key_id("local", "acct-7") == (await key_of(os))["id"]


async def test_events_without_an_id_on_two_queues_are_two_events(tmp_path: Path) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker(), clock=clock, working=False) as os:
        await send(os, plain(1))
        await os.send(dumps(plain(2)))
        await os.recover(clock)
        records = await os.records("step.taken")
        assert {record["event"]["source"] for record in records} == {"/queues/ordered", "/queues/events"}
        assert len({record["event_id"] for record in records}) == 2


async def test_what_is_no_ordered_event_is_kept_whole_and_holds_nobody_up(tmp_path: Path, atomic: bool) -> None:
    clock = TickingClock()
    async with an_os(tmp_path, taker(), atomic=atomic, clock=clock, working=False) as os:
        await send(os, plain(1, partitionkey=""), plain(2, ordered="perhaps"), "nothing", plain(3))
        await os.recover(clock)
        assert await effects(os) == [3]
        letters = await os.dead_letters("message")
        assert {letter["queue"] for letter in letters} == {"ordered"}
        assert sorted(letter["error"] for letter in letters) == [
            "an event of type step.taken is sent as ordered, and has no partitionkey. Name the key whose order is kept",
            "no event: a JSON str, not an object",
            "ordered 'perhaps' is not true or false",
        ]


async def test_an_event_that_was_ordered_already_is_not_ordered_anew_by_another_message(
    tmp_path: Path, atomic: bool
) -> None:
    """The same event under another key: what counts is the record that is there."""
    clock = TickingClock()
    async with an_os(tmp_path, taker({1: 1}), atomic=atomic, clock=clock, working=False, draw=0.9) as os:
        await os.publish(step(1, "a"))
        await os.work()
        await os.publish(step(1, "b"), step(2, "b"))
        await os.recover(clock)
        assert (await effects(os, "a"), await effects(os, "b")) == ([1], [2])
        await check_at_rest(os, "a", "b")
