"""One file, one writer thread, one reader thread: many small units of work share one transaction. Knows no tables.

A *unit* is a callable `(connection, now) -> result`. Units of one turn of the event loop go to the writer together;
it takes all that wait into one group: BEGIN IMMEDIATE, each unit, COMMIT, then all callers are answered at once. So
the price of a commit (the disk) is paid once per group, and nobody is answered before it is paid.

Not every unit needs the disk. A group without a durable unit commits under `synchronous=NORMAL`: written to the log,
not flushed. The log keeps its order, so a later durable commit flushes it as well: what is lost by a power failure is
a tail of leases and locks, which mean nothing after it, and never anything durable. A killed process loses neither.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from vextir_os.adapters.sqlite.failures import is_group_wide, translate
from vextir_os.adapters.sqlite.opening import (
    MEMORY,
    Synchronous,
    begin,
    open_reader,
    open_writer,
    set_synchronous,
)
from vextir_os.adapters.sqlite.units import Answer, Companion, Run, Undo, Unit, Waiter
from vextir_os.errors import StoreUnavailableError
from vextir_os.ports.clock import Clock

GROUP_UNITS = 512
"""Units after which a transaction takes no more (so less than twice as many): bounds how long the first one waits."""

_TOGETHER = 4
"""Units that say what they write are done together from this number on; fewer are quicker one by one."""

_POLL_S = 0.1


class Database:
    """The file and its two threads. Used from one event loop.

    Args:
        path: A file path, or `:memory:`, where reads run on the writer as well.
        clock: Gives `now` to the units.
        companion: Takes part in every group.
        synchronous: `FULL` flushes each durable commit to the disk. `NORMAL` loses the last commits in a power
            failure (not when the process is killed).
        busy_timeout_s: How long to wait for another process's write lock.
        max_pages: Limit of the file in pages of 4 KB; none by default.

    Attributes:
        group_units: How many transactions had n units, at the index of n's bit length.
        units: Units in all of them.
    """

    def __init__(
        self,
        path: str,
        *,
        clock: Clock,
        companion: Companion,
        synchronous: Synchronous = "FULL",
        busy_timeout_s: float = 10.0,
        max_pages: int | None = None,
    ) -> None:
        self.path = path
        self.clock = clock
        self._companion = companion
        self._synchronous: Synchronous = synchronous
        self._busy_timeout_s = busy_timeout_s
        self._max_pages = max_pages
        self._loop: asyncio.AbstractEventLoop | None = None
        self._open = False
        self._collected: list[Unit] = []
        self._reads: list[Unit] = []
        self._to_writer: SimpleQueue[list[Unit] | None] = SimpleQueue()
        self._to_reader: SimpleQueue[list[Unit] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.group_units = [0] * (2 * GROUP_UNITS).bit_length()
        self.units = 0
        self._level: Synchronous | None = None
        self._seen_version = -1
        self._failed = False

    async def start(self, prepare: Run) -> None:
        """Open the file, set it up when it is new, and start the threads.

        Args:
            prepare: Runs in one transaction before the first unit.

        Raises:
            ForeignFileError, StoreCorruptError, StoreUnavailableError, StoreError: The file cannot be used.
        """
        if self._loop is not None:
            raise StoreUnavailableError(f"the database {self.path} was started before; open it once")
        self._loop = loop = asyncio.get_running_loop()
        self._level, self._seen_version, self._failed = None, -1, False
        opened = loop.create_future()
        writer = threading.Thread(target=self._write, args=(prepare, opened), name="vextir-sqlite-writer", daemon=True)
        writer.start()
        try:
            await asyncio.shield(opened)
        except asyncio.CancelledError:
            self._to_writer.put(None)
            raise
        self._threads = [writer]
        if self.path != MEMORY:
            reader = threading.Thread(target=self._read, name="vextir-sqlite-reader", daemon=True)
            reader.start()
            self._threads.append(reader)
        self._open = True

    async def close(self) -> None:
        """Finish what was submitted, answer who waits for messages with none, then refuse. Twice is harmless."""
        if not self._open:
            return
        self._flush()
        self._flush_reads()
        self._open = False
        self._to_reader.put(None)
        self._to_writer.put(None)
        threads, self._threads = self._threads, []
        for thread in threads:
            await asyncio.to_thread(thread.join)

    def wake(self) -> None:
        """Look at the clock again; for clocks that are moved by hand."""
        self._to_writer.put([])

    def submit(
        self,
        run: Run,
        *,
        durable: bool = True,
        single: bool = False,
        undo: Undo | None = None,
        plan: object = None,
    ) -> "asyncio.Future[Any]":
        """Hand a unit to the writer together with all others of this turn of the loop.

        Args:
            run: The unit. Raises to fail; what it wrote is undone then.
            durable: Whether the answer waits for the disk.
            single: It has written nothing when it raises one of our errors: no savepoint then.
            undo: Called on the loop with the result when nobody waits for it any more.
            plan: What `run` does, as the companion understands it: it may do so for several units together.

        Raises:
            StoreUnavailableError: The database is closed. (In the future: what `run` raised, or why the commit failed.)
        """
        loop = self._running()
        future: asyncio.Future[Any] = loop.create_future()
        if not self._collected:
            loop.call_soon(self._flush)
        self._collected.append(Unit(run, future, durable, single, undo, plan))
        return future

    def read(self, run: Run) -> "asyncio.Future[Any]":
        """Hand a unit that only reads to the reader. It sees all that was answered before.

        Raises:
            StoreUnavailableError: The database is closed.
        """
        loop = self._running()
        if self.path == MEMORY:
            return self.submit(run, durable=False, single=True)
        future: asyncio.Future[Any] = loop.create_future()
        if not self._reads:
            loop.call_soon(self._flush_reads)
        self._reads.append(Unit(run, future, False, True, None))
        return future

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or not self._open:
            raise StoreUnavailableError(
                f"the database {self.path} is not open; nothing was written",
                hint="Start the storage first, and use it no more once it is closed",
            )
        return self._loop

    def _flush(self) -> None:
        if self._collected:
            units, self._collected = self._collected, []
            for start in range(0, len(units), GROUP_UNITS):
                self._to_writer.put(units[start : start + GROUP_UNITS])

    def _flush_reads(self) -> None:
        if self._reads:
            units, self._reads = self._reads, []
            self._to_reader.put(units)

    def _resolve(self, answers: list[Answer]) -> None:
        for unit, result, error in answers:
            future = unit.future
            if future.done():
                if error is None and unit.undo is not None and self._open:
                    unit.undo(result)
            elif error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    # The threads: nothing below runs on the event loop.

    def _answer(self, answers: list[Answer]) -> None:
        if answers and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._resolve, answers)

    def _write(self, prepare: Run, opened: "asyncio.Future[Any]") -> None:
        boot = Unit(prepare, opened, False, True, None)
        try:
            connection = open_writer(self.path, busy_timeout_s=self._busy_timeout_s)
        except Exception as error:  # noqa: BLE001 - whatever it is, who starts the storage gets it
            self._answer([(boot, None, translate(error, self.path))])
            return
        try:
            if self._max_pages is not None:
                connection.execute(f"PRAGMA max_page_count={int(self._max_pages)}")
            if self._group(connection, [boot]):
                self._serve(connection)
        finally:
            connection.close()

    def _serve(self, connection: sqlite3.Connection) -> None:
        closing = False
        while not closing:
            units, closing = self._take(connection)
            if units or not closing:
                self._group(connection, units)
            while closing and not self._to_writer.empty():
                late = self._to_writer.get()
                self._group(connection, late or [])
        self._answer(self._companion.dismiss())

    def _take(self, connection: sqlite3.Connection) -> tuple[list[Unit], bool]:
        """Wait for units, for something that time makes due, or for another process's commit."""
        while True:
            pause = self._companion.pause_s(self.clock.time(), self.clock.monotonic())
            if pause is not None:
                # After a failure, what is due is not tried in a tight loop.
                pause = _POLL_S if self._failed else min(pause, _POLL_S)
            try:
                first = self._to_writer.get(timeout=pause)
            except Empty:
                if self._failed or (pause is not None and pause < _POLL_S) or self._changed_elsewhere(connection):
                    return [], False
                continue
            units = list(first) if first is not None else []
            closing = first is None
            while not closing and len(units) < GROUP_UNITS:
                try:
                    more = self._to_writer.get_nowait()
                except Empty:
                    break
                if more is None:
                    closing = True
                else:
                    units += more
            return units, closing

    def _group(self, connection: sqlite3.Connection, units: list[Unit]) -> bool:
        """Run units in one transaction and answer them; whether it was committed."""
        answers: list[Answer] = []
        level: Synchronous = self._synchronous if any(unit.durable for unit in units) else "NORMAL"
        try:
            if level != self._level:
                set_synchronous(connection, level)
                self._level = level
            if begin(connection, self._busy_timeout_s) and level == self._synchronous:
                # While another process wrote, more came in: this transaction does for them too.
                units += self._come_in(GROUP_UNITS - len(units))
            now = self.clock.time()
            version = self._version(connection)
            self._companion.begin(connection, now, changed_elsewhere=version != self._seen_version)
            self._seen_version = version
            # Those that may wait go first: what the others make available then goes straight to them.
            for unit in self._together(connection, now, sorted(units, key=_waits, reverse=True), answers):
                self._run(connection, now, unit, answers)
            answers += self._companion.finish(connection, now, self.clock.monotonic())
            connection.execute("COMMIT")
            self._companion.committed()
            self.group_units[len(units).bit_length()] += 1
            self.units += len(units)
        except Exception as error:  # noqa: BLE001 - it becomes the answer of every unit
            self._roll_back(connection)
            # Each gets an error of its own: a traceback grows with every task that raises it.
            answers = [(unit, None, translate(error, self.path)) for unit in units]
            gone = self._companion.rolled_back(self.clock.monotonic())
            answers += [(unit, None, translate(error, self.path)) for unit in gone]
            self._failed = True
            self._answer(answers)
            return False
        self._failed = False
        self._answer(answers)
        return True

    def _come_in(self, room: int) -> list[Unit]:
        """Return units that have come in meanwhile, about as many as there is room for."""
        found: list[Unit] = []
        while len(found) < room and not self._to_writer.empty():
            more = self._to_writer.get()
            if more is None:
                # The end comes last: nothing is submitted behind it.
                self._to_writer.put(None)
                break
            found += more
        return found

    def _together(
        self, connection: sqlite3.Connection, now: float, units: list[Unit], answers: list[Answer]
    ) -> Iterator[Unit]:
        """Do what can be done together, behind those that may wait; give back the others, to be run one by one."""
        planned = [unit for unit in units if unit.plan is not None]
        if len(planned) < _TOGETHER:
            yield from units
            return
        yield from (unit for unit in units if unit.undo is not None)
        results = self._companion.together(connection, now, [unit.plan for unit in planned])
        answers += [(unit, result, None) for unit, result in zip(planned, results, strict=True) if result is not None]
        left = {id(unit) for unit, result in zip(planned, results, strict=True) if result is None}
        yield from (unit for unit in units if unit.undo is None and (unit.plan is None or id(unit) in left))

    def _run(
        self,
        connection: sqlite3.Connection,
        now: float,
        unit: Unit,
        answers: list[Answer],
    ) -> None:
        if unit.undo is not None and unit.future.cancelled():
            return
        if not unit.single:
            connection.execute("SAVEPOINT unit")
        mark = self._companion.mark()
        try:
            result = unit.run(connection, now)
        except Exception as error:
            unknown = unit.single and isinstance(error, sqlite3.Error)
            if unknown or is_group_wide(error) or not connection.in_transaction:
                # Without a savepoint, only our own errors are known to come before the first write.
                raise
            if not unit.single:
                connection.execute("ROLLBACK TO unit")
                connection.execute("RELEASE unit")
            self._companion.undo(mark)
            answers.append((unit, None, translate(error, self.path)))
            return
        if not unit.single:
            connection.execute("RELEASE unit")
        if result.__class__ is Waiter:
            result.unit = unit
            self._companion.join(result)
        else:
            answers.append((unit, result, None))

    @staticmethod
    def _roll_back(connection: sqlite3.Connection) -> None:
        # SQLite has often done it already; where even this fails, the next BEGIN says what is wrong.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")

    def _changed_elsewhere(self, connection: sqlite3.Connection) -> bool:
        try:
            return self._version(connection) != self._seen_version
        except sqlite3.Error:
            # The next group meets it too, and has somebody to tell.
            return True

    @staticmethod
    def _version(connection: sqlite3.Connection) -> int:
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def _read(self) -> None:
        connection: sqlite3.Connection | None = None
        try:
            while (units := self._to_reader.get()) is not None:
                answers: list[Answer] = []
                now = self.clock.time()
                for unit in units:
                    try:
                        if connection is None:
                            connection = open_reader(self.path, busy_timeout_s=self._busy_timeout_s)
                        answers.append((unit, unit.run(connection, now), None))
                    except Exception as error:  # noqa: BLE001 - it becomes the answer of this unit
                        answers.append((unit, None, translate(error, self.path)))
                self._answer(answers)
        finally:
            if connection is not None:
                connection.close()


def _waits(unit: Unit) -> bool:
    return unit.undo is not None
