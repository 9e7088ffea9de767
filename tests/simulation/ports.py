"""The ports `Store` and `Queue` over the models. Every call goes through a `Line`, which may spoil it."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Any, Literal, Protocol

from tests.simulation.broker import Broker
from tests.simulation.documents import Documents, Key, check_query, encode
from vextir_os.adapters.sqlite import conditions, patching
from vextir_os.adapters.sqlite.documents import Prepared
from vextir_os.errors import LockLostError
from vextir_os.ports.queue import Delivery, Message
from vextir_os.ports.store import Document, Page, Patch, Stored, Where

Do = Callable[[], Any]


class Line(Protocol):
    """The way from one worker to the models."""

    async def call(self, name: str, place: str, do: Do, old: Callable[[Random], Any] | None = None) -> Any:
        """Have something done there, or an older answer given, and return or raise what came of it."""
        ...


class StraightLine:
    """Nothing goes wrong; a call takes one turn of the event loop, as everything that crosses a wire does."""

    async def call(self, name: str, place: str, do: Do, old: Callable[[Random], Any] | None = None) -> Any:
        """Do it."""
        await asyncio.sleep(0)
        return do()


class ModelStore:
    """Implements `Store`. One client: what it has written or read, it never reads older again."""

    def __init__(self, documents: Documents, line: Line) -> None:
        self._documents = documents
        self._call = line.call
        self._known: dict[Key, str] = {}

    async def create(self, container: str, document: Document) -> str:
        return await self._write("create", encode(container, document), self._documents.create)

    async def read(self, container: str, pk: str, id: str) -> Stored:  # noqa: A002
        key = (container, pk, id)
        do = partial(self._documents.read, key)

        def old(draw: Random) -> Stored:
            return self._documents.read_old(key, self._known.get(key, ""), draw)

        stored: Stored = await self._call("read", id, do, old)
        self._known[key] = stored.etag
        return stored

    async def replace(self, container: str, document: Document, *, if_match: str) -> str:
        return await self._write(
            "replace", encode(container, document), partial(self._documents.replace, if_match=if_match)
        )

    async def upsert(self, container: str, document: Document) -> str:
        return await self._write("upsert", encode(container, document), self._documents.upsert)

    async def delete(self, container: str, pk: str, id: str, *, if_match: str | None = None) -> None:  # noqa: A002
        await self._call("delete", id, partial(self._documents.delete, (container, pk, id), if_match))

    async def patch(
        self,
        container: str,
        pk: str,
        id: str,  # noqa: A002
        changes: Sequence[Patch],
        *,
        only_if: Sequence[Where] = (),
    ) -> str:
        patching.check(changes)
        conditions.check(only_if)
        key = (container, pk, id)
        etag: str = await self._call("patch", id, partial(self._documents.patch, key, tuple(changes), tuple(only_if)))
        self._known[key] = etag
        return etag

    async def query(
        self,
        container: str,
        where: Sequence[Where] = (),
        *,
        order: Literal["oldest", "newest"] = "oldest",
        limit: int = 100,
        continuation: str = "",
    ) -> Page:
        check_query(where, limit, order, continuation)
        do = partial(
            self._documents.query, container, tuple(where), order=order, limit=limit, continuation=continuation
        )
        page: Page = await self._call("query", container, do, lambda draw: do(old=draw))
        return page

    async def purge(self, limit: int = 1_000) -> int:
        """Remove nothing: no run of a simulation is as long as a retention."""
        return 0

    async def _write(self, name: str, new: Prepared, do: Callable[[Prepared], str]) -> str:
        etag: str = await self._call(name, new.id, partial(do, new))
        self._known[new.container, new.pk, new.id] = etag
        return etag

    def wrote(self, key: Key, etag: str) -> None:
        """Note a version that this client wrote by another way."""
        self._known[key] = etag


class ModelQueue:
    """Implements `Queue`."""

    def __init__(self, broker: Broker, name: str, line: Line, who: str = "") -> None:
        self.name = name
        self._who = who
        self._broker = broker
        self._call = line.call

    async def send(self, messages: Sequence[Message], *, at: float | None = None) -> Sequence[int]:
        kept = tuple(messages)
        numbers: Sequence[int] = await self._call(
            "send", " ".join(message.id for message in kept), partial(self._broker.send, self.name, kept, at)
        )
        return numbers

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        answer: asyncio.Future[Sequence[Delivery]] = asyncio.get_running_loop().create_future()

        def give(deliveries: Sequence[Delivery]) -> None:
            if answer.cancelled():
                self._broker.give_back(deliveries)
            else:
                answer.set_result(deliveries)

        try:
            await self._call(
                "receive", self.name, partial(self._broker.receive, self.name, limit, wait, give, self._who)
            )
            return await answer
        except asyncio.CancelledError:
            # A caller that is cancelled takes no message with it, not even one that is on its way to him.
            if answer.done() and not answer.cancelled():
                with contextlib.suppress(LockLostError):
                    self._broker.give_back(answer.result())
            answer.cancel()
            raise

    async def complete(self, token: str) -> None:
        await self._call("complete", token, partial(self._broker.complete, token))

    async def abandon(self, token: str) -> None:
        await self._call("abandon", token, partial(self._broker.abandon, token))

    async def dead_letter(self, token: str, *, reason: str, description: str = "") -> None:
        await self._call("dead_letter", token, partial(self._broker.dead_letter, token, reason, description))

    async def renew(self, token: str) -> float:
        until: float = await self._call("renew", token, partial(self._broker.renew, token))
        return until

    async def cancel_scheduled(self, sequence: int) -> None:
        await self._call("cancel_scheduled", str(sequence), partial(self._broker.cancel_scheduled, self.name, sequence))
