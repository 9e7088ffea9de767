"""Drivers on threads of their own: a call that blocks holds up no event. Daemon threads, a bounded number per driver.

A turn whose time is over is waited for no longer, and its code is stopped: Python code by an exception raised inside
it, an async function by its cancellation. Code that blocks outside Python cannot be stopped; its thread is left alone,
counted, and never used again.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from vextir_os.driverkit.call import LoadedDriver, call_here
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import DriverBusyError
from vextir_os.events.event import Event
from vextir_os.isolation.line import Line
from vextir_os.registry.instances import stop_all
from vextir_os.runs.failure import ReportedFailure, failure_of

MOST = 16
"""Threads of one driver at work, at most; fewer with a smaller `concurrency`."""

STUCK = 8
"""Turns of one driver that could not be stopped and still run; beyond them no other one begins."""

_AGAIN_S = 0.1
_TRIES = 20


class TurnStopped(BaseException):
    """Raised inside a driver's code on a thread whose time is over."""


class _Job:
    """One turn. Its end and its stop both want it; who stands first in `claims` has it (`append` is atomic)."""

    __slots__ = ("answer", "claims", "context", "loop", "start")

    def __init__(self, start: Callable[["_Worker"], Any], loop: asyncio.AbstractEventLoop) -> None:
        self.start = start
        self.loop = loop
        self.context = contextvars.copy_context()
        self.answer: asyncio.Future[Any] = loop.create_future()
        self.claims: list[str] = []

    def claim(self, who: str) -> bool:
        """Say that it is over, or to be stopped; whether this came first."""
        self.claims.append(who)
        return self.claims[0] == who

    def settle(self, value: Any, error: BaseException | None) -> None:
        """Answer, in the event loop of the OS."""
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(value)
        else:
            self.answer.set_exception(_Raised(error))


class _Raised(Exception):  # noqa: N818 - a wrapper
    """Carries what a driver raised: a future takes no StopIteration, and ends the loop over a KeyboardInterrupt."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _Worker(threading.Thread):
    """One thread and its event loop, which is made when an async function comes."""

    def __init__(self, name: str, home: asyncio.AbstractEventLoop, on_end: Callable[["_Worker"], None]) -> None:
        super().__init__(name=name, daemon=True)
        self.jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self.task: asyncio.Task[Any] | None = None
        self.tries = 0
        self._home = home
        self._on_end = on_end
        self._own: asyncio.AbstractEventLoop | None = None
        self._driver: LoadedDriver | None = None
        self._may_leave = threading.Event()

    def driver_of(self, load: Callable[[], LoadedDriver]) -> LoadedDriver:
        """Return the driver, of a class with this thread's own instance."""
        if self._driver is None:
            self._driver = load().apart()
        return self._driver

    @property
    def own(self) -> asyncio.AbstractEventLoop:
        """The event loop of this thread."""
        if self._own is None:
            self._own = asyncio.new_event_loop()
        return self._own

    def run(self) -> None:
        """Run one turn after the other, until there are no more or one was stopped."""
        try:  # noqa: SIM105 - the stop may arrive within `suppress` as well
            self._serve()
        except BaseException:  # noqa: BLE001, S110 - the stop itself, wherever it arrives
            pass
        try:
            if self._own is not None:
                self._own.close()
            # INVARIANT: as long as the home loop may raise something in this thread, its identifier is its own.
            self._home.call_soon_threadsafe(self._leave)
            self._may_leave.wait()
        except BaseException:  # noqa: BLE001, S110 - the same, or the home loop is closed
            pass

    def _leave(self) -> None:
        self._may_leave.set()
        self._on_end(self)

    def _serve(self) -> None:
        while (job := self.jobs.get()) is not None:
            value, error = None, None
            try:
                value = job.context.run(job.start, self)
            except BaseException as raised:  # noqa: BLE001 - a driver may raise anything
                error = raised
            if not job.claim("end"):
                return
            job.loop.call_soon_threadsafe(job.settle, value, error)
        if self._driver is not None and self._driver.instance is not None:
            self.own.run_until_complete(stop_all([self._driver]))

    def cancel(self) -> None:
        """Stop what it runs: cancel its task first, then raise in its code; called in the home loop."""
        self.tries += 1
        task = self.task
        if task is not None and self.tries == 1:
            self.own.call_soon_threadsafe(task.cancel)
            return
        import ctypes

        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self.ident or 0), ctypes.py_object(TurnStopped))


