"""The models of the simulation under the contract suites: what they do when nothing goes wrong is what adapters do."""

from typing import Any

import pytest

from tests.contract.atomic_contract import AtomicContract
from tests.contract.blobs_contract import BlobsContract
from tests.contract.queue_capabilities_contract import (
    DuplicatesContract,
    PriorityContract,
    ScheduleContract,
    SessionsContract,
)
from tests.contract.queue_contract import QueueContract
from tests.contract.store_contract import StoreContract
from tests.simulation.broker import Broker
from tests.simulation.documents import Documents
from tests.simulation.ports import ModelQueue, ModelStore, StraightLine
from tests.simulation.storage import ModelAtomic, ModelBlobs
from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.ports.blobs import Blobs
from vextir_os.ports.queue import Queue


@pytest.fixture
def now() -> float:
    return FakeClock().time()


class ModelHarness:
    """Implements the harness protocols of the suites; the clock moves by hand."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.line = StraightLine()
        self.documents = Documents(self.clock.time)
        self.broker = Broker(self.clock.time, alarm=_nobody)
        self.store = ModelStore(self.documents, self.line)
        self.atomic = ModelAtomic(self.documents, self.broker, self.store, self.line)

    async def make(self, name: str, **rules: Any) -> Queue:
        self.broker.declare(name, EntityProperties(**rules))
        return ModelQueue(self.broker, name, self.line)

    def missing(self) -> Queue:
        return ModelQueue(self.broker, "evnets", self.line)

    def dead(self, queue: Queue) -> Queue:
        return ModelQueue(self.broker, queue.name + DEAD, self.line)

    async def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.broker.tick()


def _nobody(_when: float) -> None:
    """The clock moves by hand, and `advance` looks at it."""


@pytest.fixture
def harness() -> ModelHarness:
    return ModelHarness()


@pytest.fixture
def blobs(harness: ModelHarness) -> Blobs:
    return ModelBlobs({}, harness.line)


class TestModelQueue(QueueContract, ScheduleContract, PriorityContract, DuplicatesContract, SessionsContract):
    """The model of the queue."""


class TestModelStore(StoreContract):
    """The model of the store."""


class TestModelBlobs(BlobsContract):
    """The model of the blobs."""


class TestModelAtomic(AtomicContract):
    """The model of their transaction."""
