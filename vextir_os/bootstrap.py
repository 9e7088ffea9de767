"""From settings to a kernel: the one place where adapters are chosen and parts are put together."""

import contextlib
import random
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from pathlib import Path
from typing import Literal

from vextir_os.adapters.sqlite.entities import DEAD, EntityProperties
from vextir_os.adapters.sqlite.looking import Look, look_into
from vextir_os.adapters.sqlite.opening import OLDEST
from vextir_os.adapters.sqlite.storage import FILE, SqliteStorage, open_storage
from vextir_os.bus.eventbus import EventBus
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal, Signer
from vextir_os.events.patterns import PatternTrie
from vextir_os.isolation.hosts import Hosts
from vextir_os.kernel import Kernel, operator
from vextir_os.keys import signing_key
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.loader import load_policies
from vextir_os.ports.clock import Clock, SystemClock
from vextir_os.ports.queue import Queue
from vextir_os.processor.books import Books
from vextir_os.processor.control import Control
from vextir_os.processor.deadletters import DeadLetters
from vextir_os.processor.departed import Departed
from vextir_os.processor.health import Health
from vextir_os.processor.intake import Intake
from vextir_os.processor.observe import Observer, Observers
from vextir_os.processor.paused import Paused
from vextir_os.processor.pausing import Pausing
from vextir_os.processor.pipeline import Processor
from vextir_os.processor.pressure import Bounds, Pressure
from vextir_os.processor.sweep import Sweep
from vextir_os.processor.switching import Switching
from vextir_os.processor.turn import Parts
from vextir_os.registry.instances import stop_all
from vextir_os.registry.registry import Registry
from vextir_os.runs.keeper import Desk
from vextir_os.runs.lineage import Limits
from vextir_os.runs.record import EVENTS, Lane
from vextir_os.settings import Settings
from vextir_os.telemetry.spans import Spans

QUEUE = "events"
"""Name of the queue that events come in by."""

LANES: Mapping[Lane, str] = {"high": "events-high", "slow": "slow"}
"""Names of the queues of the other lanes."""

ORDERED = "ordered"
"""Name of the queue that ordered events come in by; its sessions are their keys."""

PURGED_AT_ONCE = 500
PURGES = 20
"""Expired documents that one transaction removes, and transactions of one sweep, at most."""

BUS_SOURCE = "/bus"
"""Source of events that code of this very process emits on the bus and names no source for."""

OLDEST_SQLITE = OLDEST
"""The first version of SQLite that will do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What stands where a test may put something of its own.

    Attributes:
        draw: Uniform random numbers in [0, 1), for jitter.
        threads: Whether the database is worked on in threads of its own; without, on the event loop.
        atomic: Whether the transaction is used that store and queue share; without, as on Service Bus and Cosmos.
        storage: Makes of the storage what the parts are put together from.
        hosts: Makes the places of drivers that are not `inline`.
    """

    draw: Callable[[], float] = random.SystemRandom().random
    threads: bool = True
    atomic: bool = True
    storage: Callable[[SqliteStorage], SqliteStorage] = lambda storage: storage
    hosts: Callable[[], Hosts] = Hosts


REAL = Stand()
"""What an installation has."""


