"""The `Atomic` port: documents and messages in one transaction, as one unit of the writer thread."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import assert_never

from vextir_os.adapters.sqlite import documents, messages, settle
from vextir_os.adapters.sqlite.core import Core
from vextir_os.adapters.sqlite.database import Database
from vextir_os.adapters.sqlite.store import SqliteStore
from vextir_os.errors import AlreadyExistsError, ConflictError, LockLostError, NotFoundError
from vextir_os.ports.atomic import Complete, Create, Operation, Replace, Send

_Step = Callable[[sqlite3.Connection, float], str]


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

    async def transact(self, operations: Sequence[Operation], *, durable: bool = True) -> Sequence[str]:
        """As the port says.

        Raises:
            NotFoundError: A send names no queue. Nothing was applied.
        """
        steps = [self._step(operation) for operation in operations]
        run = partial(_run, self._core, [step for step in operations if isinstance(step, Send)], steps)
        # Sends are checked before anything is written. A conditional operation that comes first has written nothing
        # when it fails, and nothing behind it can fail for its content: then there is nothing to undo.
        single = not any(map(_is_conditional, operations[1:]))
        etags: list[str] = await self._database.submit(run, durable=durable, single=single)
        return etags

    def _step(self, operation: Operation) -> _Step:
        if isinstance(operation, Replace):
            new = self._store.prepare(operation.container, operation.document)
            return partial(_replace, new, operation.if_match)
        if isinstance(operation, Create):
            new = self._store.prepare(operation.container, operation.document)
            return partial(_create, new, operation.exists_ok)
        if isinstance(operation, Send):
            messages.check_time(operation.at)
            prepared = [messages.prepare(message) for message in operation.messages]
            return partial(_send, self._core, operation.entity, prepared, operation.at)
        if isinstance(operation, Complete):
            return partial(_complete, self._core, operation.token)
        assert_never(operation)


def _is_conditional(operation: Operation) -> bool:
    return isinstance(operation, Replace) or (isinstance(operation, Create) and not operation.exists_ok)


def _run(
    core: Core, sends: Sequence[Send], steps: Sequence[_Step], connection: sqlite3.Connection, now: float
) -> list[str]:
    for send in sends:
        messages.check_entity(core.entities.named(send.entity), send.messages)
    return [step(connection, now) for step in steps]


def _create(new: documents.Prepared, exists_ok: bool, connection: sqlite3.Connection, now: float) -> str:
    try:
        return documents.create(connection, now, new)
    except AlreadyExistsError:
        if exists_ok:
            return ""
        raise


def _replace(new: documents.Prepared, if_match: str, connection: sqlite3.Connection, now: float) -> str:
    try:
        return documents.replace(connection, now, new, if_match)
    except NotFoundError as error:
        raise ConflictError(
            f"document {new.container}/{new.id} is gone (expected etag {if_match[:40]!r})", hint="Read it again"
        ) from error


def _send(
    core: Core,
    name: str,
    prepared: Sequence[messages.Prepared],
    at: float | None,
    connection: sqlite3.Connection,
    now: float,
) -> str:
    messages.insert(core, connection, now, core.entities.named(name), prepared, at)
    return ""


def _complete(core: Core, token: str, connection: sqlite3.Connection, now: float) -> str:
    with suppress(LockLostError):
        settle.complete(core, connection, now, token)
    return ""
