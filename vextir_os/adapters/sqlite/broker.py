"""The broker: named entities with the semantics of Azure Service Bus queues, over one SQLite file.

The `Queue` port is a narrow view of it (`queue.py`), the local Service Bus endpoint a wide one. This file only carries
each operation to the writer thread; what an operation does stands in `messages`, `receive`, `settle` and `sessions`.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from vextir_os.adapters.sqlite import browse, messages, receive, sessions, settle, timers
from vextir_os.adapters.sqlite.bulk import Plan
from vextir_os.adapters.sqlite.core import Core, mark_of
from vextir_os.adapters.sqlite.database import Database
from vextir_os.adapters.sqlite.entities import Entity, EntityProperties
from vextir_os.adapters.sqlite.sessions import SessionLock
from vextir_os.adapters.sqlite.units import Waiter
from vextir_os.errors import InvalidRequestError
from vextir_os.ports.queue import Delivery, Message

BATCH = 1000
"""Messages in one receive, at most."""


class Broker:
    """All entities of one file. Every method may raise `StoreUnavailableError` and what it says of the database.

    Args:
        database: Where the work is done.
        core: What the writer thread knows; the same that the database's companion has.
    """

    def __init__(self, database: Database, core: Core) -> None:
        self._database = database
        self._core = core

    async def declare(self, name: str, properties: EntityProperties | None = None) -> None:
        """Create an entity and its dead-letter sub-queue, or change its properties; the same again is harmless.

        Raises:
            InvalidRequestError: Wrong syntax of the name, or `requires_session` would change.
            NotFoundError: The entity that is to get the dead letters does not exist.
        """
        entities = self._core.entities
        wanted = properties or EntityProperties()
        await self._database.submit(lambda connection, _: entities.declare(connection, name, wanted))

    async def names(self) -> Sequence[str]:
        """Return the names of all entities, dead-letter sub-queues included."""
        found: list[str] = await self._database.submit(lambda *_: self._core.entities.names(), durable=False)
        return found

    async def properties(self, name: str) -> EntityProperties:
        """Return the properties of an entity. Raises `NotFoundError` with the nearest name."""
        return (await self._entity(name)).properties

    def send(self, name: str, batch: Sequence[Message], *, at: float | None = None) -> "asyncio.Future[list[int]]":
        """Send messages, all or none, durably; the future gives their sequence numbers.

        A message whose id is within the duplicate window is dropped; its number is that of the first one.

        Args:
            name: The entity, in any case.
            batch: The messages.
            at: Epoch seconds before which none is delivered.

        Raises:
            NotFoundError: No such entity; the message names the nearest.
            InvalidRequestError, TooLargeError: A message cannot be taken.
        """
        messages.check_time(at)
        prepared = [messages.prepare(message) for message in batch]
        plan = Plan(sends=((name, prepared),)) if at is None else None
        run = partial(_send, self._core, name, prepared, at)
        return self._database.submit(run, single=len(prepared) == 1, plan=plan)

    async def cancel_scheduled(self, name: str, sequence: int) -> None:
        """Remove a message that is still scheduled. Raises `NotFoundError`."""
        await self._database.submit(partial(browse.cancel, self._core, name, sequence), single=True)

    async def receive(self, name: str, limit: int, wait: float, *, delete: bool = False) -> Sequence[Delivery]:
        """Lock up to `limit` messages, or remove them with `delete` (at most once); wait for the first one.

        By priority, then fair between flows, then by age. Of an entity with sessions: messages of one session that
        nobody holds, which is released by itself when the last of them is settled.

        Args:
            name: The entity, in any case.
            limit: Messages at most, from 1 to 1000.
            wait: Seconds; 0 does not wait.
            delete: Receive-and-delete: nothing to settle, and lost when the caller dies.

        Raises:
            NotFoundError: No such entity.
            InvalidRequestError: A wrong limit; `delete` on an entity with sessions.
        """
        if not 1 <= limit <= BATCH:
            raise InvalidRequestError(f"a receive of {limit} messages, not of 1 to {BATCH}")

        def attempt(entity: Entity, connection: sqlite3.Connection, now: float) -> list[Delivery] | None:
            return receive.receive(self._core, connection, now, entity, limit, delete=delete) or None

        found: Sequence[Delivery] = await self._waiting(
            name, attempt, wait, (), durable=delete, undo=self._unreceive, places=0 if delete else limit
        )
        return found

    async def receive_deferred(
        self, name: str, sequences: Sequence[int], *, lock: SessionLock | None = None, delete: bool = False
    ) -> Sequence[Delivery]:
        """Lock deferred messages by sequence number, all or none; in a held session where the entity has sessions.

        Raises:
            NotFoundError: One of them is not deferred, or locked already.
            LockLostError: The session is no longer held.
        """
        found: Sequence[Delivery] = await self._database.submit(
            lambda connection, now: receive.receive_deferred(
                self._core, connection, now, self._core.entities.named(name), sequences, lock, delete=delete
            ),
            durable=delete,
            undo=self._unreceive,
        )
        return found

    async def peek(
        self, name: str, limit: int, *, from_sequence: int = 0, session: str = ""
    ) -> Sequence[browse.Peeked]:
        """Return messages in every state without locking any, by sequence number."""
        entity = await self._entity(name)
        found: Sequence[browse.Peeked] = await self._database.read(
            lambda connection, _: browse.peek(connection, entity, limit, from_sequence, session)
        )
        return found

    async def counts(self, name: str) -> browse.Counts:
        """Return how many messages the entity has in each state."""
        entity = await self._entity(name)
        found: browse.Counts = await self._database.read(lambda connection, _: browse.counts(connection, entity))
        return found

    async def _entity(self, name: str) -> Entity:
        """Return an entity, after what time has made due: a read that follows shows nothing that is over."""
        entity: Entity = await self._database.submit(
            lambda *_: self._core.entities.named(name), durable=False, single=True
        )
        return entity

    # Settlement. Each raises LockLostError when the lock is no longer held.

    def complete(self, token: str) -> "asyncio.Future[None]":
        """Remove the message."""
        return self._database.submit(partial(settle.complete, self._core, token=token), single=True)

    def abandon(self, token: str) -> "asyncio.Future[None]":
        """Give the message back at once; its count stays raised, and one too many makes it a dead letter."""
        return self._database.submit(partial(settle.abandon, self._core, token=token), durable=False)

    def release(self, token: str) -> "asyncio.Future[None]":
        """Give the message back as if it had not been delivered."""
        return self._database.submit(partial(settle.abandon, self._core, token=token, counted=False), durable=False)

    def dead_letter(self, token: str, *, reason: str, description: str = "") -> "asyncio.Future[None]":
        """Move the message to the dead letters of its entity."""
        return self._database.submit(
            partial(settle.dead_letter, self._core, token=token, reason=reason, description=description)
        )

    def defer(self, token: str) -> "asyncio.Future[None]":
        """Set the message aside, to be received by its sequence number only."""
        return self._database.submit(partial(settle.defer, self._core, token=token))

    def renew(self, token: str) -> "asyncio.Future[float]":
        """Lock for another lock duration; the future gives its end in epoch seconds."""
        return self._database.submit(partial(settle.renew, self._core, token=token), durable=False, single=True)

    def give_up(self, worker: str) -> "asyncio.Future[int]":
        """End every lock that a worker holds whose process is gone; the future gives the number of its messages."""
        return self._database.submit(partial(timers.give_up, self._core, mark=mark_of(worker)), durable=False)

    # Sessions.

    def next_at(self) -> "asyncio.Future[float]":
        """Return when time next changes something, in epoch seconds; infinity for never."""
        return self._database.submit(lambda connection, _: timers.next_at(connection), durable=False, single=True)

    async def accept_session(self, name: str, session: str | None, wait: float) -> SessionLock | None:
        """Lock a session by name, or the next one that has messages; None when none came within `wait` seconds.

        Raises:
            SessionLockedError: Another receiver holds the named session.
            InvalidRequestError: The entity has no sessions.
        """

        def attempt(entity: Entity, connection: sqlite3.Connection, now: float) -> SessionLock | None:
            return sessions.accept(self._core, connection, now, entity, session, automatic=False)

        found: SessionLock | None = await self._waiting(name, attempt, wait, None, durable=False, undo=self._unaccept)
        return found

    async def receive_in_session(
        self, lock: SessionLock, limit: int, wait: float, *, delete: bool = False
    ) -> Sequence[Delivery]:
        """Lock up to `limit` messages of a held session, the oldest first. Raises `LockLostError`."""
        if not 1 <= limit <= BATCH:
            raise InvalidRequestError(f"a receive of {limit} messages, not of 1 to {BATCH}")

        def attempt(entity: Entity, connection: sqlite3.Connection, now: float) -> list[Delivery] | None:
            found = receive.receive_in_session(
                self._core, connection, now, entity, lock.session, lock.token, limit, delete=delete
            )
            return found or None

        found: Sequence[Delivery] = await self._waiting(
            lock.entity, attempt, wait, (), durable=delete, undo=self._unreceive
        )
        return found

    def renew_session(self, lock: SessionLock) -> "asyncio.Future[float]":
        """Lock the session for another lock duration; the future gives its end. Raises `LockLostError`."""
        return self._in_session(lock, partial(sessions.renew_session, self._core), durable=False)

    def release_session(self, lock: SessionLock) -> "asyncio.Future[None]":
        """End the lock; messages still locked in it go back uncounted. A lock that is lost already is no error."""
        return self._in_session(lock, partial(sessions.release, self._core), durable=False)

    def session_state(self, lock: SessionLock) -> "asyncio.Future[bytes | None]":
        """Give the session's state. Raises `LockLostError`."""
        return self._in_session(lock, sessions.get_state, durable=False)

    def set_session_state(self, lock: SessionLock, state: bytes | None) -> "asyncio.Future[None]":
        """Keep a state with the session; None removes it. Raises `LockLostError`."""
        return self._in_session(lock, partial(sessions.set_state, state=state), durable=True)

    async def sessions(self, name: str) -> Sequence[str]:
        """Return the ids of the sessions that have messages or a state."""
        found: Sequence[str] = await self._database.submit(
            lambda connection, _: sessions.listed(connection, self._core.entities.named(name)),
            durable=False,
            single=True,
        )
        return found

    def _in_session(self, lock: SessionLock, run: Callable[..., Any], *, durable: bool) -> "asyncio.Future[Any]":
        return self._database.submit(
            lambda connection, now: run(
                connection, now, self._core.entities.named(lock.entity), lock.session, lock.token
            ),
            durable=durable,
        )

    def _waiting(
        self,
        name: str,
        attempt: Callable[[Entity, sqlite3.Connection, float], Any],
        wait: float,
        nothing: Any,
        *,
        durable: bool,
        undo: Callable[[Any], None],
        places: int = 0,
    ) -> "asyncio.Future[Any]":
        until = self._database.clock.monotonic() + wait

        def first(connection: sqlite3.Connection, now: float) -> Any:
            entity = self._core.entities.named(name)
            found = attempt(entity, connection, now)
            if found is not None:
                return found
            if not wait > 0:
                return nothing
            # Looked up anew each time: the properties may change while somebody waits.
            again = partial(_again, self._core, entity.id, attempt)
            return Waiter(entity.id, again, until, nothing, places)

        return self._database.submit(first, durable=durable, single=True, undo=undo)

    def _unreceive(self, found: Sequence[Delivery]) -> None:
        """Give back what nobody waits for any more: the task that asked for it was cancelled."""
        for delivery in found:
            if delivery.token:
                self._database.submit(partial(settle.release_quietly, self._core, token=delivery.token), durable=False)

    def _unaccept(self, lock: SessionLock | None) -> None:
        if lock is not None:
            self.release_session(lock)


def _again(
    core: Core,
    entity_id: int,
    attempt: Callable[[Entity, sqlite3.Connection, float], Any],
    connection: sqlite3.Connection,
    now: float,
) -> Any:
    return attempt(core.entities.by_id[entity_id], connection, now)


def _send(
    core: Core,
    name: str,
    prepared: Sequence[messages.Prepared],
    at: float | None,
    connection: sqlite3.Connection,
    now: float,
) -> list[int]:
    return messages.insert(core, connection, now, core.entities.named(name), prepared, at)
