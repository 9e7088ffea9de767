"""Looks at messages without taking them: peek and counts, for the reader thread; and the cancelling of schedules."""

import sqlite3
from dataclasses import dataclass
from typing import Literal

from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.entities import Entity
from vextir_os.adapters.sqlite.messages import HANDED_OUT, delivery, is_sequence
from vextir_os.errors import NotFoundError
from vextir_os.ports.queue import Delivery

State = Literal["active", "locked", "scheduled", "deferred"]
_STATES: tuple[State, ...] = ("active", "locked", "scheduled", "deferred", "active")
# Each is answered by one partial index.
_COUNTED = (
    "state = 0",
    "state = 1 AND locked_until IS NOT NULL",
    "state = 2",
    "state = 3",
    "state = 4",
)
_FROM = "FROM messages WHERE entity = ? AND seq >= ? AND (? = '' OR session = ?) ORDER BY seq LIMIT ?"
_PEEK = f"SELECT {HANDED_OUT}, state {_FROM}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peeked:
    """A message as it stands. The delivery's token is empty: nothing was locked."""

    delivery: Delivery
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Messages of one entity by state; `dead` are those in the entity that gets its dead letters."""

    active: int = 0
    locked: int = 0
    scheduled: int = 0
    deferred: int = 0
    dead: int = 0


def peek(connection: sqlite3.Connection, entity: Entity, limit: int, from_sequence: int, session: str) -> list[Peeked]:
    """Return up to `limit` messages from a sequence number on, of one session when it is named."""
    first = from_sequence if is_sequence(from_sequence) else 0 if from_sequence <= 0 else 2**62
    rows = connection.execute(_PEEK, (entity.id, first, session, session, limit)).fetchall()
    return [Peeked(delivery=delivery((row[0], None, *row[2:-1]), entity), state=_STATES[row[-1]]) for row in rows]


def counts(connection: sqlite3.Connection, entity: Entity) -> Counts:
    """Return how many messages the entity has in each state; counted in partial indexes, not by walking messages."""
    ready, locked, scheduled, deferred, in_session = (_count(connection, entity.id, which) for which in _COUNTED)
    dead = sum(_count(connection, entity.dead, which) for which in _COUNTED) if entity.dead != entity.id else 0
    return Counts(active=ready + in_session, locked=locked, scheduled=scheduled, deferred=deferred, dead=dead)


def _count(connection: sqlite3.Connection, entity: int, which: str) -> int:
    query = f"SELECT count(*) FROM messages WHERE entity = ? AND {which}"  # noqa: S608 - constants only
    found: int = connection.execute(query, (entity,)).fetchone()[0]
    return found


def cancel(core: Core, name: str, sequence: int, connection: sqlite3.Connection, _now: float) -> None:
    """Remove a message that is still scheduled. Raises `NotFoundError`."""
    entity = core.entities.named(name)
    removed = (
        is_sequence(sequence)
        and connection.execute(
            "DELETE FROM messages WHERE seq = ? AND entity = ? AND state = 2", (sequence, entity.id)
        ).rowcount
    )
    if not removed:
        raise NotFoundError(
            f"queue {entity.name!r} has no scheduled message {sequence}",
            hint="It may be due already, or cancelled before",
        )
