"""An OS on a real SQLite file, with drivers from the test, driven from the test's own event loop."""

import asyncio
import contextlib
import dataclasses
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.clock import FakeClock
from tests.support.faults import Crash, Faults, FaultyAtomic, FaultyQueue, FaultyStore
from vextir_os.bootstrap import ORDERED, open_kernel
from vextir_os.errors import LockLostError, NotFoundError, StoreUnavailableError
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.kernel import Kernel
from vextir_os.local.runner import Runner
from vextir_os.local.watch import Watch
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.ports.clock import Clock
from vextir_os.ports.queue import Delivery, Message, Scalar
from vextir_os.ports.store import Where
from vextir_os.processor.books import Books
from vextir_os.processor.control import Control
from vextir_os.processor.deadletters import DeadLetters
from vextir_os.processor.departed import Departed
from vextir_os.processor.health import Health
from vextir_os.processor.pausing import Pausing
from vextir_os.processor.pipeline import Processor
from vextir_os.processor.sweep import Sweep
from vextir_os.processor.switching import Switching
from vextir_os.processor.turn import Parts
from vextir_os.registry.registry import Registry
from vextir_os.runs import reading
from vextir_os.runs.keeper import Desk
from vextir_os.runs.record import DEAD_LETTERS, EVENTS
from vextir_os.settings import Settings
from vextir_os.telemetry.spans import Spans

