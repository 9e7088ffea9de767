"""Many units in one group: written in a few statements, with the answers that each would get by itself."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.contract.queue_contract import message
from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite import bulk
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.browse import Counts
from vextir_os.adapters.sqlite.entities import EntityProperties
from vextir_os.adapters.sqlite.storage import SqliteStorage
from vextir_os.errors import AlreadyExistsError, ConflictError, NotFoundError
from vextir_os.ports.atomic import Complete, Create, Operation, Replace, Send


def document(number: int, **members: object) -> dict[str, Any]:
    return {"id": f"d{number}", "pk": "p", "number": number, **members}


async def all_at_once(storage: SqliteStorage, units: Sequence[Sequence[Operation]]) -> list[Any]:
    return await asyncio.gather(*(storage.atomic.transact(unit) for unit in units), return_exceptions=True)


async def numbers_in(storage: SqliteStorage) -> list[int]:
    page = await storage.store.query("events", limit=1000)
    return [stored.document["number"] for stored in page.items]


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[list[bool]]:
    """For each group that was tried together, which of its units were done so."""
    seen: list[list[bool]] = []
    run = bulk.run

    def noting(*args: Any) -> list[Any]:
        answers = run(*args)
        seen.append([answer is not None for answer in answers])
        return answers

    monkeypatch.setattr(bulk, "run", noting)
    return seen


@pytest.mark.parametrize("count", [4, 5, 63, 64, 65, 200])
async def test_each_of_many_units_gets_the_etag_of_its_own_document(
    storage: SqliteStorage, broker: Broker, together: list[list[bool]], count: int
) -> None:
    etags = await all_at_once(storage, [[Create("events", document(n))] for n in range(count)])
    assert together == [[True] * count]
    for number, [etag] in enumerate(etags):
        stored = await storage.store.read("events", "p", f"d{number}")
        assert (stored.document["number"], stored.etag) == (number, etag)
    again = [[Replace("events", document(n, more=True), etag)] for n, [etag] in enumerate(etags)]
    newer = await all_at_once(storage, again)
    assert together[1:] == [[True] * count]
    for number, [etag] in enumerate(newer):
        stored = await storage.store.read("events", "p", f"d{number}")
        assert (stored.document["more"], stored.etag) == (True, etag)


async def test_messages_sent_together_are_numbered_and_received_in_their_order(
    storage: SqliteStorage, broker: Broker, together: list[list[bool]]
) -> None:
    sends = [broker.send("events", [message(f"m{n}"), message(f"n{n}")]) for n in range(10)]
    numbers = await asyncio.gather(*sends)
    assert together == [[True] * 10]
    flat = [number for pair in numbers for number in pair]
    assert flat == sorted(set(flat))
    found = await broker.receive("events", 20, 0)
    assert [delivery.sequence for delivery in found] == flat
    assert [delivery.message.id for delivery in found] == [f"{kind}{n}" for n in range(10) for kind in "mn"]


async def test_a_commit_writes_sends_and_settles_together_with_others(
    storage: SqliteStorage, broker: Broker, together: list[list[bool]]
) -> None:
    await broker.send("events", [message(f"m{n}") for n in range(6)])
    found = await broker.receive("events", 6, 0)
    together.clear()
    units: list[list[Operation]] = [
        [Create("events", document(n)), Send("events", [message(f"next{n}")]), Complete(delivery.token)]
        for n, delivery in enumerate(found)
    ]
    answers = await all_at_once(storage, units)
    assert together == [[True] * 6]
    assert all(etag and rest == ["", ""] for etag, *rest in answers)
    assert await broker.counts("events") == Counts(active=6)
    assert [delivery.message.id for delivery in await broker.receive("events", 6, 0)] == [f"next{n}" for n in range(6)]


async def test_where_one_document_is_there_already_only_its_unit_fails_and_all_of_it(
    storage: SqliteStorage, broker: Broker, together: list[list[bool]]
) -> None:
    await storage.store.create("events", document(2))
    units: list[list[Operation]] = [
        [Create("events", document(n)), Send("events", [message(f"m{n}")])] for n in range(6)
    ]
    answers = await all_at_once(storage, units)
    assert together == [[False] * 6]
    assert [isinstance(answer, AlreadyExistsError) for answer in answers] == [n == 2 for n in range(6)]
    assert sorted(await numbers_in(storage)) == [0, 1, 2, 3, 4, 5]
    received = await broker.receive("events", 10, 0)
    assert [delivery.message.id for delivery in received] == ["m0", "m1", "m3", "m4", "m5"]


async def test_of_two_units_that_create_one_document_the_first_does(storage: SqliteStorage, broker: Broker) -> None:
    answers = await all_at_once(storage, [[Create("events", document(n % 4))] for n in range(8)])
    assert [isinstance(answer, AlreadyExistsError) for answer in answers] == [False] * 4 + [True] * 4
    assert await numbers_in(storage) == [0, 1, 2, 3]


async def test_of_two_units_that_replace_one_document_the_first_does(storage: SqliteStorage, broker: Broker) -> None:
    etags = [await storage.store.create("events", document(n)) for n in range(4)]
    units: list[list[Operation]] = [[Replace("events", document(n, by=by), etags[n])] for by in "ab" for n in range(4)]
    answers = await all_at_once(storage, units)
    assert [isinstance(answer, ConflictError) for answer in answers] == [False] * 4 + [True] * 4
    assert "changed since it was read" in str(answers[4])
    page = await storage.store.query("events")
    assert [stored.document["by"] for stored in page.items] == ["a"] * 4


async def test_an_expired_document_is_no_obstacle_and_cannot_be_replaced(
    storage: SqliteStorage, broker: Broker, clock: FakeClock
) -> None:
    old = await storage.store.create("events", document(0, ttl=10))
    clock.advance(11)
    answers = await all_at_once(
        storage,
        [[Replace("events", document(0, late=True), old)], *([Create("events", document(n))] for n in range(5))],
    )
    assert isinstance(answers[0], ConflictError)
    assert [isinstance(answer, Exception) for answer in answers[1:]] == [False] * 5
    assert sorted(await numbers_in(storage)) == [0, 1, 2, 3, 4]


async def test_a_lock_that_is_lost_fails_nothing_and_settles_nothing(
    storage: SqliteStorage, broker: Broker, clock: FakeClock
) -> None:
    await broker.send("events", [message(f"m{n}") for n in range(5)])
    late = await broker.receive("events", 2, 0)
    clock.advance(31)
    found = await broker.receive("events", 5, 0)
    tokens = [late[0].token, "no token at all", *(delivery.token for delivery in found[2:])]
    units: list[list[Operation]] = [[Create("events", document(n)), Complete(token)] for n, token in enumerate(tokens)]
    answers = await all_at_once(storage, units)
    assert [isinstance(answer, Exception) for answer in answers] == [False] * 5
    assert await broker.counts("events") == Counts(locked=2)


async def test_two_units_that_settle_one_message_both_succeed(storage: SqliteStorage, broker: Broker) -> None:
    await broker.send("events", [message("a")])
    [found] = await broker.receive("events", 1, 0)
    answers = await all_at_once(storage, [[Create("events", document(n)), Complete(found.token)] for n in range(5)])
    assert [isinstance(answer, Exception) for answer in answers] == [False] * 5
    assert await broker.counts("events") == Counts()


async def test_what_goes_to_sessions_a_duplicate_window_or_nowhere_runs_by_itself(
    storage: SqliteStorage, broker: Broker, together: list[list[bool]]
) -> None:
    await broker.declare("once", EntityProperties(duplicate_window_s=60))
    sends = [
        *(broker.send("events", [message(f"m{n}")]) for n in range(4)),
        broker.send("ordered", [message("s", session="k")]),
        broker.send("once", [message("same")]),
        broker.send("once", [message("same")]),
        broker.send("evnts", [message("x")]),
        broker.send("events/$deadletterqueue", [message("x")]),
    ]
    answers = await asyncio.gather(*sends, return_exceptions=True)
    assert together == [[True] * 4 + [False] * 5]
    assert answers[5] == answers[6]
    assert isinstance(answers[7], NotFoundError)
    assert "holds dead letters" in str(answers[8])
    assert len(await broker.receive("ordered", 5, 0)) == 1


async def test_messages_sent_together_go_straight_to_a_receiver_that_waits(
    storage: SqliteStorage, broker: Broker
) -> None:
    receiver = asyncio.create_task(broker.receive("events", 3, 60))
    await asyncio.sleep(0)
    sends = [broker.send("events", [message(f"m{n}")]) for n in range(5)]
    await asyncio.gather(*sends)
    received = await receiver
    assert [delivery.message.id for delivery in received] == ["m0", "m1", "m2"]
    assert await broker.counts("events") == Counts(active=2, locked=3)
    units: list[list[Operation]] = [
        [Create("events", document(n)), Complete(delivery.token)] for n, delivery in enumerate(received)
    ]
    await all_at_once(storage, units)
    assert [delivery.message.id for delivery in await broker.receive("events", 5, 0)] == ["m3", "m4"]
