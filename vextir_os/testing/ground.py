"""Where an OS under test runs: a thread with a virtual event loop of its own, and the way from a test to it and back.

A test may be a coroutine or a plain function. A command begins at once; from a plain function it is waited for, from a
coroutine it is awaited, and the test's own event loop goes on meanwhile. Commands are done one after the other.
"""

import asyncio
import contextvars
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from vextir_os.errors import UsageError
from vextir_os.testing.loop import VirtualLoop

T = TypeVar("T")

_END_S = 10.0
"""Virtual seconds in which what is cancelled has to end."""


class Done(Generic[T]):
    """A command that has been given; `await` it in a coroutine, in a plain function it is done already."""

    def __init__(self, future: "Future[T]", wait: Callable[["Future[T]"], T]) -> None:
        self._future = future
        self._wait = wait
        self._seen = False

    def __await__(self) -> Generator[Any, Any, T]:
        self._seen = True
        there = asyncio.wrap_future(self._future)
        yield from asyncio.wait([there]).__await__()
        return there.result()

    @property
    def value(self) -> T:
        """What came of it; waits for it."""
        self._seen = True
        return self._wait(self._future)

    def check(self) -> None:
        """Raise what it raised, when nobody has looked at it yet."""
        if not self._seen:
            _ = self.value

    def __repr__(self) -> str:
        return f"<{'done' if self._future.done() else 'at work'}>"


class Ground:
    """A thread with a virtual loop.

    Args:
        limit_s: Real seconds that one command may take, at most.

    Attributes:
        stuck: A command took longer; nothing more can be done here.
    """

    def __init__(self, limit_s: float) -> None:
        self.loop = VirtualLoop()
        self.stuck = False
        self._ending = False
        self._limit_s = limit_s
        self._order: asyncio.Lock | None = None
        self._given: list[Done[Any]] = []
        self._thread = threading.Thread(target=self._run, name="vextir-os-under-test", daemon=True)
        self._thread.start()

    def give(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Done[T]:
        """Begin with a command; from a plain function, wait for it, and raise what it raises."""
        self._refuse_own_thread()
        future: Future[T] = Future()

        async def ordered() -> None:
            if self._order is None:
                self._order = asyncio.Lock()
            try:
                async with self._order:
                    self.loop.still = False
                    try:
                        answer = await work()
                    finally:
                        self.loop.still = not self._ending
            except BaseException as error:  # noqa: BLE001 - whatever it is, the test gets it
                future.set_exception(error)
            else:
                future.set_result(answer)

        self.loop.call_soon_threadsafe(lambda: self.loop.create_task(ordered()), context=contextvars.copy_context())
        done = Done(future, self._wait)
        if not _is_in_a_loop():
            _ = done.value
        else:
            self._given = [one for one in self._given if not one._future.done() or not one._seen]  # noqa: SLF001
            self._given.append(done)
        return done

    def ask(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what a short look gives; all that was begun is done before it."""
        value = self.give(work).value
        self.check()
        return value

    def check(self) -> None:
        """Raise what a command raised that nobody awaited."""
        given, self._given = self._given, []
        for done in given:
            done.check()

    def stop(self) -> None:
        """End the thread; one that is stuck in code that never waits is left alone."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(min(1.0, self._limit_s) if self.stuck else self._limit_s)

    def owns(self, thread: int | None) -> bool:
        """Whether a thread is this one, by its number."""
        return thread == self._thread.ident

    def _wait(self, future: "Future[T]") -> T:
        try:
            return future.result(self._limit_s)
        except TimeoutError:
            if future.done():
                raise
            self.stuck = True
            raise AssertionError(self._place()) from None

    def _place(self) -> str:
        frame = sys._current_frames().get(self._thread.ident or 0)  # noqa: SLF001 - there is no other way
        place = "".join(traceback.format_stack(frame)[-4:]) if frame is not None else ""
        return f"the OS under test did not come to rest within {self._limit_s:g} s. It is here:\n{place}"

    def _refuse_own_thread(self) -> None:
        if self.owns(threading.get_ident()):
            raise UsageError(
                "the OS under test was asked by one of its own drivers, and would wait for itself",
                hint="Ask from the test",
            )

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self._ending, self.loop.still = True, False
            self.loop.run_until_complete(_end(asyncio.all_tasks(self.loop)))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
        finally:
            self.loop.close()


async def _end(left: set[asyncio.Task[Any]]) -> None:
    """Cancel tasks and let them end; those that do not want to are left, after some virtual seconds."""
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_END_S)


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
