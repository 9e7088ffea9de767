"""SQLite as the contract suites want to see it: storage, and a clock that moves by hand."""

from collections.abc import Sequence
from typing import Any

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.adapters.sqlite.storage import SqliteStorage
from vextir_os.ports.atomic import Atomic
from vextir_os.ports.queue import Delivery, Queue
from vextir_os.ports.store import Store


class SqliteHarness:
    """Implements the harness protocols of all suites."""

    def __init__(self, storage: SqliteStorage, clock: FakeClock) -> None:
        self.storage = storage
        self.clock = clock

    @property
    def store(self) -> Store:
        return self.storage.store

    @property
    def atomic(self) -> Atomic:
        return self.storage.atomic

    async def make(self, name: str, **rules: Any) -> Queue:
        await self.storage.broker.declare(name, EntityProperties(**rules))
        return self.storage.queue(name)

    def missing(self) -> Queue:
        return self.storage.queue("evnets")

    def dead(self, queue: Queue) -> Queue:
        return self.storage.queue(queue.name + DEAD)

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.storage.wake()

    async def peek(self, queue: Queue, limit: int, from_sequence: int = 0) -> Sequence[tuple[str, str]]:
        shown = await self.storage.broker.peek(queue.name, limit, from_sequence=from_sequence)
        return [(peeked.delivery.message.id, peeked.state) for peeked in shown]

    async def defer(self, queue: Queue, token: str) -> None:
        await self.storage.broker.defer(token)

    async def receive_deferred(self, queue: Queue, sequence: int) -> Delivery:
        [delivery] = await self.storage.broker.receive_deferred(queue.name, [sequence])
        return delivery
