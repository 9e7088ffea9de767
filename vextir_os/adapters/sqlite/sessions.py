"""Sessions: a lock over all messages of one session, and a state kept for it. Runs in the writer thread.

Messages of a locked session are locked until the session's lock ends, so settling them needs no look at the session.
`head` in the table is the sequence number of the first ready message as of the last unlock, or of the first one sent
since: whoever takes the next session takes the one that has waited longest, in one index seek. It may name a message
that has expired since; then the session is looked at, found empty and left.
"""

import sqlite3
from dataclasses import dataclass
from typing import Any

from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.entities import Entity
from vextir_os.errors import InvalidRequestError, LockLostError, SessionLockedError

STATE_BYTES = 262_144
"""A session's state, at most (Service Bus, standard tier)."""

_NEXT = "SELECT id FROM sessions WHERE entity = ? AND head IS NOT NULL AND lock IS NULL ORDER BY head LIMIT 1"
_HEAD = "(SELECT min(seq) FROM messages WHERE entity = sessions.entity AND session = sessions.id AND state = 4)"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLock:
    """A session that is held.

    Attributes:
        token: Whoever has it may receive, settle, renew and keep state, until `locked_until`.
        locked_until: Epoch seconds, as of the accept or the last renewal.
    """

    entity: str
    session: str
    token: str
    locked_until: float


def accept(
    core: Core, connection: sqlite3.Connection, now: float, entity: Entity, session: str | None, *, automatic: bool
) -> SessionLock | None:
    """Lock a session, or with None the next one that has messages; None when there is none.

    Args:
        automatic: Released by itself when the last message that was received in it is settled.

    Raises:
        InvalidRequestError: The entity has no sessions.
        SessionLockedError: Another receiver holds the named session.
    """
    if not entity.properties.requires_session:
        raise InvalidRequestError(f"queue {entity.name!r} has no sessions", hint="Receive from it without one")
    if session is None:
        session = _next(connection, entity)
        if session is None:
            return None
    until = now + entity.properties.lock_duration_s
    row = connection.execute(
        "INSERT INTO sessions(entity, id, lock, locked_until, automatic) "
        "VALUES(?, ?, CAST(? || randomblob(12) AS BLOB), ?, ?) "
        "ON CONFLICT(entity, id) DO UPDATE SET lock = excluded.lock, locked_until = excluded.locked_until, "
        "automatic = excluded.automatic WHERE lock IS NULL RETURNING lock",
        (entity.id, session, core.mark, until, automatic),
    ).fetchall()
    if not row:
        raise SessionLockedError(
            f"session {session[:80]!r} of queue {entity.name!r} is locked by another receiver",
            hint="Try again when its lock has ended, or take the next available session",
        )
    core.times.note_lock(until)
    return SessionLock(entity=entity.name, session=session, token=row[0][0].hex(), locked_until=until)


def held(connection: sqlite3.Connection, now: float, entity: Entity, session: str, token: str) -> float:
    """Return when the session's lock ends. Raises `LockLostError` when the token does not hold it."""
    row = connection.execute(
        "SELECT locked_until FROM sessions WHERE entity = ? AND id = ? AND lock = ? AND locked_until > ?",
        (entity.id, session, _lock(token), now),
    ).fetchone()
    if row is None:
        raise LockLostError(
            f"the lock of session {session[:80]!r} of queue {entity.name!r} is no longer held",
            hint="Accept the session again",
        )
    return float(row[0])


def renew_session(
    core: Core, connection: sqlite3.Connection, now: float, entity: Entity, session: str, token: str
) -> float:
    """Lock the session, and its locked messages, for another lock duration. Raises `LockLostError`."""
    held(connection, now, entity, session, token)
    until = now + entity.properties.lock_duration_s
    connection.execute("UPDATE sessions SET locked_until = ? WHERE entity = ? AND id = ?", (until, entity.id, session))
    connection.execute(
        "UPDATE messages SET locked_until = ? WHERE locked_until IS NOT NULL AND entity = ? AND session = ?",
        (until, entity.id, session),
    )
    core.times.note_lock(until)
    return until


def get_state(connection: sqlite3.Connection, now: float, entity: Entity, session: str, token: str) -> bytes | None:
    """Return the session's state, None when none is set. Raises `LockLostError`."""
    held(connection, now, entity, session, token)
    state: bytes | None = connection.execute(
        "SELECT state FROM sessions WHERE entity = ? AND id = ?", (entity.id, session)
    ).fetchone()[0]
    return state


