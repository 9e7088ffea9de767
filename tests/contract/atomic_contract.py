"""What the capability `atomic` guarantees. An adapter's test class inherits this and gives the fixture `harness`."""

from typing import Protocol

import pytest

from tests.contract.queue_contract import QueueHarness, drain, ids, message, one
from tests.contract.store_contract import doc
from vextir_os.errors import AlreadyExistsError, ConflictError, NotFoundError
from vextir_os.ports.atomic import Atomic, Complete, Create, Replace, Send
from vextir_os.ports.store import Store


class AtomicHarness(QueueHarness, Protocol):
    """A store and queues that share transactions."""

    @property
    def store(self) -> Store:
        """The store."""
        ...

    @property
    def atomic(self) -> Atomic:
        """The transactions over both."""
        ...


class AtomicContract:
    """The capability `atomic`."""

    async def test_a_commit_writes_publishes_and_settles_at_once(self, harness: AtomicHarness) -> None:
        queue, out = await harness.make("q"), await harness.make("out")
        await queue.send([message("knock")])
        knock = await one(queue)
        [etag] = await harness.atomic.transact([Create("events", doc(state="running"))], durable=False)
        results = await harness.atomic.transact(
            [
                Replace("events", doc(state="done"), etag),
                Create("state", doc("s1")),
                Send("out", [message("e1"), message("e2")]),
                Complete(knock.token),
            ]
        )
        stored = await harness.store.read("events", "p", "r1")
        other = await harness.store.read("state", "p", "s1")
        assert list(results) == [stored.etag, other.etag, "", ""]
        assert stored.document["state"] == "done"
        assert await drain(out) == ["e1", "e2"]
        await harness.advance(1000)
        assert await drain(queue) == []

    async def test_a_replace_that_comes_too_late_applies_nothing(self, harness: AtomicHarness) -> None:
        queue, out = await harness.make("q"), await harness.make("out")
        await queue.send([message("knock")])
        knock = await one(queue)
        old = await harness.store.create("events", doc(n=1))
        await harness.store.replace("events", doc(n=2), if_match=old)
        with pytest.raises(ConflictError, match="events/r1"):
            await harness.atomic.transact(
                [
                    Complete(knock.token),
                    Create("state", doc("s1")),
                    Send("out", [message("e1")]),
                    Replace("events", doc(n=3), old),
                ]
            )
        assert await drain(out) == []
        with pytest.raises(NotFoundError, match="state/s1"):
            await harness.store.read("state", "p", "s1")
        await queue.complete(knock.token)

    async def test_a_document_that_is_there_applies_nothing(self, harness: AtomicHarness) -> None:
        out = await harness.make("out")
        await harness.store.create("events", doc(n=1))
        with pytest.raises(AlreadyExistsError, match="events/r1"):
            await harness.atomic.transact([Send("out", [message("e1")]), Create("events", doc(n=2))])
        assert await drain(out) == []

    async def test_unless_that_is_all_right(self, harness: AtomicHarness) -> None:
        out = await harness.make("out")
        await harness.store.create("events", doc(n=1))
        results = await harness.atomic.transact(
            [Create("events", doc(n=2), exists_ok=True), Send("out", [message("e1")])]
        )
        assert list(results) == ["", ""]
        assert (await harness.store.read("events", "p", "r1")).document["n"] == 1
        assert await drain(out) == ["e1"]

    async def test_a_replace_of_what_is_gone_is_a_conflict(self, harness: AtomicHarness) -> None:
        etag = await harness.store.create("events", doc())
        await harness.store.delete("events", "p", "r1")
        with pytest.raises(ConflictError, match="events/r1 is gone"):
            await harness.atomic.transact([Replace("events", doc(), etag)])

    async def test_a_lock_that_was_lost_fails_nothing(self, harness: AtomicHarness) -> None:
        queue = await harness.make("q", lock_duration_s=10)
        await queue.send([message("knock")])
        lost = await one(queue)
        await harness.advance(20)
        await harness.atomic.transact([Create("events", doc()), Complete(lost.token)])
        assert (await harness.store.read("events", "p", "r1")).document == doc()
        assert ids(await queue.receive(1, 0)) == ["knock"]

    async def test_a_send_to_nowhere_applies_nothing(self, harness: AtomicHarness) -> None:
        with pytest.raises(NotFoundError, match="nowhere"):
            await harness.atomic.transact([Create("events", doc()), Send("nowhere", [message()])])
        with pytest.raises(NotFoundError, match="events/r1"):
            await harness.store.read("events", "p", "r1")

    async def test_a_scheduled_send_waits_for_its_time(self, harness: AtomicHarness, now: float) -> None:
        queue = await harness.make("q")
        await harness.atomic.transact([Send("q", [message("retry")], at=now + 50)])
        assert await drain(queue) == []
        await harness.advance(60)
        assert await drain(queue) == ["retry"]
