"""What a test wants to go wrong: drivers that fail or are slow, workers that die at a point, outages. And what did.

A point is a place on the way of an event: `before commit`, `after driver`, `before store.create`. A worker dies there
as a killed process does: nothing of it runs any more, and what it had written is there.
"""

import asyncio
import contextvars
import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeVar

from vextir_os.driverkit.durations import parse_duration
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.outcome import normalise
from vextir_os.errors import StoreUnavailableError, UsageError, did_you_mean
from vextir_os.events.event import Event
from vextir_os.ports.queue import Message
from vextir_os.testing.loop import LIFE, Life, VirtualLoop
from vextir_os.testing.wires import Call, Do

STAGES = ("receive", "admit", "driver", "commit", "publish", "settle")
"""Places on the way of one event that have a name of their own."""

CALLS = (
    "store.create", "store.replace", "store.patch", "store.upsert", "store.delete", "atomic.transact", "queue.send",
    "queue.receive", "queue.complete", "queue.abandon", "queue.renew", "blobs.put",
)  # fmt: skip
"""Calls of the ports that change something."""

POINTS = tuple(f"{side} {place}" for place in (*STAGES, *CALLS) for side in ("before", "after"))
"""Where a worker may die."""

S = TypeVar("S", bound="Script")

Port = Literal["store", "queue", "blobs"]


