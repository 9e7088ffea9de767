"""What the OS asks of a storage, over models that several workers share: store, queues, blobs, and one transaction."""

import contextlib
import dataclasses
import hashlib
from collections.abc import Sequence
from functools import partial

from tests.simulation.broker import Broker
from tests.simulation.documents import Documents, encode
from tests.simulation.ports import Line, ModelQueue, ModelStore
from vextir_os.adapters.sqlite.documents import Prepared
from vextir_os.adapters.sqlite.entities import EntityProperties
from vextir_os.adapters.sqlite.messages import prepare
from vextir_os.errors import (
    AlreadyExistsError,
    BlobMismatchError,
    ConflictError,
    LockLostError,
    NotFoundError,
    TooLargeError,
)
from vextir_os.events.limits import BLOB_BYTES
from vextir_os.ports.atomic import Complete, Create, Operation, Replace, Send
from vextir_os.ports.blobs import BlobRef
from vextir_os.ports.gauges import Level

Part = tuple[Operation, Prepared | None]
"""One operation of a transaction, and the document that it writes, encoded before anything can change it."""


class ModelAtomic:
    """Implements `Atomic`: asks for all conditions first, so that what follows cannot fail."""

    def __init__(self, documents: Documents, broker: Broker, store: ModelStore, line: Line) -> None:
        self._documents = documents
        self._broker = broker
        self._store = store
        self._line = line

    async def transact(self, operations: Sequence[Operation], *, durable: bool = True) -> Sequence[str]:
        parts = [
            (part, encode(part.container, part.document) if isinstance(part, Create | Replace) else None)
            for part in operations
        ]
        place = " ".join(new.id for _, new in parts if new is not None)
        etags: Sequence[str] = await self._line.call("transact", place, partial(self._apply, parts))
        for (_, new), etag in zip(parts, etags, strict=True):
            if new is not None and etag:
                self._store.wrote((new.container, new.pk, new.id), etag)
        return etags

    def _apply(self, parts: Sequence[Part]) -> Sequence[str]:
        for operation, new in parts:
            self._check(operation, new)
        return [self._apply_one(operation, new) for operation, new in parts]

    def _check(self, operation: Operation, new: Prepared | None) -> None:
        if isinstance(operation, Send):
            self._broker.entity(operation.entity)
            for message in operation.messages:
                prepare(message)
        if new is None:
            return
        name, found = f"{new.container}/{new.id}", self._documents.find((new.container, new.pk, new.id))
        if isinstance(operation, Create) and found is not None and not operation.exists_ok:
            raise AlreadyExistsError(f"document {name} exists already")
        if isinstance(operation, Replace) and found is None:
            raise ConflictError(f"document {name} is gone")
        if isinstance(operation, Replace) and found is not None and found.etag != operation.if_match:
            raise ConflictError(f"document {name} changed since it was read")

    def _apply_one(self, operation: Operation, new: Prepared | None) -> str:
        if isinstance(operation, Send):
            self._broker.send(operation.entity, operation.messages, operation.at)
        elif isinstance(operation, Complete):
            with contextlib.suppress(LockLostError):
                self._broker.complete(operation.token)
        elif new is not None and isinstance(operation, Replace):
            return self._documents.replace(new, operation.if_match)
        elif new is not None and self._documents.find((new.container, new.pk, new.id)) is None:
            return self._documents.create(new)
        return ""


class ModelBlobs:
    """Implements `Blobs`."""

    def __init__(self, blobs: dict[str, bytes], line: Line) -> None:
        self._blobs = blobs
        self._line = line

    async def put(self, name: str, data: bytes) -> BlobRef:
        if len(data) > BLOB_BYTES:
            raise TooLargeError(f"blob {name} has {len(data)} bytes, at most {BLOB_BYTES} are allowed")
        await self._line.call("put", name, partial(self._blobs.__setitem__, name, data))
        return BlobRef.of(name, data)

    async def get(self, ref: BlobRef) -> bytes:
        data: bytes | None = await self._line.call("get", ref.name, partial(self._blobs.get, ref.name))
        if data is None:
            raise NotFoundError(f"there is no blob {ref.name}")
        if len(data) != ref.size_bytes or hashlib.sha256(data).hexdigest() != ref.sha256:
            raise BlobMismatchError(f"blob {ref.name} is not what its reference names")
        return data

    async def delete_all(self, record: str) -> None:
        await self._line.call("delete_all", record, partial(self._delete_all, record))

    def _delete_all(self, record: str) -> None:
        for name in [name for name in self._blobs if name.startswith(f"{record}/")]:
            del self._blobs[name]


class ModelStorage:
    """What `bootstrap` asks of a storage.

    Args:
        documents: The model of the store.
        broker: The model of the queue.
        blobs: The bytes by name.
        line: This worker's way to them.
        properties: What queues without sessions are declared with, but for their locks.
        worker: Who receives by it.
    """

    def __init__(
        self,
        documents: Documents,
        broker: Broker,
        blobs: dict[str, bytes],
        line: Line,
        properties: EntityProperties,
        worker: str,
    ) -> None:
        self.store = ModelStore(documents, line)
        self.atomic = ModelAtomic(documents, broker, self.store, line)
        self.blobs = ModelBlobs(blobs, line)
        self.broker = self
        self._broker = broker
        self._line = line
        self._properties = properties
        self._worker = worker

    async def declare(self, name: str, properties: EntityProperties) -> None:
        """Make a queue, unless it is there."""
        if not properties.requires_session:
            properties = dataclasses.replace(self._properties, lock_duration_s=properties.lock_duration_s)
        self._broker.declare(name, properties)

    def queue(self, name: str) -> ModelQueue:
        """Return the port's view of a queue."""
        return ModelQueue(self._broker, name, self._line, self._worker)

    async def level(self, *queues: str) -> Level:
        """Return how many messages wait; there is no disk that could be full."""
        waiting = sum(not held.token for name in queues for held in self._broker.entity(name).messages)
        return Level(waiting=waiting, used_bytes=0, free_bytes=2**40)

    async def give_up(self, worker: str) -> int:
        """End the locks of a worker's messages, and return how many there were."""
        count: int = await self._line.call("give_up", worker, partial(self._broker.give_up, worker))
        return count
