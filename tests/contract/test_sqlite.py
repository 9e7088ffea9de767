"""All contract suites, with every capability, on SQLite in memory and in a file."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.atomic_contract import AtomicContract
from tests.contract.blobs_contract import BlobsContract
from tests.contract.queue_capabilities_contract import (
    DeferContract,
    DuplicatesContract,
    FairnessContract,
    PeekContract,
    PriorityContract,
    ScheduleContract,
    SessionsContract,
    TtlContract,
)
from tests.contract.queue_contract import QueueContract
from tests.contract.sqlite_harness import SqliteHarness
from tests.contract.store_contract import StoreContract
from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.ports.blobs import Blobs


@pytest.fixture
def now() -> float:
    return FakeClock().time()


@pytest.fixture(params=["memory", "file"])
async def harness(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteHarness]:
    clock = FakeClock()
    path = ":memory:" if request.param == "memory" else tmp_path / "vextir.db"
    async with open_storage(path, clock) as storage:
        yield SqliteHarness(storage, clock)


@pytest.fixture
def blobs(harness: SqliteHarness) -> Blobs:
    return harness.storage.blobs


class TestSqliteQueue(
    QueueContract,
    ScheduleContract,
    PriorityContract,
    FairnessContract,
    DuplicatesContract,
    TtlContract,
    PeekContract,
    DeferContract,
    SessionsContract,
):
    """SQLite has every capability."""


class TestSqliteStore(StoreContract):
    """The store port."""


class TestSqliteBlobs(BlobsContract):
    """The blobs port."""


class TestSqliteAtomic(AtomicContract):
    """Transactions over store and queues."""
