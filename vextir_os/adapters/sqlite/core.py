"""What the writer thread knows of the broker between two statements: entities, turns, times, and what became available.

All of it is a cache of the file, loaded anew after a roll-back or another process's commit. No SQL of its own.
"""

import math
import os
import sqlite3
from typing import Any

from vextir_os.adapters.sqlite.entities import Entities, Entity
from vextir_os.adapters.sqlite.fairness import Turns
from vextir_os.ports.queue import Message

READY, LOCKED, SCHEDULED, DEFERRED, IN_SESSION = range(5)
"""States of a message. `IN_SESSION` is ready too, but only for who holds its session; a deferred one may be locked."""

_MARK_BYTES = 4
_LOCK_BYTES = 10
_NAMELESS = "00000000"


class Times:
    """The earliest time at which a lock ends, a schedule is due, a life ends. May be too early, never too late."""

    __slots__ = ("lives", "locks", "schedules")

    def __init__(self) -> None:
        self.locks = self.schedules = self.lives = -math.inf

    def forget(self) -> None:
        """Know nothing: all may be due."""
        self.locks = self.schedules = self.lives = -math.inf

    def note_lock(self, until: float) -> None:
        """Say that a lock ends at this time."""
        self.locks = min(self.locks, until)

    def note_schedule(self, at: float) -> None:
        """Say that a message becomes due at this time."""
        self.schedules = min(self.schedules, at)

    def note_life(self, until: float) -> None:
        """Say that a message's life ends at this time."""
        self.lives = min(self.lives, until)

    @property
    def next_at(self) -> float:
        """When something may be due: epoch seconds, or infinity."""
        return min(self.locks, self.schedules, self.lives)


class Core:
    """The parts that all operations on messages share. Belongs to the writer thread.

    Args:
        worker: Names the process, in hex: see `mark_of`.

    Attributes:
        mark: How every lock token begins that this process takes.
        touched: Ids of the entities in which messages or sessions became available in this group.
        places: By entity, how many messages its waiting receivers still take, as long as nothing is ready there.
        handed: Messages that this group inserted locked already, for those receivers: entity, row, message.
    """

    __slots__ = ("entities", "handed", "mark", "places", "times", "touched", "turns")

    def __init__(self, worker: str = _NAMELESS) -> None:
        self.mark = mark_of(worker)
        self.entities = Entities()
        self.turns = Turns()
        self.times = Times()
        self.touched: set[int] = set()
        self.places: dict[int, int] = {}
        self.handed: list[tuple[int, tuple[Any, ...], Message | None]] = []

    def load(self, connection: sqlite3.Connection) -> None:
        """Read all caches anew."""
        self.entities.load(connection)
        self.turns.load(connection)
        self.times.forget()

    def new_lock(self) -> bytes:
        """Return the token of a lock that this process takes."""
        return self.mark + os.urandom(_LOCK_BYTES - _MARK_BYTES)

    def take_place(self, entity: int) -> bool:
        """Whether a message that becomes ready now goes straight to a receiver that waits; takes the place."""
        left = self.places.get(entity, 0)
        if not left or entity in self.touched:
            return False
        self.places[entity] = left - 1
        return True

    def take_back(self, count: int) -> None:
        """Forget what was handed over after the first `count`: its unit failed, and its rows are gone."""
        for entity, _, _ in self.handed[count:]:
            self.places[entity] += 1
        del self.handed[count:]


def ready_state(entity: Entity) -> int:
    """Return the state in which a message of this entity is ready."""
    return IN_SESSION if entity.properties.requires_session else READY


def mark_of(worker: str) -> bytes:
    """Return how the lock tokens of a worker begin; by it they are found when its process is gone.

    Two workers with one mark do no harm: a lock that ends too early costs a second delivery.
    """
    return bytes.fromhex(worker)[:_MARK_BYTES]
