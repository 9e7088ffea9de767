"""What becomes of a locked message: completed, given back, dead-lettered, deferred, renewed. Runs in the writer thread.

Every function here first finds the lock, alive; only then it writes: a lost lock changes nothing.
"""

import sqlite3
from contextlib import suppress

from vextir_os.adapters.sqlite.core import DEFERRED, Core, ready_state
from vextir_os.adapters.sqlite.entities import Entity
from vextir_os.adapters.sqlite.messages import lost, parse_token
from vextir_os.adapters.sqlite.sessions import release_if_done
from vextir_os.errors import LockLostError

TOO_OFTEN = "MaxDeliveryCountExceeded"
"""Reason in the words of Service Bus."""

_COMPLETE = "DELETE FROM messages WHERE seq = ? AND lock = ? AND locked_until > ? RETURNING entity, session"
_REASON_CHARS = 4096


def complete(core: Core, connection: sqlite3.Connection, now: float, token: str) -> None:
    """Remove the message. Raises `LockLostError`."""
    sequence, lock = parse_token(token)
    rows = connection.execute(_COMPLETE, (sequence, lock, now)).fetchall()
    if not rows:
        raise lost(token)
    entity_id, session = rows[0]
    if session is not None:
        release_if_done(core, connection, core.entities.by_id[entity_id], session)


def abandon(core: Core, connection: sqlite3.Connection, now: float, token: str, *, counted: bool = True) -> None:
    """Give the message back. `counted=False`: this delivery was none. Raises `LockLostError`."""
    sequence, lock = parse_token(token)
    entity, state, count, session, expires_at = _held(core, connection, now, token, sequence, lock)
    give_back(core, connection, entity, sequence, state, count if counted else count - 1)
    if expires_at is not None:
        core.times.note_life(expires_at)
    if session is not None:
        release_if_done(core, connection, entity, session)


def release_quietly(core: Core, connection: sqlite3.Connection, now: float, token: str) -> None:
    """Give the message back uncounted; when its lock is lost there is nothing to do."""
    with suppress(LockLostError):
        abandon(core, connection, now, token, counted=False)


def dead_letter(
    core: Core, connection: sqlite3.Connection, now: float, token: str, reason: str, description: str
) -> None:
    """Move the message to its entity's dead letters. Raises `LockLostError`."""
    sequence, lock = parse_token(token)
    entity, _, _, session, _ = _held(core, connection, now, token, sequence, lock)
    bury(core, connection, entity, sequence, reason, description)
    if session is not None:
        release_if_done(core, connection, entity, session)


def defer(core: Core, connection: sqlite3.Connection, now: float, token: str) -> None:
    """Set the message aside, to be received by its sequence number only. Raises `LockLostError`."""
    sequence, lock = parse_token(token)
    entity, _, _, session, expires_at = _held(core, connection, now, token, sequence, lock)
    connection.execute(
        "UPDATE messages SET state = ?, lock = NULL, locked_until = NULL WHERE seq = ?", (DEFERRED, sequence)
    )
    if expires_at is not None:
        core.times.note_life(expires_at)
    if session is not None:
        release_if_done(core, connection, entity, session)


def renew(core: Core, connection: sqlite3.Connection, now: float, token: str) -> float:
    """Lock for another lock duration from now; return its end. Raises `LockLostError`."""
    sequence, lock = parse_token(token)
    entity, *_ = _held(core, connection, now, token, sequence, lock)
    until = now + entity.properties.lock_duration_s
    connection.execute("UPDATE messages SET locked_until = ? WHERE seq = ?", (until, sequence))
    core.times.note_lock(until)
    return until


def give_back(
    core: Core, connection: sqlite3.Connection, entity: Entity, sequence: int, state: int, count: int
) -> None:
    """Unlock a message whose count is now `count`, or dead-letter it when it was delivered too often."""
    if count >= entity.properties.max_delivery_count and entity.parent is None:
        most = entity.properties.max_delivery_count
        bury(core, connection, entity, sequence, TOO_OFTEN, f"delivered {count} times, {most} are allowed")
        return
    connection.execute(
        "UPDATE messages SET state = ?, lock = NULL, locked_until = NULL, count = ? WHERE seq = ?",
        (state if state == DEFERRED else ready_state(entity), count, sequence),
    )
    core.touched.add(entity.id)


def bury(
    core: Core, connection: sqlite3.Connection, entity: Entity, sequence: int, reason: str, description: str
) -> None:
    """Move a message to the dead letters of its entity; one that is there already stays, with the new reason."""
    target = core.entities.by_id[entity.dead]
    priority, flow = connection.execute("SELECT priority, flow FROM messages WHERE seq = ?", (sequence,)).fetchone()
    connection.execute(
        "UPDATE messages SET entity = ?, state = ?, turn = ?, lock = NULL, locked_until = NULL, expires_at = NULL, "
        "visible_at = NULL, count = 0, dead_reason = ?, dead_description = ? WHERE seq = ?",
        (
            target.id,
            ready_state(target),
            core.turns.give(target.id, priority, flow),
            reason[:_REASON_CHARS],
            description[:_REASON_CHARS],
            sequence,
        ),
    )
    core.touched.add(target.id)


def _held(
    core: Core, connection: sqlite3.Connection, now: float, token: str, sequence: int, lock: bytes
) -> tuple[Entity, int, int, str | None, float | None]:
    row = connection.execute(
        "SELECT entity, state, count, session, expires_at FROM messages "
        "WHERE seq = ? AND lock = ? AND locked_until > ?",
        (sequence, lock, now),
    ).fetchone()
    if row is None:
        raise lost(token)
    entity_id, state, count, session, expires_at = row
    return core.entities.by_id[entity_id], state, count, session, expires_at
