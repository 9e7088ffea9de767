"""Ports that go wrong when a test says so; all else goes to the real store and queue behind them.

`down`: nothing was done, and no answer came. `lost`: it was done, and the answer was lost. `late`: no answer, and it
lands when the test says so. `meddled`: somebody else writes the document first. `crash before`, `crash after`: the
worker dies there.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from vextir_os.errors import StoreError, StoreUnavailableError
from vextir_os.ports.atomic import Atomic, Operation, Replace
from vextir_os.ports.queue import Delivery, Message, Queue
from vextir_os.ports.store import Document, Page, Patch, Store, Stored, Where

Fault = Literal["down", "lost", "late", "meddled", "crash before", "crash after"]
Do = Callable[[], Awaitable[Any]]


class Crash(BaseException):
    """The worker died. A BaseException: nothing may go on after it."""


class Faults:
    """Which calls go wrong; and a list of all that were made: `create`, `replace`, `read`, `send`, `transact`, …

    Args:
        at: Number of the call, from 0, at which `fault` happens, whatever call it is.
        fault: What happens there.
    """

    def __init__(self, at: int = -1, fault: Fault = "down") -> None:
        self.calls: list[str] = []
        self._at, self._fault = at, fault
        self._plans: dict[str, deque[Fault | None]] = {}
        self._late: list[Do] = []

    def next(self, call: str, *faults: Fault | None, times: int = 1) -> None:
        """Let the next calls of this name go wrong, all of it `times` over; None for one that goes well."""
        self._plans.setdefault(call, deque()).extend(faults * times)

    def end(self) -> None:
        """Let all go well from now on."""
        self._plans.clear()

    def crash_at(self, at: int) -> None:
        """Let the worker die before the call of this number, in the list of calls."""
        self._at, self._fault = at, "crash before"

    async def land(self) -> None:
        """Let what is late arrive now."""
        late, self._late = self._late, []
        for do in late:
            with suppress(StoreError):
                await do()

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        """Make one call, or what the plan says instead."""
        plan = self._plans.get(call)
        fault = plan.popleft() if plan else None
        if len(self.calls) == self._at:
            fault = self._fault
        self.calls.append(call)
        if fault == "crash before":
            raise Crash(call)
        if fault == "down":
            raise StoreUnavailableError(f"no answer to {call}; nothing was done")
        if fault == "late":
            self._late.append(do)
            raise StoreUnavailableError(f"no answer to {call}; it is on its way")
        if fault == "meddled" and meddle is not None:
            await meddle()
        answer = await do()
        if fault == "lost":
            raise StoreUnavailableError(f"no answer to {call}; it was done")
        if fault == "crash after":
            raise Crash(call)
        return answer


class FaultyStore:
    """A `Store`."""

    def __init__(self, inner: Store, faults: Faults) -> None:
        self._inner = inner
        self._through = faults.through

    async def create(self, container: str, document: Document) -> Any:
        return await self._through("create", partial(self._inner.create, container, document))

    async def read(self, container: str, pk: str, id: str) -> Stored:  # noqa: A002
        answer: Stored = await self._through("read", partial(self._inner.read, container, pk, id))
        return answer

    async def replace(self, container: str, document: Document, *, if_match: str) -> Any:
        do = partial(self._inner.replace, container, document, if_match=if_match)
        return await self._through("replace", do, partial(touch, self._inner, container, document))

    async def upsert(self, container: str, document: Document) -> Any:
        return await self._through("upsert", partial(self._inner.upsert, container, document))

    async def delete(self, container: str, pk: str, id: str, *, if_match: str | None = None) -> None:  # noqa: A002
        await self._through("delete", partial(self._inner.delete, container, pk, id, if_match=if_match))

    async def patch(
        self,
        container: str,
        pk: str,
        id: str,  # noqa: A002
        changes: Sequence[Patch],
        *,
        only_if: Sequence[Where] = (),
    ) -> Any:
        return await self._through("patch", partial(self._inner.patch, container, pk, id, changes, only_if=only_if))

    async def query(
        self,
        container: str,
        where: Sequence[Where] = (),
        *,
        order: Literal["oldest", "newest"] = "oldest",
        limit: int = 100,
        continuation: str = "",
    ) -> Page:
        do = partial(self._inner.query, container, where, order=order, limit=limit, continuation=continuation)
        answer: Page = await self._through("query", do)
        return answer


class FaultyQueue:
    """A `Queue`; `send`, `receive` and `complete` go wrong."""

    def __init__(self, inner: Queue, faults: Faults) -> None:
        self._inner = inner
        self._through = faults.through
        self.name = inner.name

    async def send(self, messages: Sequence[Message], *, at: float | None = None) -> Sequence[int]:
        answer: Sequence[int] = await self._through("send", partial(self._inner.send, messages, at=at))
        return answer

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        answer: Sequence[Delivery] = await self._through("receive", partial(self._inner.receive, limit, wait))
        return answer

    async def complete(self, token: str) -> None:
        await self._through("complete", partial(self._inner.complete, token))

    async def abandon(self, token: str) -> None:
        await self._inner.abandon(token)

    async def dead_letter(self, token: str, *, reason: str, description: str = "") -> None:
        await self._inner.dead_letter(token, reason=reason, description=description)

    async def renew(self, token: str) -> float:
        return await self._inner.renew(token)

    async def cancel_scheduled(self, sequence: int) -> None:
        await self._inner.cancel_scheduled(sequence)


class FaultyAtomic:
    """An `Atomic`."""

    def __init__(self, inner: Atomic, store: Store, faults: Faults) -> None:
        self._inner = inner
        self._store = store
        self._through = faults.through

    async def transact(self, operations: Sequence[Operation], *, durable: bool = True) -> Sequence[str]:
        first = operations[0]
        meddle = partial(touch, self._store, first.container, first.document) if isinstance(first, Replace) else None
        do = partial(self._inner.transact, operations, durable=durable)
        answer: Sequence[str] = await self._through("transact", do, meddle)
        return answer


async def touch(store: Store, container: str, document: Document) -> None:
    """Write a document as somebody else would who changes another part of it."""
    await store.patch(container, document["pk"], document["id"], [Patch("incr", "touched", 1)])
