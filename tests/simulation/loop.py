"""An event loop whose time is a number: it jumps to the next thing to do.

What is ready runs in the order in which it became so, as asyncio promises; chance comes in by how long calls take.
Single-threaded, no sockets, no files. A `Life` in a task's context stands for the worker that the task belongs to:
the steps of a life that has ended are kept aside and never run, those of one that sleeps run when it wakes.
"""

import asyncio
import contextvars
import heapq
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LIFE: contextvars.ContextVar["Life | None"] = contextvars.ContextVar("life", default=None)


class Life:
    """One life of a worker, from its start to its crash.

    Attributes:
        name: Such as `w1.3`, the third life of worker 1.
        asleep_until: Loop time until which nothing of it runs: a process that is paused.
        over: It crashed; nothing of it runs any more.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.asleep_until = 0.0
        self.over = False


class StuckError(Exception):
    """Nothing is ready, nothing is scheduled, and the work is not done."""


Step = tuple[float, int, asyncio.TimerHandle, Life | None]


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs tasks in virtual time. It can be run once.

    Attributes:
        tasks: All that there ever were, so that none ends by being forgotten.
        complaints: What nobody caught.
        steps: How many callbacks were run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.complaints: list[str] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.steps = 0
        self._now = 0.0
        self._heap: list[Step] = []
        self._aside: list[Step] = []
        self._burying = False
        self._number = 0

    def time(self) -> float:
        """Return the virtual time in seconds; it begins at 0."""
        return self._now

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run until a coroutine is done. Raises `StuckError`, and whatever it raises."""
        before = asyncio._get_running_loop()
        asyncio._set_running_loop(self)
        try:
            task: asyncio.Task[T] = self.create_task(main)
            while not task.done():
                self._step()
            return task.result()
        finally:
            asyncio._set_running_loop(before)
            self.close()

    async def bury(self) -> None:
        """Cancel every other task, those of lives that are over included, and let them end."""
        mine = asyncio.current_task()
        left = [task for task in self.tasks if task is not mine and not task.done()]
        self._burying = True
        waiting, self._heap, self._aside = [*self._heap, *self._aside], [], []
        for when, _, handle, life in waiting:
            self._push(self._now if life is not None else when, handle, None)
        while left:
            for task in left:
                task.cancel()
            await asyncio.sleep(0.001)
            left = [task for task in left if not task.done()]

    def _step(self) -> None:
        if not self._heap:
            raise StuckError("nothing is ready and nothing is scheduled")
        step = heapq.heappop(self._heap)
        when, _, handle, life = step
        if handle.cancelled():
            return
        if life is not None and not self._burying:
            if life.over:
                self._aside.append(step)
                return
            if life.asleep_until > when:
                self._push(life.asleep_until, handle, life)
                return
        self._now = max(self._now, when)
        self.steps += 1
        handle._run()

    def _push(self, when: float, handle: asyncio.TimerHandle, life: Life | None) -> None:
        self._number += 1
        heapq.heappush(self._heap, (when, self._number, handle, life))

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a time, or now when that is past."""
        if context is None:
            context = contextvars.copy_context()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._push(max(when, self._now), handle, context.get(LIFE))
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback after a delay."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Run a callback now, behind what is ready."""
        return self.call_at(self._now, callback, *args, context=context)

    def create_future(self) -> "asyncio.Future[Any]":
        """Return a future of this loop."""
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: object = None, context: contextvars.Context | None = None) -> Any:
        """Return a task of this loop."""
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self, context=context)
        self.tasks.append(task)
        return task

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":
        """Call the function at once: there are no threads here."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - whatever it raises is the answer
            future.set_exception(error)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Note what nobody caught."""
        self.complaints.append(f"{context['message']}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it where it is; its turn will pass."""
