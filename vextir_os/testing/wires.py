"""The ports of one worker as a test bends them: every call goes by a `Through`, which may let it go wrong.

What stands behind them is the real storage. The kinds of trouble are those that a network knows; `trouble` has them.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, cast

from vextir_os.ports.atomic import Atomic, Create, Operation, Replace
from vextir_os.ports.blobs import BlobRef, Blobs
from vextir_os.ports.queue import Delivery, Message, Queue
from vextir_os.ports.store import Document, Page, Patch, Store, Stored, Where
from vextir_os.runs.record import EVENTS

Do = Callable[[], Awaitable[Any]]


class Call(NamedTuple):
    """One call of a port.

    Attributes:
        name: `store.create`, `queue.send`, `atomic.transact`, `blobs.put`, …
        writes_record: Whether it writes the record of an event.
        replaces: The document that it replaces first, with its container.
    """

    name: str
    writes_record: bool = False
    replaces: tuple[str, Document] | None = None


Through = Callable[[Call, Do], Awaitable[Any]]
"""Makes a call, or what goes wrong instead."""


class WiredStore:
    """A `Store`."""

    def __init__(self, inner: Store, through: Through) -> None:
        self._inner = inner
        self._through = through

    async def create(self, container: str, document: Document) -> str:
        """As the port says."""
        return await self._write("store.create", container, partial(self._inner.create, container, document))

    async def read(self, container: str, pk: str, id: str) -> Stored:  # noqa: A002
        """As the port says."""
        answer: Stored = await self._through(Call("store.read"), partial(self._inner.read, container, pk, id))
        return answer

    async def replace(self, container: str, document: Document, *, if_match: str) -> str:
        """As the port says."""
        do = partial(self._inner.replace, container, document, if_match=if_match)
        call = Call("store.replace", writes_record=container == EVENTS, replaces=(container, document))
        answer: str = await self._through(call, do)
        return answer

    async def upsert(self, container: str, document: Document) -> str:
        """As the port says."""
        return await self._write("store.upsert", container, partial(self._inner.upsert, container, document))

    async def delete(self, container: str, pk: str, id: str, *, if_match: str | None = None) -> None:  # noqa: A002
        """As the port says."""
        await self._through(Call("store.delete"), partial(self._inner.delete, container, pk, id, if_match=if_match))

    async def patch(
        self,
        container: str,
        pk: str,
        id: str,  # noqa: A002
        changes: Sequence[Patch],
        *,
        only_if: Sequence[Where] = (),
    ) -> str:
        """As the port says."""
        do = partial(self._inner.patch, container, pk, id, changes, only_if=only_if)
        answer: str = await self._through(Call("store.patch"), do)
        return answer

    async def query(
        self,
        container: str,
        where: Sequence[Where] = (),
        *,
        order: Literal["oldest", "newest"] = "oldest",
        limit: int = 100,
        continuation: str = "",
    ) -> Page:
        """As the port says."""
        do = partial(self._inner.query, container, where, order=order, limit=limit, continuation=continuation)
        answer: Page = await self._through(Call("store.query"), do)
        return answer

    async def purge(self, limit: int = 1_000) -> Any:
        """Remove what has expired, as SQLite's store does."""
        return await self._through(Call("store.purge"), partial(cast(Any, self._inner).purge, limit))

    async def _write(self, name: str, container: str, do: Do) -> str:
        answer: str = await self._through(Call(name, writes_record=container == EVENTS), do)
        return answer


class WiredQueue:
    """A `Queue`."""

    def __init__(self, inner: Queue, through: Through) -> None:
        self._inner = inner
        self._through = through
        self.name = inner.name

    async def send(self, messages: Sequence[Message], *, at: float | None = None) -> Sequence[int]:
        """As the port says."""
        do = partial(self._inner.send, messages, at=at)
        answer: Sequence[int] = await self._through(Call("queue.send"), do)
        return answer

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """As the port says."""
        do = partial(self._inner.receive, limit, wait)
        answer: Sequence[Delivery] = await self._through(Call("queue.receive"), do)
        return answer

    async def complete(self, token: str) -> None:
        """As the port says."""
        await self._through(Call("queue.complete"), partial(self._inner.complete, token))

    async def abandon(self, token: str) -> None:
        """As the port says."""
        await self._through(Call("queue.abandon"), partial(self._inner.abandon, token))

    async def dead_letter(self, token: str, *, reason: str, description: str = "") -> None:
        """As the port says."""
        do = partial(self._inner.dead_letter, token, reason=reason, description=description)
        await self._through(Call("queue.dead_letter"), do)

    async def renew(self, token: str) -> float:
        """As the port says."""
        answer: float = await self._through(Call("queue.renew"), partial(self._inner.renew, token))
        return answer

    async def cancel_scheduled(self, sequence: int) -> None:
        """As the port says."""
        await self._through(Call("queue.cancel_scheduled"), partial(self._inner.cancel_scheduled, sequence))


class WiredAtomic:
    """An `Atomic`."""

    def __init__(self, inner: Atomic, through: Through) -> None:
        self._inner = inner
        self._through = through

    async def transact(self, operations: Sequence[Operation], *, durable: bool = True) -> Sequence[str]:
        """As the port says."""
        first = operations[0]
        call = Call(
            "atomic.transact",
            replaces=(first.container, first.document) if isinstance(first, Replace) else None,
            writes_record=any(isinstance(one, (Create, Replace)) and one.container == EVENTS for one in operations),
        )
        do = partial(self._inner.transact, operations, durable=durable)
        answer: Sequence[str] = await self._through(call, do)
        return answer


class WiredBlobs:
    """A `Blobs`."""

    def __init__(self, inner: Blobs, through: Through) -> None:
        self._inner = inner
        self._through = through

    async def put(self, name: str, data: bytes) -> BlobRef:
        """As the port says."""
        answer: BlobRef = await self._through(Call("blobs.put"), partial(self._inner.put, name, data))
        return answer

    async def get(self, ref: BlobRef) -> bytes:
        """As the port says."""
        answer: bytes = await self._through(Call("blobs.get"), partial(self._inner.get, ref))
        return answer

    async def delete_all(self, record: str) -> None:
        """As the port says."""
        await self._through(Call("blobs.delete_all"), partial(self._inner.delete_all, record))


class WiredStorage:
    """A storage whose ports are wired; what has no port goes straight to it.

    Args:
        inner: The storage, not started yet.
        through: Where every call goes by.
    """

    def __init__(self, inner: Any, through: Through) -> None:
        self._inner = inner
        self._through = through
        self.store = WiredStore(inner.store, through)
        self.atomic = WiredAtomic(inner.atomic, through)
        self.blobs = WiredBlobs(inner.blobs, through)

    def queue(self, name: str) -> WiredQueue:
        """Return the port's view of an entity."""
        return WiredQueue(self._inner.queue(name), self._through)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)
