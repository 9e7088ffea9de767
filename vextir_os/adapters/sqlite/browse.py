"""Looks at messages without taking them: peek, counts, and the cancelling of schedules. Runs in the writer thread,
behind what time has made due, so nothing that is over is ever shown."""

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
    """Return how many messages the entity has in each state."""
    found: dict[str, int] = {}
    for state, number in connection.execute(
        "SELECT state, count(*) FROM messages WHERE entity = ? GROUP BY state", (entity.id,)
    ):
        found[_STATES[state]] = found.get(_STATES[state], 0) + number
    dead = 0
    if entity.dead != entity.id:
        dead = connection.execute("SELECT count(*) FROM messages WHERE entity = ?", (entity.dead,)).fetchone()[0]
    return Counts(**found, dead=dead)


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
