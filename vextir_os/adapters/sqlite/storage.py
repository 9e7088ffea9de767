"""One SQLite file as everything the OS keeps: queues, store, blobs and transactions over them."""

import secrets
import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from vextir_os.adapters.sqlite import documents, gauges
from vextir_os.adapters.sqlite.atomic import SqliteAtomic
from vextir_os.adapters.sqlite.blobs import SqliteBlobs
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.database import Database
from vextir_os.adapters.sqlite.engine import Engine
from vextir_os.adapters.sqlite.inline import InlineDatabase
from vextir_os.adapters.sqlite.opening import MEMORY, Synchronous
from vextir_os.adapters.sqlite.queue import SqliteQueue
from vextir_os.adapters.sqlite.store import SqliteStore
from vextir_os.ports.clock import Clock, SystemClock
from vextir_os.ports.gauges import Gauges, Level

FILE = "vextir.db"
"""Name of the database in a data directory."""

LOOKUPS: Mapping[str, str] = {"events": "event_id"}
"""Members that are indexed beside id, pk and due, by container."""


class SqliteStorage:
    """All ports over one file; `async with` starts and closes it. Made by `open_storage`.

    Attributes:
        store: Implements `Store`.
        atomic: Implements `Atomic`, over store and queues.
        blobs: Implements `Blobs`.
        broker: All entities; `queue(name)` is the port's view of one.
    """

    def __init__(
        self, database: Database, core: Core, lookups: Mapping[str, str], memories: Mapping[str, float]
    ) -> None:
        self._database = database
        self.store = SqliteStore(database, lookups, memories)
        self.broker = Broker(database, core)
        self.atomic = SqliteAtomic(database, core, self.store)
        self.blobs = SqliteBlobs(database)

    def queue(self, name: str) -> SqliteQueue:
        """Return the port's view of an entity, which must be declared before its first use."""
        return SqliteQueue(self.broker, name)

    async def start(self) -> None:
        """Open the file; set it up when it is new, bring it up to date when it is older.

        Raises:
            ForeignFileError: The file is no database, or another application's, or of a newer Vextir OS.
            StoreCorruptError, StoreUnavailableError: The file cannot be used.
        """
        await self._database.start(self._prepare)

    async def close(self) -> None:
        """Finish what was submitted; waiting receivers end with no messages; later calls are refused."""
        await self._database.close()

    def drop(self) -> None:
        """Let go of the file at once, as a process that is killed. For a storage without threads."""
        if isinstance(self._database, InlineDatabase):
            self._database.drop()

    async def gauges(self) -> Gauges:
        """Return how things stand: what waits on the queues, how large the file is, how large groups were."""
        found = await self._database.read(gauges.queues)
        return Gauges(
            queues=found,
            bytes_by_file=gauges.sizes(self._database.path),
            group_units=tuple(self._database.group_units),
            units=self._database.units,
        )

    async def level(self, *queues: str) -> Level:
        """Return how full it is: messages that wait on these queues, bytes used and bytes free."""
        waiting = await self._database.read(partial(gauges.waiting, queues))
        path = self._database.path
        return Level(waiting, sum(gauges.sizes(path).values()), gauges.free_bytes(path))

    def wake(self) -> None:
        """Look at the clock again: for clocks that are moved by hand."""
        self._database.wake()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _prepare(self, connection: sqlite3.Connection, _now: float) -> None:
        documents.use_lookups(connection, self.store.lookups)


def open_storage(
    path: Path | str,
    clock: Clock | None = None,
    *,
    synchronous: Synchronous = "FULL",
    busy_timeout_s: float = 10.0,
    max_pages: int | None = None,
    lookups: Mapping[str, str] = LOOKUPS,
    memories: Mapping[str, float] | None = None,
    worker: str | None = None,
    threads: bool = True,
) -> SqliteStorage:
    """Return the storage over one file, not started yet.

    Args:
        path: The file, or `:memory:`. A new file gets mode 0600, a new folder 0700.
        clock: The store's time; by default the machine's.
        synchronous: `FULL`: an answered write survives a power failure. `NORMAL` is faster on slow disks and may lose
            the last answered writes in a power failure; neither loses anything when the process is killed.
        busy_timeout_s: How long to wait for another process's write lock.
        max_pages: Limit of the file in pages of 4 KB.
        lookups: Members that are indexed beside id, pk and due, by container.
        memories: Seconds for which the ids of expired documents are remembered, by container.
        worker: Names who uses it, 16 hex digits: by this name its locks are given up when its process is gone.
        threads: Whether the file is worked on in threads of its own; without, on the event loop.
    """
    core = Core(worker or secrets.token_hex(8))
    database = (Database if threads else InlineDatabase)(
        MEMORY if str(path) == MEMORY else str(Path(path).absolute()),
        clock=clock or SystemClock(),
        companion=Engine(core),
        synchronous=synchronous,
        busy_timeout_s=busy_timeout_s,
        max_pages=max_pages,
    )
    return SqliteStorage(database, core, lookups, memories or {})