class ThreadPool:
    """The threads of one driver. Used from one event loop.

    Args:
        manifest: The driver's.
        load: Returns the driver, ready to be called; may import it.
    """

    def __init__(self, manifest: Manifest, load: Callable[[], LoadedDriver]) -> None:
        self.manifest = manifest
        self._load = load
        flow = manifest.flow
        bound = flow.concurrency if flow is not None and not flow.concurrency_key else None
        self._size = min(MOST, bound or MOST)
        self._idle: list[_Worker] = []
        self._live = 0
        self._stuck: set[_Worker] = set()
        self._leaving: set[_Worker] = set()
        self._line = Line()
        self._retired = False

    async def take(self) -> _Worker:
        """Return a thread that is free; waits where all are at work.

        Raises:
            DriverBusyError: Too many turns could not be stopped.
        """
        while True:
            if len(self._stuck) >= STUCK:
                raise DriverBusyError(
                    f"{len(self._stuck)} turns of driver {self.manifest.id} could not be stopped and still run",
                    hint='Give what blocks a time-out of its own, or run the driver isolation="process"',
                )
            if self._idle:
                return self._idle.pop()
            if self._live < self._size:
                return self._start()
            await self._line.wait()

    async def run(self, worker: _Worker, event: Event, ctx: Context) -> Any:
        """Run one turn on a thread that was taken, and give it back.

        Raises:
            Exception: Whatever the driver raises, untouched.
            ReportedFailure: What it raised is no `Exception`.
        """
        loop = asyncio.get_running_loop()
        job = _Job(lambda on: call_here(on.driver_of(self._load), event, ctx, on), loop)
        worker.jobs.put(job)
        try:
            return await job.answer
        except _Raised as raised:
            if isinstance(raised.error, Exception):
                raise raised.error from None
            # What would end a worker inline, a Ctrl-C above all, can on a thread be the driver's alone.
            raise ReportedFailure(failure_of(raised.error, declared=self.manifest.errors)) from None
        except asyncio.CancelledError:
            if job.claim("stop"):
                self._stop(worker)
            raise
        finally:
            if worker not in self._stuck:
                self._give(worker)

    def retire(self) -> None:
        """Use no thread again; those at work end after their turn."""
        self._retired = True
        for worker in self._idle:
            self._leaving.add(worker)
            worker.jobs.put(None)
        self._idle.clear()

    async def ended(self) -> None:
        """Wait until those that were free when it was retired have stopped what they had started."""
        while self._leaving:
            await self._line.wait()

    def _start(self) -> _Worker:
        worker = _Worker(f"vextir-{self.manifest.id}", asyncio.get_running_loop(), self._ended)
        worker.start()
        self._live += 1
        return worker

    def _give(self, worker: _Worker) -> None:
        if self._retired:
            worker.jobs.put(None)
        else:
            self._idle.append(worker)
        self._line.wake()

    def _stop(self, worker: _Worker) -> None:
        self._live -= 1
        self._stuck.add(worker)
        self._try_to_stop(worker)
        self._line.wake()

    def _try_to_stop(self, worker: _Worker) -> None:
        if worker in self._stuck and worker.tries < _TRIES:
            worker.cancel()
            asyncio.get_running_loop().call_later(_AGAIN_S, self._try_to_stop, worker)

    def _ended(self, worker: _Worker) -> None:
        self._stuck.discard(worker)
        self._leaving.discard(worker)
        self._line.wake()