def set_state(
    connection: sqlite3.Connection, now: float, entity: Entity, session: str, token: str, state: bytes | None
) -> None:
    """Keep a state with the session, or none. Raises `LockLostError`, `InvalidRequestError` over 256 KB."""
    if state is not None and len(state) > STATE_BYTES:
        raise InvalidRequestError(f"a session state of {len(state)} bytes is over {STATE_BYTES}")
    held(connection, now, entity, session, token)
    connection.execute("UPDATE sessions SET state = ? WHERE entity = ? AND id = ?", (state, entity.id, session))


def unlock(core: Core, connection: sqlite3.Connection, entity: Entity, session: str) -> None:
    """End the session's lock; a session without state is forgotten."""
    connection.execute(
        f"UPDATE sessions SET lock = NULL, locked_until = NULL, head = {_HEAD} WHERE entity = ? AND id = ?",  # noqa: S608
        (entity.id, session),
    )
    connection.execute(
        "DELETE FROM sessions WHERE entity = ? AND id = ? AND state IS NULL AND head IS NULL", (entity.id, session)
    )
    core.touched.add(entity.id)


def unlock_ended(core: Core, connection: sqlite3.Connection, now: float) -> None:
    """End all session locks whose time is over. Their messages have been given back already."""
    ended = connection.execute("SELECT entity, id FROM sessions WHERE locked_until <= ?", (now,)).fetchall()
    for entity_id, session in ended:
        unlock(core, connection, core.entities.by_id[entity_id], session)


def note_ready(connection: sqlite3.Connection, entity: Entity, session: str, sequence: int) -> None:
    """Say that a session has a ready message."""
    connection.execute(
        "INSERT INTO sessions(entity, id, head) VALUES(?, ?, ?) "
        "ON CONFLICT(entity, id) DO UPDATE SET head = coalesce(head, excluded.head)",
        (entity.id, session, sequence),
    )


def release(core: Core, connection: sqlite3.Connection, now: float, entity: Entity, session: str, token: str) -> None:
    """End a lock that its holder gives up: its locked messages go back uncounted. A lost lock changes nothing."""
    try:
        held(connection, now, entity, session, token)
    except LockLostError:
        return
    connection.execute(
        "UPDATE messages SET state = CASE state WHEN 1 THEN 4 ELSE state END, lock = NULL, locked_until = NULL, "
        "count = count - 1 WHERE locked_until IS NOT NULL AND entity = ? AND session = ?",
        (entity.id, session),
    )
    unlock(core, connection, entity, session)


def listed(connection: sqlite3.Connection, entity: Entity) -> list[str]:
    """Return the ids of the sessions that have messages or a state, sorted."""
    rows = connection.execute(
        "SELECT session FROM messages WHERE entity = ? AND session IS NOT NULL "
        "UNION SELECT id FROM sessions WHERE entity = ? AND state IS NOT NULL",
        (entity.id, entity.id),
    )
    return sorted(session for (session,) in rows)


def release_if_done(core: Core, connection: sqlite3.Connection, entity: Entity, session: str) -> None:
    """End an automatic lock when none of the session's messages is locked any more."""
    if not entity.properties.requires_session:
        return
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT automatic FROM sessions WHERE entity = ? AND id = ? AND lock IS NOT NULL", (entity.id, session)
    ).fetchone()
    if row is None or not row[0]:
        return
    locked = connection.execute(
        "SELECT 1 FROM messages WHERE locked_until IS NOT NULL AND entity = ? AND session = ? LIMIT 1",
        (entity.id, session),
    ).fetchone()
    if locked is None:
        unlock(core, connection, entity, session)


def _next(connection: sqlite3.Connection, entity: Entity) -> str | None:
    """Return the free session that has waited longest and still has a message."""
    while row := connection.execute(_NEXT, (entity.id,)).fetchone():
        session: str = row[0]
        head = connection.execute(
            f"UPDATE sessions SET head = {_HEAD} WHERE entity = ? AND id = ? RETURNING head",  # noqa: S608
            (entity.id, session),
        ).fetchall()
        if head[0][0] is not None:
            return session
        connection.execute("DELETE FROM sessions WHERE entity = ? AND id = ? AND state IS NULL", (entity.id, session))
    return None


def _lock(token: str) -> bytes:
    try:
        return bytes.fromhex(token)
    except ValueError:
        return b""
