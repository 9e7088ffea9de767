"""One world: workers that share a model store and a model queue, a client, and trouble until its weather clears.

Everything is drawn from one seed. `world` builds and runs; what must hold afterwards stands in `invariants`.
"""

import asyncio
import contextlib
import contextvars
import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

from tests.simulation.broker import Broker, Held
from tests.simulation.cast import POLICY, REGISTRY, Journal, Worker, in_order, workload
from tests.simulation.documents import Documents
from tests.simulation.loop import LIFE, Life, VirtualLoop
from tests.simulation.storage import ModelStorage
from tests.simulation.weather import FAULTS, Fault, Outage, Weather, weather
from tests.simulation.wire import NOBODY, Line, Wire
from tests.support.harness import ANN, with_parts
from vextir_os import bootstrap
from vextir_os.adapters.sqlite.entities import EntityProperties
from vextir_os.adapters.sqlite.storage import SqliteStorage
from vextir_os.errors import ConflictError, NotFoundError, RunStateError, StoreError, StoreUnavailableError
from vextir_os.events.event import Event
from vextir_os.events.identity import Signer
from vextir_os.kernel import Kernel
from vextir_os.local.runner import Runner
from vextir_os.ports.queue import Message
from vextir_os.ports.store import Patch
from vextir_os.runs.record import EVENTS, RecordDoc, is_finished
from vextir_os.settings import Settings

EPOCH = 1_800_000_000.0
GIVEN_UP_S = 6_000.0
"""A world that is not quiet by then, long after its weather has cleared, never will be."""

GARBAGE = b"{no event"
"""The one message of a world that nobody can read."""


class SkewedClock:
    """Implements `Clock`: a worker's, a little ahead of the store's or behind."""

    def __init__(self, loop: VirtualLoop, skew_s: float) -> None:
        self._loop = loop
        self._skew_s = skew_s

    def time(self) -> float:
        return EPOCH + self._loop.time() + self._skew_s

    def monotonic(self) -> float:
        return self._loop.time()