class _ToBus(Observer):
    """Shows on the bus what comes in, and what runs emit."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def published(self, event: Event) -> None:
        self._bus.notify(event)

    def emitted(self, event: Event) -> None:
        self._bus.notify(event)


@contextlib.asynccontextmanager
async def open_kernel(
    settings: Settings,
    *,
    registry: Registry | None = None,
    policy: PolicyEngine | None = None,
    clock: Clock | None = None,
    spans: Spans | None = None,
    stand: Stand = REAL,
) -> AsyncIterator[Kernel]:
    """Open the OS of a project on SQLite; close it at the end.

    Args:
        settings: Where the project and its data are.
        registry: The drivers; by default those of the project's index.
        policy: The policies; by default those of the project.
        clock: By default the machine's.
        spans: Where traces are collected: makes them.
        stand: What a test puts in the place of chance, threads and storage.

    Raises:
        ManifestProblemsError, StaleIndexError: The driver index cannot be used.
        PolicyProblemsError: The policies cannot be used.
        StoreError: The database cannot be used.
        SettingsError: The keys cannot be used.
    """
    clock = clock or SystemClock()
    registry = registry if registry is not None else Registry.open(settings.root, settings.packs)
    policy = policy or PolicyEngine(load_policies(settings.root / "policies"))
    signer = Signer(signing_key(settings.data_dir))
    worker = secrets.token_hex(8)
    storage = stand.storage(
        open_storage(
            settings.data_dir / FILE,
            clock,
            synchronous=settings.synchronous,
            worker=worker,
            memories={EVENTS: max(0, settings.dedupe_s - settings.retention_s)},
            threads=stand.threads,
        )
    )
    await storage.start()
    try:
        kernel = await _assemble(settings, worker, storage, registry, policy, signer, clock, spans, stand)
        await kernel.processor.parts.paused.refresh()
        try:
            yield kernel
        finally:
            await kernel.processor.parts.hosts.close()
    finally:
        await stop_all(registry.at_hand)
        await storage.close()


def look_at_data(database: Path) -> AbstractContextManager[Look]:
    """Open a database to look at it, whatever state it is in; nothing is changed. Raises `StoreError`."""
    return look_into(database)


async def _assemble(
    settings: Settings,
    worker: str,
    storage: SqliteStorage,
    registry: Registry,
    policy: PolicyEngine,
    signer: Signer,
    clock: Clock,
    spans: Spans | None = None,
    stand: Stand = REAL,
) -> Kernel:
    await storage.broker.declare(QUEUE, EntityProperties(lock_duration_s=settings.lock_s))
    for name in LANES.values():
        await storage.broker.declare(name, EntityProperties(lock_duration_s=settings.lock_s))
    # A message that was given up for another place in the queue would be overtaken: it is never given up.
    properties = EntityProperties(lock_duration_s=settings.lock_s, requires_session=True, max_delivery_count=2**31)
    await storage.broker.declare(ORDERED, properties)
    queue, ordered = storage.queue(QUEUE), storage.queue(ORDERED)
    lanes: dict[Lane, Queue] = {lane: storage.queue(name) for lane, name in LANES.items()}
    trusts = _trusts(settings.trusted_sources)
    who = operator(settings)
    atomic = storage.atomic if stand.atomic else None

    async def emit(event: Event) -> str:
        (accepted,) = await intake.publish([event], who, source=BUS_SOURCE)
        return accepted.id

    bus, observers = EventBus(sink=emit, clock=clock), Observers()
    observers.add(_ToBus(bus))
    if spans is not None:
        observers.add(spans)
    bounds = Bounds(
        waiting=settings.max_queue_depth, free_bytes=settings.min_free_disk, used_bytes=settings.max_database
    )
    intake = Intake(
        pressure=Pressure(partial(storage.level, QUEUE, ORDERED, *LANES.values()), bounds, clock),
        clock=clock,
        queue=queue,
        ordered=ordered,
        atomic=atomic,
        blobs=storage.blobs,
        signer=signer,
        policy=policy,
        trusts=trusts,
        notify=observers.published,
        refused=observers.refused,
        spans=spans,
        urgent=lanes["high"],
    )

    async def purge() -> int:
        count = 0
        for _ in range(PURGES):
            count += (gone := await storage.store.purge(PURGED_AT_ONCE))
            if gone < PURGED_AT_ONCE:
                break
        return count

    desk = Desk(
        clock=clock,
        store=storage.store,
        queue=queue,
        ordered=ordered,
        signer=signer,
        atomic=atomic,
        retention_s=settings.retention_s,
        letters_s=settings.deadletters_s,
        missed=observers.missed,
        lanes=lanes,
    )
    dead: dict[Lane, Queue] = {
        lane: storage.queue(f"{name}{DEAD}") for lane, name in (("batch", QUEUE), *LANES.items())
    }
    hosts = stand.hosts()
    hosts.hide(settings.data_dir)
    parts = Parts(
        worker=worker,
        desk=desk,
        blobs=storage.blobs,
        policy=policy,
        registry=registry,
        binding=Principal(kind="user", id=f"queue.{QUEUE}", tenant=settings.tenant),
        trusts=trusts,
        mode=_mode(settings.best_of),
        observer=observers,
        paused=Paused(storage.store, clock),
        books=Books(storage.store),
        limits=Limits(
            depth=settings.max_depth, loops=settings.max_loops, fan_out=settings.max_fan_out, flow=settings.max_flow
        ),
        draw=stand.draw,
        hosts=hosts,
        spans=spans,
    )
    return Kernel(
        worker=worker,
        settings=settings,
        clock=clock,
        queue=queue,
        ordered=ordered,
        lanes=lanes,
        store=storage.store,
        blobs=storage.blobs,
        registry=registry,
        policy=policy,
        bus=bus,
        intake=intake,
        processor=Processor(parts),
        sweep=Sweep(parts, dead, purge),
        control=Control(parts),
        dead_letters=DeadLetters(parts, intake),
        pausing=Pausing(parts),
        switching=Switching(parts),
        health=Health(parts),
        departed=Departed(parts, storage.broker.give_up),
        observers=observers,
        storage=storage,
    )


def _trusts(sources: tuple[str, ...]) -> Callable[[str], bool]:
    @lru_cache(4096)
    def trusts(source: str) -> bool:
        return any(fnmatchcase(source, pattern) for pattern in sources)

    return trusts


def _mode(best_of: tuple[str, ...]) -> Callable[[str], Literal["all", "best"]]:
    trie: PatternTrie[bool] = PatternTrie()
    for pattern in best_of:
        trie.add(pattern, True)

    def mode(event_type: str) -> Literal["all", "best"]:
        return "best" if trie.match(event_type) else "all"

    return mode