ANN = Principal(kind="user", id="ann", tenant="local")
ALLOW_ALL = (
    Policy(
        id="allow-all",
        effect="allow",
        match=Match(action=("publish:**", "process:**", "emit:**", "admin:*")),
        priority=1,
    ),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Harness:
    """A running OS and what tests ask of it."""

    kernel: Kernel
    watch: Watch

    async def publish(self, *events: Event, who: Principal = ANN) -> list[Event]:
        """Publish and return at once what was accepted."""
        return await self.kernel.intake.publish(events, who, source="/cli")

    async def run(self, *events: Event) -> list[Mapping[str, Any]]:
        """Publish, wait until all that follows is finished, and return the records in the order of the events."""
        named = [event if event.id else event.but(id=f"e-{number}") for number, event in enumerate(events, 1)]
        self.watch.expect(*(event.id for event in named))
        await self.publish(*named)
        await self.watch.idle()
        return [await self.record(event.id) for event in named]

    async def send(self, body: bytes, message_id: str = "", content_type: str = "", **properties: Scalar) -> None:
        """Put a message on the queue as somebody who has access to it, and not our key, would."""
        message = Message(
            id=message_id,
            body=body,
            content_type=content_type,
            properties={name.replace("__", "-"): value for name, value in properties.items()},
        )
        await self.kernel.queue.send([message])

    async def work(self) -> int:
        """Process all that is on the queue now, one delivery after the other; return how many there were.

        For an OS that is not `working`: the test is the worker. A delivery that ends in an infrastructure error goes
        back to the queue; one during which the worker dies stays locked.
        """
        count = 0
        while delivery := await self._next():
            count += 1
            await self.handle(delivery)
        return count

    async def _next(self) -> Delivery | None:
        for queue in (self.kernel.queue, self.kernel.ordered, *self.kernel.lanes.values()):
            if deliveries := await queue.receive(1, 0):
                return deliveries[0]
        return None

    async def handle(self, delivery: Delivery) -> None:
        """Process and settle one delivery, as the runner does."""
        queue = self.kernel.ordered if delivery.entity == ORDERED else self.kernel.queue
        try:
            if await self.kernel.processor.process(delivery) == "complete":
                with contextlib.suppress(LockLostError):
                    await queue.complete(delivery.token)
        except StoreUnavailableError:
            with contextlib.suppress(LockLostError):
                await queue.abandon(delivery.token)
        except Crash:
            return

    async def sweep(self) -> None:
        """Sweep, as the runner does; the sweeper may die over it too."""
        with contextlib.suppress(StoreUnavailableError, Crash):
            await self.kernel.sweep.run()

    async def recover(self, clock: FakeClock, rounds: int = 8) -> None:
        """Let time pass, sweep and work, until no record has anything left to do."""
        for _ in range(rounds):
            await self.work()
            clock.advance(400.0)
            if not any("due" in record for record in await self.records()) and not await self.work():
                return
            await self.sweep()
        raise AssertionError(f"still unfinished after {rounds} rounds: {await self.records()}")

    async def event(self, type_: str, data: Any = None, event_id: str = "e-1") -> Mapping[str, Any]:
        """Publish one event, wait until all that follows is finished, and return its record."""
        (record,) = await self.run(Event(id=event_id, type=type_, data=data))
        return record

    async def record(self, event_id: str) -> Mapping[str, Any]:
        """Return the record of an event."""
        found = await reading.find(self.kernel.store, "local", event_id)
        if found is None:
            raise NotFoundError(f"no record of event {event_id}")
        return found

    async def records(self, type_: str | None = None) -> list[Mapping[str, Any]]:
        """Return all records, or those of one event type, the oldest first."""
        page = await self.kernel.store.query(EVENTS, limit=1_000)
        return [item.document for item in page.items if type_ in (None, item.document["event"]["type"])]

    async def left(self) -> list[str]:
        """Return the ids of the messages that are on the queue, whether or not somebody holds them."""
        path = self.kernel.settings.data_dir / "vextir.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return [row[0] for row in connection.execute("SELECT message_id FROM messages ORDER BY seq")]

    async def settled(self, within_s: float = 10.0) -> None:
        """Wait until the queue is empty: a record can be finished a moment before its message is."""

        async def is_empty() -> bool:
            return not await self.left()

        await until(is_empty, within_s)

    async def dead_letters(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the dead letters of a kind: `message` or `run`."""
        page = await self.kernel.store.query(DEAD_LETTERS, [Where("kind", "=", kind)], limit=1_000)
        return [item.document for item in page.items]


async def until(holds: Callable[[], Awaitable[bool]], within_s: float = 10.0) -> None:
    """Wait until something holds that nothing tells of."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@contextlib.asynccontextmanager
async def an_os(
    folder: Path,
    *drivers: Callable[..., Any],
    policies: Sequence[Policy] = ALLOW_ALL,
    atomic: bool = True,
    clock: Clock | None = None,
    working: bool = True,
    faults: Faults | None = None,
    draw: float | None = None,
    registry: Registry | None = None,
    spans: Spans | None = None,
    **settings: Any,
) -> AsyncIterator[Harness]:
    """Run an OS on `folder/data`.

    Args:
        folder: Where the data goes; the same folder again is the same OS after a restart.
        drivers: Functions under `@driver`.
        policies: The bundle.
        atomic: Whether the processor may use the transaction that store and queue share; without, it works as on
            Service Bus and Cosmos.
        clock: By default the machine's.
        working: Whether workers and sweep run.
        faults: What goes wrong with the store and the queue, as the processor sees them.
        registry: Stands in for `drivers`.
        spans: Makes the spans of traces.
        draw: What every random draw of a retry's delay gives, in [0, 1).
        settings: Further settings.
    """
    registry = registry or Registry.of(*drivers)
    given = Settings(root=folder, data_dir=folder / "data", **settings)
    engine = PolicyEngine(Bundle(policies=tuple(policies)))
    async with open_kernel(given, registry=registry, policy=engine, clock=clock, spans=spans) as kernel:
        parts = kernel.processor.parts
        if draw is not None:
            parts = dataclasses.replace(parts, draw=lambda: draw)
        desk = _desk(parts.desk, atomic, faults)
        parts = dataclasses.replace(parts, desk=desk, books=Books(desk.store))
        kernel = with_parts(kernel, parts)
        watch = Watch()
        kernel.observers.add(watch)
        async with contextlib.AsyncExitStack() as stack:
            if working:
                await stack.enter_async_context(Runner(kernel))
            yield Harness(kernel=kernel, watch=watch)


def with_parts(kernel: Kernel, parts: Parts) -> Kernel:
    """Return the kernel with all that works with its parts working with these."""
    return dataclasses.replace(
        kernel,
        processor=Processor(parts),
        sweep=Sweep(parts, kernel.sweep._dead, kernel.sweep._purge),
        control=Control(parts),
        dead_letters=DeadLetters(parts, kernel.intake),
        pausing=Pausing(parts),
        switching=Switching(parts),
        health=Health(parts),
        departed=Departed(parts, kernel.departed._give_up),
    )


def _desk(desk: Desk, atomic: bool, faults: Faults | None) -> Desk:
    if not atomic:
        desk = dataclasses.replace(desk, atomic=None)
    if faults is None:
        return desk
    return dataclasses.replace(
        desk,
        store=FaultyStore(desk.store, faults),
        queue=FaultyQueue(desk.queue, faults),
        ordered=FaultyQueue(desk.ordered, faults),
        lanes={lane: FaultyQueue(queue, faults) for lane, queue in desk.lanes.items()},
        atomic=FaultyAtomic(desk.atomic, desk.store, faults) if desk.atomic else None,
    )
