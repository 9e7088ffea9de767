"""Small documents that many deliveries of this process change at once: what comes together is written together.

While one write of a document is on its way, further changes of it wait and go with the next one. So a thousand events
for one limit cost a few writes, and this process never gets in its own way. Other processes do; see `statefile`.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from vextir_os.ports.store import Store
from vextir_os.runs import statefile

D = TypeVar("D", bound=Mapping[str, Any])
A = TypeVar("A")

Apply = Callable[[Any], tuple[Any, Any]]
"""From a copy of the document to the changed copy and an answer; the very same copy when there is nothing to write."""


class Books:
    """The changes under way in this process. Used from one event loop.

    Args:
        store: Where the documents are.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, list[tuple[Apply, asyncio.Future[Any]]]] = {}
        self._at_work: dict[str, asyncio.Task[None]] = {}

    async def change(self, first: D, apply: Callable[[D], tuple[D, A]]) -> A:
        """Change a document and return the answer, once it is written.

        Args:
            first: What it is before anybody has written it; its id names it.
            apply: Must not raise; called again on a newer copy, and twice must do no harm.

        Raises:
            StoreUnavailableError: The store did not answer, or others were always first; it may have been written.
        """
        name = cast(str, first["id"])
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, []).append((apply, answer))
        if name not in self._at_work:
            self._at_work[name] = asyncio.create_task(self._write_all(first))
        return cast(A, await answer)

    async def _write_all(self, first: Mapping[str, Any]) -> None:
        name = first["id"]
        try:
            while batch := self._waiting.pop(name, None):
                await self._write(first, batch)
        finally:
            del self._at_work[name]
            for _, answer in self._waiting.pop(name, ()):
                answer.cancel()

    async def _write(self, first: Mapping[str, Any], batch: list[tuple[Apply, asyncio.Future[Any]]]) -> None:
        answers: list[Any] = []

        def all_of_them(document: dict[str, Any]) -> Mapping[str, Any] | None:
            answers.clear()
            copy: Any = document
            for apply, _ in batch:
                copy, answer = apply(copy)
                answers.append(answer)
            return None if copy is document else cast(Mapping[str, Any], copy)

        try:
            await statefile.change(self._store, first, all_of_them)
        except BaseException as error:
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
            if isinstance(error, asyncio.CancelledError):
                raise
        else:
            for (_, answer), found in zip(batch, answers, strict=True):
                if not answer.done():
                    answer.set_result(found)
