"""Hands messages out: the next ones of an entity or a session, or named ones that were deferred. Runs in the writer.

All of a batch are locked, counted and read by one statement. RETURNING has no order, so rows are sorted here.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.entities import Entity
from vextir_os.adapters.sqlite.messages import HANDED_OUT, delivery, is_sequence
from vextir_os.adapters.sqlite.sessions import SessionLock, accept, held
from vextir_os.errors import InvalidRequestError, NotFoundError
from vextir_os.ports.queue import Delivery

_SESSION = 10  # place of the session among the columns handed out
_NEXT = "SELECT seq FROM messages WHERE entity = ? AND state = 0 ORDER BY priority DESC, turn, seq LIMIT ?"
_NEXT_IN_SESSION = "SELECT seq FROM messages WHERE entity = ? AND state = 4 AND session = ? ORDER BY seq LIMIT ?"
_LOCKED = "lock = CAST(? || randomblob(6) AS BLOB), locked_until = ?, count = count + 1"
_LOCK = f"UPDATE messages SET state = 1, {_LOCKED} WHERE seq IN"  # noqa: S608 - constants only
_TAKE = "DELETE FROM messages WHERE seq IN"

_LOCK_NEXT = f"{_LOCK} ({_NEXT}) RETURNING {HANDED_OUT}"
_TAKE_NEXT = f"{_TAKE} ({_NEXT}) RETURNING {HANDED_OUT}"
_LOCK_IN_SESSION = f"{_LOCK} ({_NEXT_IN_SESSION}) RETURNING {HANDED_OUT}"
_TAKE_IN_SESSION = f"{_TAKE} ({_NEXT_IN_SESSION}) RETURNING {HANDED_OUT}"
_DEFERRED = f"WHERE seq = ? AND entity = ? AND state = 3 AND lock IS NULL RETURNING {HANDED_OUT}"
_LOCK_DEFERRED = f"UPDATE messages SET {_LOCKED} {_DEFERRED}"  # noqa: S608 - constants only
_TAKE_DEFERRED = f"DELETE FROM messages {_DEFERRED}"  # noqa: S608 - constants only


def receive(
    core: Core, connection: sqlite3.Connection, now: float, entity: Entity, limit: int, *, delete: bool
) -> list[Delivery]:
    """Lock up to `limit` ready messages, or remove them with `delete`; by priority, turn and age.

    Of an entity with sessions: messages of the next session that nobody holds, which is released by itself when the
    last of them is settled.
    """
    if entity.properties.requires_session:
        if delete:
            raise InvalidRequestError(f"queue {entity.name!r} has sessions", hint="Accept one, then receive in it")
        lock = accept(core, connection, now, entity, None, automatic=True)
        if lock is None:
            return []
        return receive_in_session(core, connection, now, entity, lock.session, lock.token, limit, delete=False)
    if delete:
        rows = connection.execute(_TAKE_NEXT, (entity.id, limit)).fetchall()
    else:
        until = now + entity.properties.lock_duration_s
        rows = connection.execute(_LOCK_NEXT, (core.mark, until, entity.id, limit)).fetchall()
        if rows:
            core.times.note_lock(until)
    if len(rows) > 1:
        rows.sort(key=by_turn)
    for row in rows:
        core.turns.serve(entity.id, row[3], row[4])
    return [_out(row, entity, delete) for row in rows]


def receive_in_session(
    core: Core,
    connection: sqlite3.Connection,
    now: float,
    entity: Entity,
    session: str,
    token: str,
    limit: int,
    *,
    delete: bool,
) -> list[Delivery]:
    """Lock up to `limit` messages of a session that is held, the oldest first. Raises `LockLostError`."""
    until = held(connection, now, entity, session, token)
    if delete:
        rows = connection.execute(_TAKE_IN_SESSION, (entity.id, session, limit)).fetchall()
    else:
        rows = connection.execute(_LOCK_IN_SESSION, (core.mark, until, entity.id, session, limit)).fetchall()
    rows.sort()
    return [_out(row, entity, delete) for row in rows]


def receive_deferred(
    core: Core,
    connection: sqlite3.Connection,
    now: float,
    entity: Entity,
    sequences: Sequence[int],
    lock: SessionLock | None,
    *,
    delete: bool,
) -> list[Delivery]:
    """Lock deferred messages by their sequence numbers, all or none; of an entity with sessions, in one that is held.

    Raises:
        NotFoundError: One of them is not deferred, locked already, or in another session.
        LockLostError: The session is no longer held.
        InvalidRequestError: The entity has sessions and none is named.
    """
    until = now + entity.properties.lock_duration_s
    if entity.properties.requires_session:
        if lock is None:
            raise InvalidRequestError(f"queue {entity.name!r} has sessions", hint="Accept one, then receive in it")
        until = held(connection, now, entity, lock.session, lock.token)
    found: list[Delivery] = []
    for sequence in sequences:
        if not is_sequence(sequence):
            row = []
        elif delete:
            row = connection.execute(_TAKE_DEFERRED, (sequence, entity.id)).fetchall()
        else:
            row = connection.execute(_LOCK_DEFERRED, (core.mark, until, sequence, entity.id)).fetchall()
        if not row or (lock is not None and row[0][_SESSION] != lock.session):
            raise NotFoundError(f"queue {entity.name!r} has no deferred message {sequence} that is free")
        found.append(_out(row[0], entity, delete))
    core.times.note_lock(until)
    return found


def _out(row: tuple[Any, ...], entity: Entity, deleted: bool) -> Delivery:
    if deleted:
        # The row as it was: not counted yet.
        row = (row[0], None, None, *row[3:5], row[5] + 1, *row[6:])
    return delivery(row, entity)


def by_turn(row: tuple[Any, ...]) -> tuple[int, int, int]:
    """Return the sort key of a row with the columns `HANDED_OUT`: priority, then turn, then age."""
    return (-row[3], row[4], row[0])
