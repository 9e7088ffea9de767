"""What the passing of time does to messages: locks end, schedules become due, lives end. Runs in the writer thread.

For each kind the earliest time is known (`Times`); as long as it has not come, a group costs three comparisons.
"""

import math
import sqlite3
from collections.abc import Sequence
from typing import Any

from vextir_os.adapters.sqlite.core import Core, ready_state
from vextir_os.adapters.sqlite.sessions import note_ready, unlock, unlock_ended
from vextir_os.adapters.sqlite.settle import bury, give_back

EXPIRED = "TTLExpiredException"
"""Reason in the words of Service Bus."""

_LOCKS = (
    "SELECT min(locked_until) FROM messages WHERE locked_until IS NOT NULL",
    "SELECT min(locked_until) FROM sessions WHERE locked_until IS NOT NULL",
)
_SCHEDULES = "SELECT min(visible_at) FROM messages WHERE state = 2"
_LIVES = "SELECT min(expires_at) FROM messages WHERE expires_at IS NOT NULL AND locked_until IS NULL"
_LOCKED = "SELECT seq, entity, state, count, expires_at FROM messages WHERE"


def run_due(core: Core, connection: sqlite3.Connection, now: float) -> None:
    """Do all that is due at `now`."""
    times = core.times
    if now >= times.locks:
        _end_locks(core, connection, now)
        times.locks = _earliest(connection, *_LOCKS)
    if now >= times.schedules:
        _start_scheduled(core, connection, now)
        times.schedules = _earliest(connection, _SCHEDULES)
    if now >= times.lives:
        _end_lives(core, connection, now)
        times.lives = _earliest(connection, _LIVES)


def next_at(connection: sqlite3.Connection) -> float:
    """Return exactly when something is due next, in epoch seconds; infinity for never."""
    return _earliest(connection, *_LOCKS, _SCHEDULES, _LIVES)


def prune(core: Core, connection: sqlite3.Connection, now: float) -> None:
    """Remove what only takes room: ids out of their duplicate window, flows that are not ahead."""
    connection.execute("DELETE FROM seen WHERE until <= ?", (now,))
    core.turns.prune(connection)


def _end_locks(core: Core, connection: sqlite3.Connection, now: float) -> None:
    _unlock(core, connection, connection.execute(f"{_LOCKED} locked_until <= ? ORDER BY seq", (now,)).fetchall())
    unlock_ended(core, connection, now)


def give_up(core: Core, connection: sqlite3.Connection, _now: float, mark: bytes) -> int:
    """End all locks whose tokens begin with a mark: their holder's process is gone. Return how many messages' locks.

    The count of a message stays raised, as when its lock ends by itself.
    """
    rows = connection.execute(
        f"{_LOCKED} locked_until IS NOT NULL AND substr(lock, 1, ?) = ? ORDER BY seq", (len(mark), mark)
    ).fetchall()
    _unlock(core, connection, rows)
    held = connection.execute(
        "SELECT entity, id FROM sessions WHERE lock IS NOT NULL AND substr(lock, 1, ?) = ?", (len(mark), mark)
    ).fetchall()
    for entity_id, session in held:
        unlock(core, connection, core.entities.by_id[entity_id], session)
    return len(rows)


def _unlock(core: Core, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    for sequence, entity_id, state, count, expires_at in rows:
        give_back(core, connection, core.entities.by_id[entity_id], sequence, state, count)
        if expires_at is not None:
            core.times.note_life(expires_at)


def _start_scheduled(core: Core, connection: sqlite3.Connection, now: float) -> None:
    rows = connection.execute(
        "SELECT seq, entity, priority, flow, session FROM messages "
        "WHERE state = 2 AND visible_at <= ? ORDER BY visible_at, seq",
        (now,),
    ).fetchall()
    for sequence, entity_id, priority, flow, session in rows:
        entity = core.entities.by_id[entity_id]
        if entity.properties.requires_session:
            note_ready(connection, entity, session, sequence)
        connection.execute(
            "UPDATE messages SET state = ?, turn = ?, visible_at = NULL WHERE seq = ?",
            (ready_state(entity), core.turns.give(entity_id, priority, flow), sequence),
        )
        core.touched.add(entity_id)


def _end_lives(core: Core, connection: sqlite3.Connection, now: float) -> None:
    rows = connection.execute(
        "SELECT seq, entity FROM messages WHERE expires_at <= ? AND locked_until IS NULL ORDER BY seq", (now,)
    ).fetchall()
    for sequence, entity_id in rows:
        entity = core.entities.by_id[entity_id]
        if entity.properties.dead_letter_on_expiry:
            bury(core, connection, entity, sequence, EXPIRED, "its time to live is over")
        else:
            connection.execute("DELETE FROM messages WHERE seq = ?", (sequence,))


def _earliest(connection: sqlite3.Connection, *queries: str) -> float:
    found = (connection.execute(query).fetchone()[0] for query in queries)
    return min((at for at in found if at is not None), default=math.inf)
