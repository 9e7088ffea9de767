"""Ports that go wrong when a test says so; all else goes to the real store and queue behind them.

`down`: nothing was done, and no answer came. `lost`: it was done, and the answer was lost. `late`: no answer, and it
lands when the test says so. `meddled`: somebody else writes the document first. `crash before`, `crash after`: the
worker dies there.
"""

from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any, Literal

from vextir_os.errors import StoreError, StoreUnavailableError
from vextir_os.ports.atomic import Atomic
from vextir_os.ports.queue import Queue
from vextir_os.ports.store import Document, Patch, Store
from vextir_os.testing.wires import Call, Do, Through, WiredAtomic, WiredQueue, WiredStore

Fault = Literal["down", "lost", "late", "meddled", "crash before", "crash after"]

_NEVER = frozenset({"abandon", "dead_letter", "renew", "cancel_scheduled"})
"""Calls that never go wrong here, and are not counted."""


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


class FaultyStore(WiredStore):
    """A `Store`."""

    def __init__(self, inner: Store, faults: Faults) -> None:
        super().__init__(inner, _by_way_of(faults, inner))


class FaultyQueue(WiredQueue):
    """A `Queue`; `send`, `receive` and `complete` go wrong."""

    def __init__(self, inner: Queue, faults: Faults) -> None:
        super().__init__(inner, _by_way_of(faults))


class FaultyAtomic(WiredAtomic):
    """An `Atomic`."""

    def __init__(self, inner: Atomic, store: Store, faults: Faults) -> None:
        super().__init__(inner, _by_way_of(faults, store))


def _by_way_of(faults: Faults, store: Store | None = None) -> Through:
    """Return a way for the calls of a port; and for what somebody else does first."""

    async def through(call: Call, do: Do) -> Any:
        name = call.name.partition(".")[2]
        if name in _NEVER:
            return await do()
        meddle = partial(touch, store, *call.replaces) if store is not None and call.replaces is not None else None
        return await faults.through(name, do, meddle)

    return through


async def touch(store: Store, container: str, document: Document) -> None:
    """Write a document as somebody else would who changes another part of it."""
    await store.patch(container, document["pk"], document["id"], [Patch("incr", "touched", 1)])