class Way:
    """How far one delivery has come.

    Attributes:
        entered: A driver was called for it.
    """

    __slots__ = ("_loop", "entered")

    def __init__(self) -> None:
        self.entered = False
        self._loop: VirtualLoop | None = None

    def leave(self) -> None:
        """Say that it waits for a thread or a process: time passes as it really does until it is over."""
        loop = asyncio.get_running_loop()
        if self._loop is None and isinstance(loop, VirtualLoop):
            self._loop = loop
            loop.outside += 1
            life = LIFE.get()
            if life is not None:
                life.at_end.append(self.come_home)

    def come_home(self) -> None:
        """Say that it is over; twice is harmless."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.outside -= 1


WAY: contextvars.ContextVar[Way | None] = contextvars.ContextVar("vextir_way", default=None)


@dataclass(slots=True, kw_only=True, eq=False)
class Script:
    """Something that is to go wrong.

    Attributes:
        what: It, in words.
        left: How often it will still happen; None for always.
        happened: How often it has happened.
    """

    what: str
    left: int | None
    happened: int = 0

    def happens(self) -> bool:
        """Whether it happens now; counts."""
        if self.left == 0:
            return False
        if self.left is not None:
            self.left -= 1
        self.happened += 1
        return True

    def __repr__(self) -> str:
        left = "" if self.left is None else f", {self.left} times to come"
        return f"<{self.what}: happened {self.happened} times{left}>"


@dataclass(slots=True, kw_only=True, eq=False)
class _OfDriver(Script):
    driver: str
    error: BaseException | type[BaseException] | None = None
    delay_s: float = 0.0


Fate = Literal["dies", "is killed", "freezes", "fails"]
"""What becomes of a worker at a point: its life ends, its whole process does, it stands still, its driver raises."""


@dataclass(slots=True, kw_only=True, eq=False)
class _AtPoint(Script):
    point: str
    skip: int = 0
    fate: Fate = "dies"


@dataclass(slots=True, kw_only=True, eq=False)
class _OfPort(Script):
    port: str
    done: bool
    skip: int = 0


class Journal(NamedTuple):
    """What happened, kept by who asks for it.

    Attributes:
        passed: The points that were passed, in order; one name of each.
        returned: What calls of drivers returned, as JSON: driver, event id, output, data of the events.
    """

    passed: list[str]
    returned: list[tuple[str, str, Any, list[Any]]]


@dataclass(slots=True, eq=False)
class Trouble:
    """All that is to go wrong with the workers of one OS, and the journal of its drivers' calls.

    Attributes:
        calls: How often the code of each driver was entered.
        deaths: The points at which workers died.
        journal: What happened; None when nobody asks.
        received: Every message that came from a queue, with its name.
    """

    calls: Counter[str] = field(default_factory=Counter)
    deaths: list[str] = field(default_factory=list)
    journal: Journal | None = None
    received: list[tuple[str, Message]] = field(default_factory=list)
    _drivers: list[_OfDriver] = field(default_factory=list)
    _points: list[_AtPoint] = field(default_factory=list)
    _ports: list[_OfPort] = field(default_factory=list)

    def fail(self, driver: str, error: BaseException | type[BaseException], times: int | None) -> Script:
        """Let calls of a driver raise, before its code is entered."""
        return _added(self._drivers, _OfDriver(what=f"{driver} fails", left=times, driver=driver, error=error))

    def delay(self, driver: str, by: object, times: int | None) -> Script:
        """Let calls of a driver wait, before its code is entered."""
        seconds = parse_duration(by)
        return _added(self._drivers, _OfDriver(what=f"{driver} is slow", left=times, driver=driver, delay_s=seconds))

    def crash_at(self, point: str, *, passage: int, times: int, fate: Fate = "dies") -> Script:
        """Let something become of the worker at a point. Raises `UsageError` for one that there is not."""
        if point not in POINTS:
            hint = did_you_mean(point, POINTS) or f"There are: {', '.join(POINTS)}"
            raise UsageError(f"there is no point `{point}` at which a worker could die", hint=hint)
        what = f"the {'driver' if fate == 'fails' else 'worker'} {fate} {point}"
        script = _AtPoint(what=what, left=times, point=point, skip=passage - 1, fate=fate)
        return _added(self._points, script)

    def outage(self, port: str, *, calls: int, done: bool, passage: int = 1) -> Script:
        """Let calls of a port, or those of one name, have no answer."""
        script = _OfPort(what=f"the {port} does not answer", left=calls, port=port, done=done, skip=passage - 1)
        return _added(self._ports, script)

    async def pass_(self, point: str) -> None:
        """Go past a point, or no further."""
        life = LIFE.get()
        if life is None:
            return
        for script in self._points:
            if script.point != point:
                continue
            if script.skip:
                script.skip -= 1
            elif script.happens():
                self.deaths.append(point)
                await _meet(script.fate, life, point)

    async def through(self, call: Call, do: Do) -> Any:
        """Make one call of a worker; those of the test itself go well."""
        if LIFE.get() is None or not (self._points or self._ports or self.journal):
            return await do()
        names = tuple(_names(call))
        self._note(f"before {names[0]}")
        for name in names:
            await self.pass_(f"before {name}")
        outage = self._outage(names)
        if outage is not None and not outage.done:
            raise StoreUnavailableError(f"no answer to {call.name}; nothing was done")
        answer = await do()
        if outage is not None:
            raise StoreUnavailableError(f"no answer to {call.name}; it was done")
        if call.name == "queue.receive" and not answer:
            return answer
        self._note(f"after {names[0]}")
        for name in reversed(names):
            await self.pass_(f"after {name}")
        return answer

    def _note(self, point: str) -> None:
        if self.journal is not None:
            self.journal.passed.append(point)

    def _outage(self, names: Sequence[str]) -> _OfPort | None:
        port = names[-1].partition(".")[0]
        # One transaction is over store and queue: the outage of one is that of both.
        ports = {*names, *(("store", "queue") if port == "atomic" else (port,))}
        for script in self._ports:
            if script.port in ports and script.skip:
                script.skip -= 1
            elif script.port in ports and script.happens():
                return script
        return None

    async def enter(self, driver: str, waits: list[float]) -> None:
        """Go into the code of a driver: after its delays, past the point before it."""
        for seconds in waits:
            await asyncio.sleep(seconds)
        self._note("before driver")
        await self.pass_("before driver")
        self.calls[driver] += 1

    async def leave(self, driver: str, event: Event, returned: Any) -> None:
        """Come out of the code of a driver: past the point after it."""
        if self.journal is not None:
            result = normalise(returned, driver)
            self.journal.returned.append((driver, event.id, result.output, [one.data for one in result.events]))
        self._note("after driver")
        await self.pass_("after driver")

    def due(self, driver: str) -> list[float]:
        """Return the seconds that a call of a driver has to wait. Raises what the test wants it to raise."""
        way = WAY.get()
        if way is not None:
            way.entered = True
        mine = [script for script in self._drivers if script.driver == driver]
        for script in mine:
            if script.error is not None and script.happens():
                raise script.error
        return [script.delay_s for script in mine if script.delay_s and script.happens()]


def _names(call: Call) -> Iterator[str]:
    way = WAY.get()
    if call.name == "queue.receive":
        yield "receive"
    elif call.writes_record and way is not None:
        yield "commit" if way.entered else "admit"
    elif call.name == "queue.send" and way is not None and way.entered:
        yield "publish"
    elif call.name == "queue.complete":
        yield "settle"
    yield call.name


async def _meet(fate: Fate, life: Life, point: str) -> None:
    if fate == "fails":
        raise TransientError(f"scripted, {point}")
    if fate == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    life.end(frozen=fate == "freezes")
    # A step further, which waits aside with all others of this life.
    await asyncio.sleep(0)


def _added(scripts: list[S], script: S) -> S:
    scripts.append(script)
    return script