class World:
    """Everything that there is for one seed.

    Args:
        seed: Of all draws.
        atomic: Whether store and queue share transactions.
        sky: Its weather, where it is not to be drawn.
    """

    def __init__(self, seed: int, *, atomic: bool, sky: Weather | None = None) -> None:
        self.draw = Random(f"{seed} {atomic}")  # noqa: S311 - chance, not secrets
        self.weather = sky or weather(self.draw, atomic=atomic)
        self.loop = VirtualLoop()
        self.documents = Documents(self.time)
        self.broker = Broker(self.time, self._alarm, self.draw if self.weather.random_order else None)
        self.blobs: dict[str, bytes] = {}
        self.journal = Journal(weather=self.weather, draw=self.draw)
        self.trace: list[Line] = []
        self.acknowledged: list[Event] = []
        self.cancelled: dict[str, float] = {}
        self.failures: list[str] = []
        self.garbage = ""
        self.on_the_way = 0
        self.closed = False
        self._workers: dict[int, Worker] = {}
        self._kernels: dict[str, Kernel] = {}
        self._lives = 0
        self._clients = 0
        self._published: list[Event] = []
        self.outages: list[Outage] = []
        self._settings = Settings(
            root=Path("nowhere"), data_dir=Path("nowhere"), concurrency=self.weather.concurrency,
            sweep_s=self.weather.sweep_s, lock_s=self.weather.lock_s,
        )  # fmt: skip

    def time(self) -> float:
        """Return the store's time in epoch seconds."""
        return EPOCH + self.loop.time()

    def fault(self, name: str) -> Fault:
        """Draw what goes wrong with a call."""
        if self.journal.calm:
            return ""
        if any(outage.holds(name, self.loop.time()) for outage in self.outages):
            return "lost" if self.draw.random() < 0.1 else "down"
        for kind in FAULTS:
            if self.draw.random() < getattr(self.weather, kind.partition(" ")[0]):
                return kind
        return ""

    def dies(self, life: Life) -> bool:
        """End a worker's life; a client lives for ever."""
        if isinstance(life, Worker):
            life.die(life)
        return isinstance(life, Worker)

    def is_slow(self) -> bool:
        """Draw whether a call takes seconds."""
        return not self.journal.calm and self.draw.random() < self.weather.slow

    def note(self, what: str, place: str = "", how: str = "") -> None:
        """Write down what the world does."""
        self.trace.append(Line(self.loop.time(), "world", what, place, how))

    async def run(self) -> None:
        """Run until nothing is left to do, send every message once more, and run until nothing is left again."""
        try:
            for number in range(self.weather.workers):
                self._start(number)
            fair = self.weather.fair
            clients = [self._client([event]) for event in workload(self.draw, fair=fair)]
            clients.append(self._client([] if fair else in_order(self.draw)))
            clients.append(self._task(self._send_foreign()))
            self._plan()
            await asyncio.sleep(self.weather.end_s)
            self.journal.calm = True
            self.note("calm")
            await asyncio.gather(*clients)
            await self._quiet()
            before = {record["id"]: record for record in self.documents.all_in(EVENTS)}
            for record in before.values():
                if not is_finished(cast(RecordDoc, record)):
                    self.failures.append(f"record {record['id']} came to rest unfinished")
            self._send_all_again()
            await self._quiet()
            for record in self.documents.all_in(EVENTS):
                if before.get(record["id"]) != record:
                    self.failures.append(f"an old message changed record {record['id']}")
        finally:
            self.closed = True
            await self.loop.bury()

    async def _quiet(self) -> None:
        while not self._is_quiet():
            if self.loop.time() > GIVEN_UP_S:
                self.failures.append("it never came to rest")
                return
            await asyncio.sleep(10)

    def _is_quiet(self) -> bool:
        if self.on_the_way or self.broker.all_messages():
            return False
        alive = {worker.name for worker in self._workers.values() if not worker.over}
        if any(call.by in alive and not call.ended for call in self.journal.calls):
            return False
        return not any("due" in record for record in self.documents.all_in(EVENTS))

    # Workers

    def _start(self, number: int) -> None:
        self._lives += 1
        worker = Worker(f"w{number}.{self._lives}", self.journal, partial(self._die, number))
        self._workers[number] = worker
        self.note("start", worker.name)
        self._task(self._work(worker), worker)

    def _die(self, number: int, worker: Worker) -> None:
        if worker.over or self._workers[number] is not worker:
            return
        worker.over = True
        self.note("crash", worker.name)
        self.loop.call_later(self.draw.uniform(0.1, 30.0), self._start, number, context=NOBODY)

    async def _work(self, worker: Worker) -> None:
        try:
            kernel = await self._kernel(worker)
            self._kernels[worker.name] = kernel
            # Its loops alone: by which locks of the machine a process is known to be dead is no matter of a model.
            runner = Runner(kernel)
            await asyncio.gather(*(pool.receive() for pool in runner._pools.values()), runner._sweep())
        except Exception as error:  # noqa: BLE001 - the runner is to outlast all that the weather does
            self.failures.append(f"{worker.name} ended: {error!r}")

    async def _kernel(self, life: Life) -> Kernel:
        most = EntityProperties(
            max_delivery_count=self.weather.max_deliveries, duplicate_window_s=self.weather.duplicate_window_s
        )
        storage = ModelStorage(self.documents, self.broker, self.blobs, Wire(self, life), most, life.name)
        clock = SkewedClock(self.loop, self.draw.uniform(-1, 1) * self.weather.skew_s)
        kernel = await bootstrap._assemble(
            self._settings, life.name, cast(SqliteStorage, storage), REGISTRY, POLICY, Signer(b"k" * 32), clock
        )
        parts = dataclasses.replace(kernel.processor.parts, draw=self.draw.random)
        if not self.weather.atomic:
            parts = dataclasses.replace(parts, desk=dataclasses.replace(parts.desk, atomic=None))
        return with_parts(kernel, parts)

    def _task(self, work: Any, life: Life | None = None) -> "asyncio.Task[None]":
        context = contextvars.Context()
        context.run(LIFE.set, life)
        task: asyncio.Task[None] = self.loop.create_task(work, context=context)
        return task

    # Clients

    def _client(self, events: Sequence[Event]) -> "asyncio.Task[None]":
        self._clients += 1
        self._published += events
        return self._task(self._publish_all(events, Life(f"c{self._clients}")))

    async def _publish_all(self, events: Sequence[Event], life: Life) -> None:
        kernel = await self._kernel(life)
        await asyncio.sleep(self.draw.uniform(0, self.weather.end_s / 2))
        for event in events:
            await self._publish(event, kernel)

    async def _publish(self, event: Event, kernel: Kernel) -> None:
        for _ in range(self.draw.randint(1, 2)):
            while True:
                try:
                    await kernel.intake.publish([event], ANN, source="/cli")
                    break
                except StoreUnavailableError:
                    await asyncio.sleep(self.draw.uniform(1, 20))
            if event not in self.acknowledged:
                self.acknowledged.append(event)

    async def _send_foreign(self) -> None:
        kernel = await self._kernel(Life("foreign"))
        bodies = [b'{"type":"job.sent","data":{}}', b'[{"type":"note.sent","data":{}},{"type":"job.sent","data":{}}]']
        for body in [GARBAGE, *bodies][: self.draw.randint(0, 3)]:
            await asyncio.sleep(self.draw.uniform(0, self.weather.end_s / 4))
            self.garbage = self.garbage or "sent"
            with contextlib.suppress(StoreUnavailableError):
                await kernel.queue.send([Message(id="", body=body, content_type="")])
                self.garbage = "acknowledged" if body == GARBAGE else self.garbage

    # Trouble

    def _plan(self) -> None:
        sky = self.weather
        kinds = (
            (sky.crashes, self._crash),
            (sky.pauses, self._pause),
            (sky.outages, self._outage),
            (sky.lost_locks, self._lose_lock),
            (sky.lost_knocks, self._lose_knock),
            (sky.duplicates, self._duplicate),
            (sky.delays, self._delay),
            (sky.sweeps, self._sweep),
            (sky.touches, self._touch),
            (sky.cancels, self._cancel),
            (sky.mistaken, self._take_for_dead),
        )
        for count, act in kinds:
            for _ in range(count):
                self.loop.call_at(self.draw.uniform(0, sky.end_s), act, context=NOBODY)

    def _any_worker(self) -> Worker:
        return self._workers[self.draw.randrange(len(self._workers))]

    def _crash(self) -> None:
        worker = self._any_worker()
        worker.die(worker)

    def _pause(self) -> None:
        worker = self._any_worker()
        worker.asleep_until = self.loop.time() + self.draw.uniform(1, 120)
        self.note("pause", worker.name, f"until {worker.asleep_until:.3f}")

    def _outage(self) -> None:
        now, length = self.loop.time(), self.draw.uniform(1, 100)
        self.outages.append(Outage(start_s=now, end_s=now + length, queue_too=self.draw.random() < 0.5))
        self.note("outage", "", f"{self.outages[-1]}")

    def _any_message(self, *, locked: bool) -> Held | None:
        found = [held for held in self.broker.all_messages() if bool(held.token) is locked]
        return self.draw.choice(found) if found else None

    def _lose_lock(self) -> None:
        held = self._any_message(locked=True)
        if held is not None:
            held.locked_until = self.time()
            self.note("lose lock", held.message.id)
            self.broker.tick()

    def _lose_knock(self) -> None:
        held = self._any_message(locked=False)
        if held is not None and held.message.properties.get("vextir-kind") == "knock":
            self.note("lose knock", held.message.id)
            self.broker.drop(held)

    def _duplicate(self) -> None:
        signed = [sent for sent in self.broker.sent if sent.message.properties]
        if signed:
            sent = self.draw.choice(signed)
            self.note("duplicate", sent.message.id)
            self.broker.put(self.broker.entity(sent.entity), sent.message)
            self.broker.tick()

    def _delay(self) -> None:
        held = self._any_message(locked=False)
        # The order of a session is kept by any queue.
        if held is not None and not held.message.session:
            held.free_at = max(held.free_at, self.time() + self.draw.uniform(1, 100))
            self.note("delay", held.message.id)
            self.broker.tick()

    def _sweep(self) -> None:
        worker = self._any_worker()
        kernel = self._kernels.get(worker.name)
        if kernel is not None:
            self._task(self._sweep_once(kernel), worker)

    async def _sweep_once(self, kernel: Kernel) -> None:
        try:
            await kernel.sweep.run()
        except StoreError as error:
            self.note("sweep", "", repr(error))

    def _take_for_dead(self) -> None:
        kernel, worker = self._kernels.get(self._any_worker().name), self._any_worker()
        if kernel is not None:
            self.note("for dead", worker.name)
            self._task(self._give_up(kernel, worker.name))

    async def _give_up(self, kernel: Kernel, worker: str) -> None:
        try:
            await kernel.departed.release(worker)
        except StoreError as error:
            self.note("not given up", worker, repr(error))

    def _cancel(self) -> None:
        at_work = [
            record["event_id"]
            for record in self.documents.all_in(EVENTS)
            if "due" in record and record["event"]["source"] == "/cli"
        ]
        event_id = self.draw.choice(at_work or [event.id for event in self._published])
        if self._kernels:
            self.note("cancel", event_id)
            self._task(self._cancel_it(self.draw.choice(list(self._kernels.values())), event_id))

    async def _cancel_it(self, kernel: Kernel, event_id: str) -> None:
        try:
            await kernel.control.cancel(event_id, ANN, source="/cli")
        except (StoreError, RunStateError) as error:
            self.note("not cancelled", event_id, repr(error))
        else:
            self.cancelled.setdefault(event_id, self.time())

    def _touch(self) -> None:
        records = self.documents.all_in(EVENTS)
        if records:
            record = self.draw.choice(records)
            self.documents.by = "world"
            try:
                self.documents.patch((EVENTS, record["pk"], record["id"]), [Patch("incr", "touched", 1)], ())
                self.note("touch", record["id"])
            except (ConflictError, NotFoundError) as error:
                self.note("touch", record["id"], repr(error))

    def _send_all_again(self) -> None:
        self.note("all again")
        once = {sent.message.id: sent for sent in self.broker.sent if sent.message.properties}
        for sent in once.values():
            self.broker.put(self.broker.entity(sent.entity), sent.message)
        self.broker.tick()

    def _alarm(self, when: float) -> None:
        # Epoch seconds are coarser than loop time: a moment later it is surely past.
        self.loop.call_at(when - EPOCH + 1e-5, self.broker.ring, when, context=NOBODY)
