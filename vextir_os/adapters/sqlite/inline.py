"""The same database without threads: groups run on the event loop, between two of its steps. For tests.

What is written, and in which groups, is what the writer thread would do with the units of one turn of the loop; so a
run of the OS over it is the same each time, and its clock may be one that is moved by hand.
"""

import asyncio
import contextvars
import sqlite3
from functools import partial
from typing import Any

from vextir_os.adapters.sqlite.database import GROUP_UNITS, Database
from vextir_os.adapters.sqlite.failures import translate
from vextir_os.adapters.sqlite.opening import open_writer
from vextir_os.adapters.sqlite.units import Answer, Run, Undo, Unit
from vextir_os.errors import StoreUnavailableError


class InlineDatabase(Database):
    """A `Database` that works on its event loop. A commit holds the loop up for as long as it takes."""

    _connection: sqlite3.Connection | None = None
    _context: contextvars.Context
    _timer: asyncio.TimerHandle | None = None

    async def start(self, prepare: Run) -> None:
        """Open the file, and set it up when it is new. Raises as `Database.start` does."""
        if self._loop is not None:
            raise StoreUnavailableError(f"the database {self.path} was started before; open it once")
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        opened = self._loop.create_future()
        try:
            self._connection = open_writer(self.path, busy_timeout_s=self._busy_timeout_s)
        except Exception as error:
            raise translate(error, self.path) from error
        self._group(self._connection, [Unit(prepare, opened, False, True, None)])
        await opened
        self._open = True

    async def close(self) -> None:
        """Finish what was submitted, answer who waits for messages with none, then refuse. Twice is harmless."""
        if not self._open:
            return
        self._flush()
        self._open = False
        self._answer(self._companion.dismiss())
        self._let_go()

    def drop(self) -> None:
        """Let go of the file at once, as a process does that is killed: what was submitted is not done."""
        self._collected = []
        self._open = False
        self._let_go()

    def wake(self) -> None:
        """Look at the clock again; for clocks that are moved by hand."""
        self._work([])

    def submit(
        self,
        run: Run,
        *,
        durable: bool = True,
        single: bool = False,
        undo: Undo | None = None,
        plan: object = None,
    ) -> "asyncio.Future[Any]":
        """Take a unit, as `Database.submit` does. What it is done in belongs to the database, not to who asks first."""
        submit = partial(super().submit, run, durable=durable, single=single, undo=undo, plan=plan)
        return self._context.run(submit)

    def read(self, run: Run) -> "asyncio.Future[Any]":
        """Run a unit that only reads, with what is written in this turn of the loop. Raises as `submit` does."""
        return self.submit(run, durable=False, single=True)

    def _let_go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _flush(self) -> None:
        units, self._collected = self._collected, []
        for start in range(0, len(units), GROUP_UNITS):
            self._work(units[start : start + GROUP_UNITS])

    def _work(self, units: list[Unit]) -> None:
        if self._connection is None or self._loop is None:
            return
        self._group(self._connection, units)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        pause = self._companion.pause_s(self.clock.time(), self.clock.monotonic())
        if pause is not None:
            self._timer = self._loop.call_later(pause, self.wake)

    def _answer(self, answers: list[Answer]) -> None:
        if answers and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon(self._resolve, answers)
