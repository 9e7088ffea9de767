"""What the event loop and the two threads hand to each other: units, waiters, answers. No threads, no SQL here."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Protocol

Run = Callable[[sqlite3.Connection, float], Any]
"""A unit of work: `(connection, now in epoch seconds) -> result`."""

Undo = Callable[[Any], None]


class Unit:
    """One piece of work and the future of who waits for it."""

    __slots__ = ("durable", "future", "plan", "run", "single", "undo")

    def __init__(
        self,
        run: Run,
        future: "asyncio.Future[Any]",
        durable: bool,
        single: bool,
        undo: Undo | None,
        plan: object = None,
    ) -> None:
        self.run = run
        self.future = future
        self.durable = durable
        self.single = single
        self.undo = undo
        self.plan = plan


class Waiter:
    """What a unit returns that found nothing and may wait: tried again in each group that touches its key.

    Args:
        key: What it waits for; an entity.
        attempt: Returns None as long as there is nothing.
        until: On the monotonic clock: when `nothing` becomes the answer.
        nothing: The answer then.
        places: Messages that it takes as they come, straight from who sends them; 0: only by `attempt`.
    """

    __slots__ = ("attempt", "key", "nothing", "places", "unit", "until")
    unit: Unit

    def __init__(self, key: int, attempt: Run, until: float, nothing: Any, places: int = 0) -> None:
        self.places = places
        self.key = key
        self.attempt = attempt
        self.until = until
        self.nothing = nothing


Answer = tuple[Unit, Any, BaseException | None]


class Companion(Protocol):
    """Takes part in every group, in the writer thread; holds the waiters. The broker's half of the writer."""

    def begin(self, connection: sqlite3.Connection, now: float, *, changed_elsewhere: bool) -> None:
        """Do what time has made due, at the start of a group. After another process's commit, forget what is cached."""
        ...

    def join(self, waiter: Waiter) -> None:
        """Let a unit of this group wait."""
        ...

    def finish(self, connection: sqlite3.Connection, now: float, monotonic: float) -> list[Answer]:
        """Serve waiters, those of this group included, before its COMMIT. Return the answers to give after it."""
        ...

    def together(self, connection: sqlite3.Connection, now: float, plans: Sequence[Any]) -> Sequence[Any]:
        """Do at once what units say that they write; return the answer to each, None for one that must run."""
        ...

    def mark(self) -> int:
        """Return a mark for `undo`, before a unit."""
        ...

    def undo(self, mark: int) -> None:
        """Forget what a unit that failed has handed to waiters since the mark."""
        ...

    def committed(self) -> None:
        """Keep what the group changed in memory."""
        ...

    def rolled_back(self, monotonic: float) -> list[Unit]:
        """Forget what the failed group changed in memory.

        Return the units of its waiters, and of those whose wait is over: they get the error.
        """
        ...

    def pause_s(self, now: float, monotonic: float) -> float | None:
        """Seconds until something is due for a waiter; None when nobody waits."""
        ...

    def dismiss(self) -> list[Answer]:
        """Answer all waiters with nothing: the database closes."""
        ...
