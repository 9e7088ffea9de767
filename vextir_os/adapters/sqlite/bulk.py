"""What many units of one group write, as a few statements of many rows. Runs in the writer thread.

A statement of 64 rows costs less than 64 statements, and SQLite works it off without Python's lock: the event loop goes
on meanwhile. It is all or nothing: where one row does not fit (a document that is there, an ETag that is old, a lock
that is lost) nothing is kept of any, and each unit runs by itself and gets its own answer or error.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from vextir_os.adapters.sqlite import documents, messages
from vextir_os.adapters.sqlite.core import Core

_ROWS = 64
"""Rows of one statement, at most. A power of two: statements of every such size are kept prepared, and no others."""


class Statement(NamedTuple):
    """An SQL statement for any number of rows: `before`, as many `row` as there are, `after`."""

    before: str
    row: str
    after: str = ""


_CREATE = Statement(f"INSERT INTO documents({documents.COLUMNS}) VALUES", documents.ROW)
_INSERT = Statement(f"INSERT INTO messages({messages.COLUMNS}) VALUES", messages.ROW)
_REPLACE = Statement(
    "UPDATE documents SET version = version + 1, due = n.column3, expires_at = n.column4, lookup = n.column5, "
    "body = n.column6 FROM (VALUES",
    "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ") n WHERE documents.row = n.column1 AND version = n.column2 AND container = n.column7 AND pk = n.column8 "
    "AND id = n.column9 AND (documents.expires_at IS NULL OR documents.expires_at > n.column10)",
)
_COMPLETE = Statement(
    "DELETE FROM messages WHERE seq IN (SELECT m.seq FROM (VALUES",
    "(?, ?, ?)",
    ") n CROSS JOIN messages m ON m.seq = n.column1 AND m.lock = n.column2 AND m.locked_until > n.column3 "
    "AND m.session IS NULL)",
)


class Plan(NamedTuple):
    """What one unit writes, as data: at most one document, messages that are available at once, one settlement.

    Attributes:
        document: A document to create or replace; None for none.
        if_match: Row and version that it replaces; None creates it.
        sends: Queues by name, with what goes to each.
        complete: Sequence number and lock of a message to remove.
        answers: How many operations a transaction has, its document first; 0: the answer is the sequence numbers.
    """

    document: documents.Prepared | None = None
    if_match: tuple[int, int] | None = None
    sends: Sequence[tuple[str, Sequence[messages.Prepared]]] = ()
    complete: tuple[int, bytes] | None = None
    answers: int = 0


def run(core: Core, connection: sqlite3.Connection, now: float, plans: Sequence[Plan]) -> list[Any]:
    """Carry out the plans and return the answer to each; None for one that must run by itself.

    Those that send to queues with sessions or a duplicate window must; and all of them, when one row does not fit.
    """
    plain = [_is_plain(core, plan) for plan in plans]
    together = [plan for plan, fits in zip(plans, plain, strict=True) if fits]
    etags = _write_documents(connection, now, together)
    if etags is None:
        return [None] * len(plans)
    # This cannot fail for what it is, so nothing in memory has to be taken back.
    numbers = _send(core, connection, now, together)
    return [_answer(plan, etags, numbers) if fits else None for plan, fits in zip(plans, plain, strict=True)]


def _is_plain(core: Core, plan: Plan) -> bool:
    for name, _ in plan.sends:
        entity = core.entities.find(name)
        if entity is None or entity.parent is not None:
            return False
        if entity.properties.requires_session or entity.properties.duplicate_window_s:
            return False
    return True


def _write_documents(connection: sqlite3.Connection, now: float, plans: Sequence[Plan]) -> Iterator[str] | None:
    """Write documents and settle messages; return the new ETags in order, or None when nothing was written."""
    created: list[tuple[Any, ...]] = []
    replaced: list[tuple[Any, ...]] = []
    completed: list[tuple[Any, ...]] = []
    for document, if_match, _, complete, _ in plans:
        if document is not None:
            container, pk, key, due, ttl, lookup, body, _ = document
            expires_at = None if ttl is None else now + ttl
            if if_match is None:
                created.append((container, pk, key, due, expires_at, lookup, body))
            else:
                replaced.append((*if_match, due, expires_at, lookup, body, container, pk, key, now))
        if complete is not None:
            completed.append((*complete, now))
    if not (created or replaced or completed):
        return iter(())
    connection.execute("SAVEPOINT bulk")
    try:
        rows = _written(connection, _CREATE, created)
        _written(connection, _REPLACE, replaced)
        _written(connection, _COMPLETE, completed)
    except (_MisfitError, sqlite3.IntegrityError):
        connection.execute("ROLLBACK TO bulk")
        return None
    finally:
        connection.execute("RELEASE bulk")
    numbers = iter(rows)
    return (
        f"{next(numbers)}.1" if plan.if_match is None else f"{plan.if_match[0]}.{plan.if_match[1] + 1}"
        for plan in plans
        if plan.document is not None
    )


def _send(core: Core, connection: sqlite3.Connection, now: float, plans: Sequence[Plan]) -> Iterator[int]:
    sent = [(core.entities.named(name), message) for plan in plans for name, batch in plan.sends for message in batch]
    placed = [messages.place(core, now, entity, message) for entity, message in sent]
    numbers = _written(connection, _INSERT, placed)
    for (_, message), row, number in zip(sent, placed, numbers, strict=True):
        messages.note_placed(core, row, number, message[-1])
    return iter(numbers)


def _answer(plan: Plan, etags: Iterator[str], numbers: Iterator[int]) -> list[Any]:
    own = [next(numbers) for _, batch in plan.sends for _ in batch]
    if not plan.answers:
        return own
    return [next(etags), *[""] * (plan.answers - 1)]


class _MisfitError(Exception):
    """A row found nothing that it fits."""


def _written(connection: sqlite3.Connection, statement: Statement, rows: Sequence[tuple[Any, ...]]) -> list[int]:
    """Write all rows; return the row number that each has got, where it was inserted. Raises `_MisfitError`."""
    numbers: list[int] = []
    at = 0
    while at < len(rows):
        count = min(_ROWS, 1 << ((len(rows) - at).bit_length() - 1))
        cursor = connection.execute(_sql(statement, count), [*chain.from_iterable(rows[at : at + count])])
        if cursor.rowcount != count:
            raise _MisfitError
        # Rows of one statement are numbered in their order, without gaps: nobody else writes meanwhile.
        last = cursor.lastrowid or 0
        numbers.extend(range(last - count + 1, last + 1))
        at += count
    return numbers


@cache
def _sql(statement: Statement, count: int) -> str:
    return f"{statement.before} {', '.join([statement.row] * count)}{statement.after}"
