"""A worker's connection to the models: calls take time, and what the weather says goes wrong with them."""

import asyncio
import contextvars
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, NamedTuple, Protocol

from tests.simulation.documents import Documents
from tests.simulation.loop import Life, VirtualLoop
from tests.simulation.ports import Do
from tests.simulation.weather import WRITES, Fault
from vextir_os.errors import StoreUnavailableError, VextirError

NOBODY = contextvars.Context()
"""What happens on the wire belongs to no worker: it goes on when the worker dies."""


class Line(NamedTuple):
    """One line of a trace."""

    at: float
    who: str
    what: str
    place: str
    how: str

    def __str__(self) -> str:
        return f"{self.at:9.3f} {self.who:8} {self.what:12} {self.place} {self.how}".rstrip()


class Surroundings(Protocol):
    """What a wire needs of its world."""

    loop: VirtualLoop
    draw: Random
    documents: Documents
    trace: list[Line]
    closed: bool
    on_the_way: int

    def fault(self, name: str) -> Fault:
        """Draw what goes wrong with this call."""
        ...

    def dies(self, life: Life) -> bool:
        """End a life, unless it is a client's, which does not end; say whether it did."""
        ...

    def is_slow(self) -> bool:
        """Draw whether this call takes seconds."""
        ...


class Wire:
    """Implements `ports.Line`.

    Args:
        world: Where the call goes.
        life: Whose calls these are.
    """

    def __init__(self, world: Surroundings, life: Life) -> None:
        self._world = world
        self._life = life

    async def call(self, name: str, place: str, do: Do, old: Callable[[Random], Any] | None = None) -> Any:
        """Send the call, wait for its answer, return it or raise it.

        Raises:
            StoreUnavailableError: No answer; whether it was done is unknown.
        """
        world = self._world
        if world.closed:
            raise asyncio.CancelledError
        fault = _fitting(world.fault(name), name)
        if fault == "old":
            do = partial(old, world.draw) if old is not None else do
        answer: asyncio.Future[tuple[bool, Any]] = world.loop.create_future()
        if fault == "dies before" and world.dies(self._life):
            world.trace.append(Line(world.loop.time(), self._life.name, name, place, fault))
            await answer
        arrives = world.loop.time() + self._takes()
        if fault == "late":
            world.on_the_way += 1
            world.loop.call_at(arrives, self._answer, answer, False, _no_answer(name), context=NOBODY)
            arrives += world.draw.uniform(0.1, 90.0)
        world.loop.call_at(arrives, self._land, name, place, fault, do, answer, context=NOBODY)
        good, value = await answer
        if good:
            return value
        raise value

    def _takes(self) -> float:
        world = self._world
        return world.draw.uniform(1.0, 20.0) if world.is_slow() else world.draw.uniform(0.001, 0.02)

    def _land(self, name: str, place: str, fault: Fault, do: Do, answer: "asyncio.Future[tuple[bool, Any]]") -> None:
        world = self._world
        good, value = (False, _no_answer(name)) if fault == "down" else self._do(do)
        if fault == "twice":
            good, value = self._do(do)
        how = "" if good else f"! {type(value).__name__}"
        world.trace.append(Line(world.loop.time(), self._life.name, name, place, f"{fault} {how}".strip()))
        if fault == "late":
            world.on_the_way -= 1
            return
        if fault == "dies after" and world.dies(self._life):
            return
        if fault == "lost":
            good, value = False, _no_answer(name)
        world.loop.call_later(self._takes(), self._answer, answer, good, value, context=NOBODY)

    def _do(self, do: Do) -> tuple[bool, Any]:
        self._world.documents.by = self._life.name
        try:
            return True, do()
        except VextirError as error:
            return False, error

    @staticmethod
    def _answer(answer: "asyncio.Future[tuple[bool, Any]]", good: bool, value: Any) -> None:
        if not answer.done():
            answer.set_result((good, value))


def _fitting(fault: Fault, name: str) -> Fault:
    """Return what this fault is for a call of this name."""
    if fault in ("dies before", "dies after"):
        return fault
    if name in WRITES:
        return "" if fault == "old" else fault
    if name == "receive":
        return "lost" if fault in ("late", "twice") else fault
    return fault if fault in ("old", "down") else ""


def _no_answer(name: str) -> StoreUnavailableError:
    return StoreUnavailableError(f"no answer to {name}")
