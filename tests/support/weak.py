"""Weak workers and weak stores for tests: one that freezes while others go on, one that reads what is old."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from tests.support.faults import Fault, Faults
from vextir_os.errors import NotFoundError
from vextir_os.ports.store import Stored
from vextir_os.testing.wires import Do


class Frozen(Faults):
    """Freezes whoever is at work before one call, lets others go on meanwhile, and then makes the call.

    Args:
        at: Number of the call.
        meanwhile: What others do.
    """

    def __init__(self, at: int, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self.freeze_at = at
        self._meanwhile = meanwhile

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        """Make one call, late."""
        if len(self.calls) == self.freeze_at:
            self.freeze_at = -1
            await self._meanwhile()
        return await super().through(call, do, meddle)


class Stale(Faults):
    """Answers one read of an ordered key's document with an old copy of it, once it is armed.

    Args:
        at: Which of those reads, from 0.
        age: `last`: the copy of the read before; `first`: that of the first read; `absent`: from before there was one.
    """

    def __init__(self, at: int, age: Literal["last", "first", "absent"]) -> None:
        super().__init__()
        self.armed = False
        self.reads = 0
        self._at, self._age = at, age
        self._first: Stored | None = None
        self._last: Stored | None = None

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        """Make one call, or answer with what is old."""
        answer = await super().through(call, do, meddle)
        if not self.armed or call != "read" or answer.document.get("kind") != "key":
            return answer
        old = {"last": self._last, "first": self._first, "absent": None}[self._age]
        self._first, self._last = self._first or answer, answer
        self.reads += 1
        if self.reads - 1 != self._at:
            return answer
        if old is None:
            raise NotFoundError("no such document, as far as this replica knows")
        return old


class Unseen(Faults):
    """Finds no record at the next read of one, once it is armed: a copy from before it was created."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = False

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        """Make one call, or find nothing."""
        answer = await super().through(call, do, meddle)
        if self.armed and call == "read" and answer.document.get("kind") == "event":
            self.armed = False
            raise NotFoundError("no such document, as far as this replica knows")
        return answer


class Several(Faults):
    """Faults at several calls, by their numbers."""

    def __init__(self, at: dict[int, Fault]) -> None:
        super().__init__()
        self._all = at

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        """Make one call, or what goes wrong instead."""
        if fault := self._all.get(len(self.calls)):
            self.next(call, fault)
        return await super().through(call, do, meddle)
