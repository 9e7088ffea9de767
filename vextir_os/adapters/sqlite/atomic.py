"""The `Atomic` port: documents and messages in one transaction, as one unit of the writer thread."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple, assert_never

from vextir_os.adapters.sqlite import documents, messages, settle
from vextir_os.adapters.sqlite.bulk import Plan
from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.database import Database
from vextir_os.adapters.sqlite.store import SqliteStore
from vextir_os.errors import AlreadyExistsError, ConflictError, LockLostError, NotFoundError
from vextir_os.ports.atomic import Complete, Create, Operation, Replace, Send


class _Create(NamedTuple):
    new: documents.Prepared
    exists_ok: bool


class _Replace(NamedTuple):
    new: documents.Prepared
    if_match: str


class _Send(NamedTuple):
    entity: str
    batch: Sequence[messages.Prepared]
    at: float | None


_Step = _Create | _Replace | _Send | Complete
"""An operation, checked and encoded."""


class SqliteAtomic:
    """All or nothing, over the store and the queues of one file.

    Args:
        database: Where the work is done.
        core: What the writer thread knows of the broker.
        store: Encodes documents.
    """

    def __init__(self, database: Database, core: Core, store: SqliteStore) -> None:
        self._database = database
        self._core = core
        self._store = store

    def transact(self, operations: Sequence[Operation], *, durable: bool = True) -> "asyncio.Future[Sequence[str]]":
        """As the port says.

        Raises:
            NotFoundError: A send names no queue. Nothing was applied.
        """
        steps = [self._step(operation) for operation in operations]
        plan = _plan(steps)
        # Sends are checked before anything is written. A conditional operation that comes first has written nothing
        # when it fails, and nothing behind it can fail for its content: then there is nothing to undo.
        single = plan is not None or not any(map(_is_conditional, steps[1:]))
        run = partial(_run, self._core, steps)
        return self._database.submit(run, durable=durable, single=single, plan=plan)

    def _step(self, operation: Operation) -> _Step:
        if isinstance(operation, Complete):
            return operation
        if isinstance(operation, Replace):
            return _Replace(self._store.prepare(operation.container, operation.document), operation.if_match)
        if isinstance(operation, Create):
            return _Create(self._store.prepare(operation.container, operation.document), operation.exists_ok)
        if isinstance(operation, Send):
            messages.check_time(operation.at)
            return _Send(operation.entity, [messages.prepare(message) for message in operation.messages], operation.at)
        assert_never(operation)


def _is_conditional(step: _Step) -> bool:
    return isinstance(step, _Replace) or (isinstance(step, _Create) and not step.exists_ok)


def _plan(steps: Sequence[_Step]) -> Plan | None:
    """Return the commit of a run as a plan: a document, then what it sends now, then its message; None for others."""
    first = steps[0]
    if isinstance(first, _Create):
        if first.exists_ok:
            return None
        if_match = None
    elif isinstance(first, _Replace):
        if_match = documents.parse_etag(first.if_match)
    else:
        return None
    sends: list[tuple[str, Sequence[messages.Prepared]]] = []
    complete = None
    for step in steps[1:]:
        if isinstance(step, Complete) and complete is None:
            complete = messages.find_lock(step.token)
        elif isinstance(step, _Send) and step.at is None:
            sends.append((step.entity, step.batch))
        else:
            return None
    return Plan(first.new, if_match, sends, complete, len(steps))


def _run(core: Core, steps: Sequence[_Step], connection: sqlite3.Connection, now: float) -> list[str]:
    for step in steps:
        if isinstance(step, _Send):
            messages.check_entity(core.entities.named(step.entity), step.batch)
    return [_apply(core, step, connection, now) for step in steps]


def _apply(core: Core, step: _Step, connection: sqlite3.Connection, now: float) -> str:
    if isinstance(step, _Replace):
        return _replace(connection, now, step)
    if isinstance(step, _Create):
        return _create(connection, now, step)
    if isinstance(step, _Send):
        messages.insert(core, connection, now, core.entities.named(step.entity), step.batch, step.at)
    else:
        with suppress(LockLostError):
            settle.complete(core, connection, now, step.token)
    return ""


def _create(connection: sqlite3.Connection, now: float, step: _Create) -> str:
    try:
        return documents.create(connection, now, step.new)
    except AlreadyExistsError:
        if step.exists_ok:
            return ""
        raise


def _replace(connection: sqlite3.Connection, now: float, step: _Replace) -> str:
    new, if_match = step
    try:
        return documents.replace(connection, now, new, if_match)
    except NotFoundError as error:
        raise ConflictError(
            f"document {new.container}/{new.id} is gone (expected etag {if_match[:40]!r})", hint="Read it again"
        ) from error
