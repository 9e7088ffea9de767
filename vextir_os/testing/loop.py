"""An event loop whose time jumps: where everything waits for a timer, its time comes at once. Sockets and threads work.

Time stands still while something can run, and between two commands of a test. It jumps to the next timer when nothing
else can happen. As long as somebody waits for the world outside (a thread, a process, a socket), it passes as it really
does. A `Life` in a task's context stands for the worker that the task belongs to: once it is over, none of its tasks
takes another step, as in a process that was killed.
"""

import asyncio
import contextlib
import contextvars
import selectors
import time
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

LIFE: contextvars.ContextVar["Life | None"] = contextvars.ContextVar("vextir_life", default=None)

_BURIAL_TURNS = 1_000

_HOSTING: contextvars.ContextVar[bool] = contextvars.ContextVar("vextir_hosting", default=False)

PATIENCE_S = 2.0
"""A socket from which nothing comes for so long, in real time, is one that nobody waits for."""


@contextlib.contextmanager
def hosting() -> Iterator[None]:
    """Let pipes that are opened in the block be those of our own processes: who waits for them says so."""
    token = _HOSTING.set(True)
    try:
        yield
    finally:
        _HOSTING.reset(token)


class Life:
    """One life of a worker, from its start to its end.

    Attributes:
        over: Nothing of it runs any more.
        frozen: It only stands still: it may go on.
        ended: Set when it is over.
        tasks: What it works on.
        at_end: Called when it is over.
    """

    def __init__(self) -> None:
        self.over = False
        self.frozen = False
        self.ended = asyncio.Event()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.at_end: list[Callable[[], None]] = []
        self._aside: list[_Step] = []

    def task(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Return a task of this life."""
        context = contextvars.copy_context()
        context.run(LIFE.set, self)
        task = asyncio.get_running_loop().create_task(work, context=context)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def end(self, *, frozen: bool = False) -> None:
        """Let it be over, in the middle of whatever it does; `frozen`: until it goes on."""
        self.over, self.frozen = True, frozen
        self.ended.set()
        for call in self.at_end:
            call()

    def go_on(self) -> None:
        """Let it run again, from where it stood."""
        self.over = self.frozen = False
        self.ended.clear()
        aside, self._aside = self._aside, []
        for step in aside:
            asyncio.get_running_loop().call_soon(step, context=step.context)

    def keep(self, step: "_Step") -> None:
        """Keep a step aside that came while this life was over."""
        self._aside.append(step)

    async def bury(self) -> None:
        """Let what is left of it come to its end: whatever it asks for is refused by then."""
        for _ in range(_BURIAL_TURNS):
            self.go_on()
            if not self.tasks:
                break
            for task in list(self.tasks):
                task.cancel()
            await asyncio.sleep(0)


class _Step:
    """A callback that belongs to a life."""

    __slots__ = ("_callback", "_life", "context", "handle")
    handle: asyncio.Handle

    def __init__(self, life: Life, callback: Callable[[], object], context: contextvars.Context) -> None:
        self.context = context
        self._life = life
        self._callback = callback

    def __call__(self) -> None:
        if self.handle.cancelled():
            # It was, after it had been kept aside.
            return
        if self._life.over:
            self._life.keep(self)
        else:
            self._callback()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs tasks in virtual time.

    Attributes:
        still: Whether time stands, whatever is scheduled: nothing but calls from other threads is waited for.
        outside: How many wait for the world outside; as long as there is one, time does not jump.
        jumps: It does all the same.
    """

    def __init__(self) -> None:
        self.still = True
        self.outside = 0
        self.jumps = False
        self._now = 0.0
        selector = _Selector(self)
        super().__init__(selector)
        # The machine's resolution, 1 ns, is less than what a float of some years in seconds can tell apart.
        self._clock_resolution = 1e-6
        self._files = selector.get_map()
        self._own = set(self._files)

    def time(self) -> float:
        """Return the virtual time in seconds; it begins at 0."""
        return self._now

    def pass_(self, seconds: float) -> None:
        """Let time pass at once."""
        self._now += seconds

    @contextlib.contextmanager
    def jumping(self) -> Iterator[None]:
        """Let time jump in the block, whoever waits for the world outside."""
        self.jumps = True
        try:
            yield
        finally:
            self.jumps = False

    @contextlib.contextmanager
    def real(self) -> Iterator[None]:
        """Let time pass as it really does while the block runs."""
        self.outside += 1
        try:
            yield
        finally:
            self.outside -= 1

    @property
    def has_files(self) -> bool:
        """Whether sockets or pipes are open that somebody may wait for."""
        return not self._own.issuperset(self._files)

    def add_reader(self, fd: Any, callback: Callable[[*Ts], Any], *args: *Ts) -> None:
        """Call a function whenever there is something to read."""
        if _HOSTING.get():
            self._own.add(fd)
        super().add_reader(fd, callback, *args)

    def remove_reader(self, fd: Any) -> bool:
        """Stop that."""
        self._own.discard(fd)
        return super().remove_reader(fd)

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Run a callback in this turn of the loop, unless its life is over by then."""
        context = contextvars.copy_context() if context is None else context
        life = context.get(LIFE)
        if life is None:
            return super().call_soon(callback, *args, context=context)
        step = _Step(life, partial(callback, *args), context)
        step.handle = super().call_soon(step, context=context)
        return step.handle

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Run a callback at a time, unless its life is over by then."""
        context = contextvars.copy_context() if context is None else context
        life = context.get(LIFE)
        if life is None:
            return super().call_at(when, callback, *args, context=context)
        step = _Step(life, partial(callback, *args), context)
        step.handle = handle = super().call_at(when, step, context=context)
        return handle

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> "asyncio.Future[T]":
        """Call the function in a thread; time passes as it really does until it ends."""
        future = super().run_in_executor(executor, func, *args)
        self.outside += 1
        # Whoever asked may be dead by then: that it is over is no step of theirs.
        future.add_done_callback(self._come_in, context=contextvars.Context())
        return future

    def _come_in(self, _future: object) -> None:
        self.outside -= 1


class _Selector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._waited_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        loop = self._loop
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        if loop.still:
            return super().select(None)
        if timeout is None:
            return self._really(None)
        if loop.outside and not loop.jumps:
            return self._really(timeout)
        if loop.has_files and not loop.jumps and self._waited_s < PATIENCE_S:
            return self._really(min(timeout, PATIENCE_S - self._waited_s))
        events = super().select(0)
        if not events:
            loop.pass_(timeout)
        return events

    def _really(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        began = time.monotonic()
        events = super().select(timeout)
        passed = time.monotonic() - began
        self._waited_s = 0.0 if events else self._waited_s + passed
        self._loop.pass_(passed)
        return events
