"""A broker in memory with a queue `events` and one with sessions, `ordered`, under a clock that moves by hand."""

from collections.abc import AsyncIterator

import pytest

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.entities import EntityProperties
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def storage(clock: FakeClock) -> AsyncIterator[SqliteStorage]:
    async with open_storage(":memory:", clock) as storage:
        yield storage


@pytest.fixture
async def broker(storage: SqliteStorage) -> Broker:
    await storage.broker.declare("events", EntityProperties(lock_duration_s=30))
    await storage.broker.declare("ordered", EntityProperties(lock_duration_s=30, requires_session=True))
    return storage.broker
