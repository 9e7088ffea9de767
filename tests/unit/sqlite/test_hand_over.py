"""A message that somebody waits for is inserted locked: one write, no second one to lock it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.queue_contract import message, waiting
from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.browse import Counts
from vextir_os.adapters.sqlite.entities import EntityProperties
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.errors import AlreadyExistsError
from vextir_os.ports.atomic import Create, Send


@contextlib.asynccontextmanager
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    async with open_storage(tmp_path / "q.db", FakeClock()) as opened:
        await opened.broker.declare("q", EntityProperties(lock_duration_s=30))
        yield opened


async def test_a_waiting_receiver_gets_what_is_sent_with_a_lock_that_holds(tmp_path: Path) -> None:
    async with storage(tmp_path) as opened:
        queue = opened.queue("q")
        receiver = await waiting(queue, 60, limit=10)
        [sequence] = await queue.send([message("a")])
        (delivery,) = await receiver
        assert (delivery.message.id, delivery.sequence, delivery.count) == ("a", sequence, 1)
        assert list(await queue.receive(1, 0)) == []
        await queue.complete(delivery.token)
        assert await opened.broker.counts("q") == Counts()


async def test_a_receiver_takes_no_more_than_its_limit_and_the_rest_is_ready(tmp_path: Path) -> None:
    async with storage(tmp_path) as opened:
        queue = opened.queue("q")
        receiver = await waiting(queue, 60, limit=2)
        await queue.send([message(name) for name in "abc"])
        assert [delivery.message.id for delivery in await receiver] == ["a", "b"]
        assert [delivery.message.id for delivery in await queue.receive(5, 0)] == ["c"]


async def test_a_unit_that_fails_hands_nothing_over(tmp_path: Path) -> None:
    async with storage(tmp_path) as opened:
        queue = opened.queue("q")
        await opened.store.create("things", {"id": "1", "pk": "p"})
        receiver = await waiting(queue, 60, limit=5)
        fails = opened.atomic.transact([Send("q", [message("lost")]), Create("things", {"id": "1", "pk": "p"})])
        results = await asyncio.gather(fails, queue.send([message("kept")]), return_exceptions=True)
        assert isinstance(results[0], AlreadyExistsError)
        assert [delivery.message.id for delivery in await receiver] == ["kept"]
        assert await opened.broker.counts("q") == Counts(locked=1)


async def test_a_message_for_a_receiver_that_is_gone_is_ready_again(tmp_path: Path) -> None:
    async with storage(tmp_path) as opened:
        queue = opened.queue("q")
        receiver = await waiting(queue, 60, limit=5)
        sending = asyncio.ensure_future(queue.send([message("a")]))
        await asyncio.sleep(0)
        receiver.cancel()
        await sending
        with pytest.raises(asyncio.CancelledError):
            await receiver
        deliveries = list(await queue.receive(5, 0)) or list(await queue.receive(5, 0))
        assert [(delivery.message.id, delivery.count) for delivery in deliveries] == [("a", 1)]


async def test_what_was_ready_before_goes_before_what_is_sent_now(tmp_path: Path) -> None:
    async with storage(tmp_path) as opened:
        queue = opened.queue("q")
        await queue.send([message("old")])
        (held,) = await queue.receive(1, 0)
        receiver = await waiting(queue, 60, limit=1)
        abandoned = asyncio.ensure_future(queue.abandon(held.token))
        await asyncio.sleep(0)
        await asyncio.gather(abandoned, queue.send([message("new")]))
        assert [delivery.message.id for delivery in await receiver] == ["old"]
