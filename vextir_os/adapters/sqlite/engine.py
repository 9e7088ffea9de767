"""The broker's part of every group: what time made due at its start, waiting receivers served before its commit.

A receiver that finds nothing waits here, in the writer thread, and rides in the transaction of whoever makes a message
available: from send to delivery it takes one commit, not two. Knows nothing of messages; `core` and `timers` do.
"""

import math
import sqlite3
from collections import deque
from collections.abc import Sequence
from typing import Any

from vextir_os.adapters.sqlite import bulk
from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.messages import delivery
from vextir_os.adapters.sqlite.receive import by_turn
from vextir_os.adapters.sqlite.timers import prune, run_due
from vextir_os.adapters.sqlite.units import Answer, Unit, Waiter
from vextir_os.errors import VextirError
from vextir_os.ports.queue import Message

_PRUNE_S = 30.0
_READY_AGAIN = "UPDATE messages SET state = 0, lock = NULL, locked_until = NULL, count = 0 WHERE seq = ?"


class Engine:
    """The `Companion` of the database. Lives in the writer thread.

    Args:
        core: What the units work on.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: dict[int, deque[Waiter]] = {}
        self._in_group: list[Waiter] = []
        self._stale = True
        self._prune_at = -math.inf

    def begin(self, connection: sqlite3.Connection, now: float, *, changed_elsewhere: bool) -> None:
        """Load the caches when they may be old, and do what is due."""
        core = self._core
        if changed_elsewhere or self._stale:
            core.load(connection)
            self._stale = False
            core.touched.update(self._waiting)
        if now >= core.times.next_at:
            run_due(core, connection, now)
        if now >= self._prune_at:
            prune(core, connection, now)
            self._prune_at = now + _PRUNE_S
        core.places = {key: sum(waiter.places for waiter in queue) for key, queue in self._waiting.items()}

    def join(self, waiter: Waiter) -> None:
        """Let a unit of this group wait; what comes later in the group may go to it."""
        self._waiting.setdefault(waiter.key, deque()).append(waiter)
        self._in_group.append(waiter)
        places = self._core.places
        places[waiter.key] = places.get(waiter.key, 0) + waiter.places

    def finish(self, connection: sqlite3.Connection, now: float, monotonic: float) -> list[Answer]:
        """Serve who waits for what this group made available, and end the waits whose time is over."""
        core = self._core
        answers: list[Answer] = []
        if core.handed:
            self._hand_over(connection, answers)
        if self._waiting:
            # Serving may touch again: a message that is dead-lettered for its count has waiters elsewhere.
            while ready := core.touched & self._waiting.keys():
                core.touched -= ready
                for key in ready:
                    self._serve(connection, now, key, answers)
            self._end_waits(monotonic, answers)
        core.touched.clear()
        core.turns.write(connection)
        return answers

    def together(self, connection: sqlite3.Connection, now: float, plans: Sequence[bulk.Plan]) -> Sequence[Any]:
        """Carry out the plans of many units in a few statements."""
        return bulk.run(self._core, connection, now, plans)

    def mark(self) -> int:
        """Return how much was handed over in this group so far."""
        return len(self._core.handed)

    def undo(self, mark: int) -> None:
        """Forget what was handed over since."""
        if len(self._core.handed) > mark:
            self._core.take_back(mark)

    def committed(self) -> None:
        """Keep what the group changed."""
        self._in_group.clear()

    def rolled_back(self, monotonic: float) -> list[Unit]:
        """Drop every waiter that was in the group, newcomers included, and those whose wait is over.

        The caches are loaded anew at the next group.
        """
        self._stale = True
        self._core.touched.clear()
        self._core.handed.clear()
        self._end_waits(monotonic, [])
        gone, self._in_group = self._in_group, []
        for waiter in gone:
            queue = self._waiting.get(waiter.key)
            if queue is not None and waiter in queue:
                queue.remove(waiter)
        self._drop_empty()
        return [waiter.unit for waiter in gone]

    def pause_s(self, now: float, monotonic: float) -> float | None:
        """Seconds until something is due for a waiter; None when nobody waits."""
        if not self._waiting:
            return None
        until = min(waiter.until for queue in self._waiting.values() for waiter in queue)
        return max(0.0, min(until - monotonic, self._core.times.next_at - now))

    def dismiss(self) -> list[Answer]:
        """Answer all waiters with nothing."""
        answers: list[Answer] = [
            (waiter.unit, waiter.nothing, None) for queue in self._waiting.values() for waiter in queue
        ]
        self._waiting.clear()
        return answers

    def _hand_over(self, connection: sqlite3.Connection, answers: list[Answer]) -> None:
        """Answer waiting receivers with the messages that this group has inserted for them, locked."""
        core = self._core
        handed, core.handed = core.handed, []
        rows: dict[int, list[tuple[tuple[Any, ...], Message | None]]] = {}
        for key, row, message in handed:
            rows.setdefault(key, []).append((row, message))
        for key, left in rows.items():
            left.sort(key=_by_turn, reverse=True)
            entity, queue = core.entities.by_id[key], self._waiting.get(key, deque())
            for waiter in list(queue):
                if waiter.places and left and not waiter.unit.future.cancelled():
                    queue.remove(waiter)
                    self._in_group.append(waiter)
                    batch = [left.pop() for _ in range(min(waiter.places, len(left)))]
                    answers.append((waiter.unit, [delivery(row, entity, message) for row, message in batch], None))
            for row, _ in left:
                # Its receiver was cancelled meanwhile: the message is ready, as if it had never been handed over.
                connection.execute(_READY_AGAIN, (row[0],))
                core.touched.add(key)
        self._drop_empty()

    def _serve(self, connection: sqlite3.Connection, now: float, key: int, answers: list[Answer]) -> None:
        queue = self._waiting[key]
        # INVARIANT: a waiter leaves its queue only when its answer is made; an attempt may fail with the whole group.
        for waiter in list(queue):
            if waiter.unit.future.cancelled():
                queue.remove(waiter)
                continue
            try:
                result, error = waiter.attempt(connection, now), None
            except VextirError as failed:
                result, error = None, failed
            if result is not None or error is not None:
                queue.remove(waiter)
                self._in_group.append(waiter)
                answers.append((waiter.unit, result, error))
        if not queue:
            del self._waiting[key]

    def _end_waits(self, monotonic: float, answers: list[Answer]) -> None:
        over = [
            waiter
            for queue in self._waiting.values()
            for waiter in queue
            if waiter.until <= monotonic or waiter.unit.future.cancelled()
        ]
        for waiter in over:
            self._waiting[waiter.key].remove(waiter)
            self._in_group.append(waiter)
            answers.append((waiter.unit, waiter.nothing, None))
        if over:
            self._drop_empty()

    def _drop_empty(self) -> None:
        for key in [key for key, queue in self._waiting.items() if not queue]:
            del self._waiting[key]


def _by_turn(handed: tuple[tuple[Any, ...], Message | None]) -> tuple[int, int, int]:
    return by_turn(handed[0])
