"""One worker's hold on one record: every write to it goes through here, one after the other.

The four rules of every write (PROTOCOL 3): the assertion is made on the very copy that is written; a refused ETag means
read, assert, change, write again; no answer is not "no"; a decision rests on a write.

Two ways to make a commit take effect. Where store and queue share a transaction (`Atomic`), record, published
events, knocks and settlement are one write. Elsewhere the record carries an outbox, which is published and then
removed from it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from vextir_os.errors import (
    AlreadyExistsError,
    ConflictError,
    LostRunError,
    NotFoundError,
    StoreError,
    StoreUnavailableError,
)
from vextir_os.events.identity import Signer
from vextir_os.events.jsonio import Raw
from vextir_os.ports.atomic import Atomic, Complete, Create, Operation, Replace, Send
from vextir_os.ports.clock import Clock
from vextir_os.ports.queue import Message, Queue
from vextir_os.ports.store import Document, Store
from vextir_os.runs.lanes import by_queue
from vextir_os.runs.messages import stored_event_message
from vextir_os.runs.ordering import with_move
from vextir_os.runs.record import EVENTS, Lane, OutboxEntry, RecordDoc, remove_applied, with_due

_TRIES = 20
"""Times that one change may meet another's write, or no answer, before the delivery is given back."""

_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 1.0
"""Pauses while the store does not answer, from and to: with `_TRIES` of them 14 s, a little less than the margin that
a lease has over the driver's time-out."""


@dataclass(frozen=True, slots=True)
class ScheduledMessage:
    """A message that goes out with a write, to a lane; `at` in epoch seconds, None for now."""

    message: Message
    at: float | None = None
    lane: Lane = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emit:
    """An event that a write publishes, named by (run, rerun, n)."""

    run: str
    rerun: int
    n: int
    message: Message

    def entry(self) -> OutboxEntry:
        """Return it as an outbox holds it."""
        return {"n": self.n, "run": self.run, "rerun": self.rerun, "do": "emit", "event": Raw(self.message.body)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A document that a write brings into being; its id is derived, so that a second time changes nothing."""

    run: str
    rerun: int
    n: int
    container: str
    doc: dict[str, Any]

    def entry(self) -> OutboxEntry:
        """Return it as an outbox holds it."""
        return {
            "n": self.n, "run": self.run, "rerun": self.rerun, "do": "put", "container": self.container, "doc": self.doc
        }  # fmt: skip


Effect = Emit | Put


class Change(NamedTuple):
    """What one write does to a record.

    Attributes:
        record: The new copy; `due` and `ttl` are set by the keeper.
        touched: The drivers whose runs it changes; by their state and fence an own write is recognised.
        effects: What takes effect with it: through the outbox, or at once where store and queue share a transaction.
        knocks: Messages to send after it; losing one costs time, never the run.
    """

    record: RecordDoc
    touched: Sequence[str] = ()
    effects: Sequence[Effect] = ()
    knocks: Sequence[ScheduledMessage] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What writing records needs: the ports, the signature, how long finished records are kept.

    Attributes:
        retention_s: How long a finished record is kept.
        letters_s: How long a dead letter is kept.
        queue: Where events come in, and the knocks of a lane without a queue of its own.
        ordered: Where ordered events come in; its sessions are their keys.
        lanes: The queues of the other lanes; without any, whoever receives executes all.
        missed: Told of a write that was refused or got no answer, before it is looked at again.
    """

    clock: Clock
    store: Store
    queue: Queue
    ordered: Queue
    signer: Signer
    atomic: Atomic | None
    retention_s: int
    letters_s: int
    missed: Callable[[StoreError], None] = lambda _error: None
    lanes: Mapping[Lane, Queue] = field(default_factory=dict)

    def queue_of(self, lane: Lane) -> Queue:
        """Return the queue of a lane."""
        return self.lanes.get(lane, self.queue)

    def lane_of(self, entity: str) -> Lane | None:
        """Return the lane that a queue belongs to; None when there is one queue for all."""
        if not self.lanes or entity == self.queue.name:
            return "batch" if self.lanes else None
        return next((lane for lane, queue in self.lanes.items() if queue.name == entity), "batch")

    async def send(self, messages: Sequence[Message], *, at: float | None = None) -> None:
        """Send each message to the queue that it belongs to, in their order; `at`: epoch seconds, not before."""
        for queue, batch in self.by_queue(messages):
            await queue.send(batch, at=at)

    def by_queue(self, messages: Sequence[Message]) -> Sequence[tuple[Queue, Sequence[Message]]]:
        """Return the messages of events by the queue that they belong to."""
        return by_queue(messages, self.queue, ordered=self.ordered, urgent=self.queue_of("high"))


class Keeper:
    """The newest known copy of one record and its ETag. Made by `create` or `read`."""

    __slots__ = ("_desk", "_etag", "_lock", "record")

    def __init__(self, desk: Desk, record: RecordDoc, etag: str) -> None:
        self.record = record
        self._desk = desk
        self._etag = etag
        self._lock: asyncio.Lock | None = None

    @classmethod
    async def create(
        cls, desk: Desk, first: Change, *, settle: str | None = None, durable: bool = True
    ) -> "Keeper | None":
        """Create a record, and what it publishes, and return its keeper.

        None when a record is there already, be it from this very call.

        Args:
            desk: The ports.
            first: The record, as `new_record` or later transitions made it, with its effects.
            settle: Lock token of the delivery to complete with it, where the store can.
            durable: False when only a lease is at stake: see `Atomic.transact`.
        """
        now = desk.clock.time()
        if desk.atomic is None:
            record = _stored(first.record, first, now=now, retention_s=desk.retention_s)
        else:
            record = with_due({**first.record}, now=now, retention_s=desk.retention_s)
        try:
            if desk.atomic is None:
                etag = await desk.store.create(EVENTS, cast(Document, record))
            else:
                operations = [Create(EVENTS, cast(Document, record)), *_operations(desk, first)]
                if settle is not None:
                    operations.append(Complete(settle))
                etag = (await desk.atomic.transact(operations, durable=durable))[0]
        except AlreadyExistsError:
            return None
        except StoreUnavailableError as error:
            # No answer is not "no".
            desk.missed(error)
            with contextlib.suppress(NotFoundError):
                await desk.store.read(EVENTS, record["pk"], record["id"])
                return None
            raise
        keeper = cls(desk, record, etag)
        if desk.atomic is None:
            await keeper._follow_up(first)
        return keeper

    @classmethod
    async def read(cls, desk: Desk, pk: str, id: str) -> "Keeper":  # noqa: A002
        """Return the keeper of a record as it is now. Raises `NotFoundError`."""
        stored = await desk.store.read(EVENTS, pk, id)
        return cls(desk, cast(RecordDoc, stored.document), stored.etag)

    async def write(
        self,
        change: Callable[[RecordDoc, float], Change],
        *,
        settle: Callable[[], str | None] = lambda: None,
        durable: bool = True,
    ) -> bool:
        """Apply a change to the newest copy, and what it publishes; say whether the delivery was settled with it.

        Args:
            change: From the copy and the store's time to the change; asserts, and is called again on a newer copy.
            settle: Asked just before the write for the lock token to complete with it; None for none.
            durable: False when only a lease is at stake.

        Raises:
            LostRunError: The assertion failed; nothing was written.
            StoreUnavailableError: The store did not answer, or others were always first.
        """
        async with self._turn():
            if self._desk.atomic is not None:
                return await self._write_at_once(self._desk.atomic, change, settle, durable)
            await self._follow_up(await self._write_record(change))
            return False

    async def publish_left(self) -> None:
        """Publish what a commit left in the outbox of the stored copy, then remove exactly that.

        What stands there for the order of a key stays: `processor.keys` acts on it.
        """
        async with self._turn():
            left = [entry for entry in self.record["outbox"] if entry["do"] in ("emit", "put")]
            await self._publish([_effect(self._desk.signer, entry) for entry in left])

    async def drop(self, entries: Sequence[OutboxEntry]) -> None:
        """Remove exactly these entries from the outbox; somebody else may have done so."""
        with contextlib.suppress(LostRunError):
            await self.write(_removal(entries), durable=False)

    async def refresh(self) -> None:
        """Read the record again. Raises `NotFoundError`."""
        async with self._turn():
            await self._refresh()

    def _turn(self) -> asyncio.Lock:
        # Most records are created with their outcome and never written to again.
        if self._lock is None:
            self._lock = asyncio.Lock()
        return self._lock

    async def _write_at_once(
        self,
        atomic: Atomic,
        change: Callable[[RecordDoc, float], Change],
        settle: Callable[[], str | None],
        durable: bool,
    ) -> bool:
        wanted: Change | None = None
        for turn in range(_TRIES):
            if wanted is not None and _landed(wanted, self.record):
                # With all that stood in its transaction; the caller finds its delivery settled.
                return False
            now = self._desk.clock.time()
            wanted = change(self.record, now)
            after = with_move(self.record, wanted.record) if "key" in wanted.record else wanted.record
            record = with_due({**after}, now=now, retention_s=self._desk.retention_s)
            operations: list[Operation] = [Replace(EVENTS, cast(Document, record), self._etag)]
            operations.extend(_operations(self._desk, wanted))
            token = settle()
            if token is not None:
                operations.append(Complete(token))
            try:
                self._etag = (await atomic.transact(operations, durable=durable))[0]
            except (ConflictError, StoreUnavailableError) as error:
                await self._recover(error, turn)
                continue
            self.record = record
            return token is not None
        raise self._crowded()

    async def _write_record(self, change: Callable[[RecordDoc, float], Change]) -> Change:
        wanted: Change | None = None
        for turn in range(_TRIES):
            if wanted is not None and _landed(wanted, self.record):
                return wanted
            now = self._desk.clock.time()
            wanted = change(self.record, now)
            record = _stored(self.record, wanted, now=now, retention_s=self._desk.retention_s)
            try:
                self._etag = await self._desk.store.replace(EVENTS, cast(Document, record), if_match=self._etag)
            except (ConflictError, StoreUnavailableError) as error:
                await self._recover(error, turn)
                continue
            self.record = record
            return wanted
        raise self._crowded()

    async def _follow_up(self, written: Change) -> None:
        await self._publish(written.effects)
        for knock in written.knocks:
            await self._desk.queue_of(knock.lane).send([knock.message], at=knock.at)

    async def _publish(self, effects: Sequence[Effect]) -> None:
        if not effects:
            return
        for effect in effects:
            if isinstance(effect, Emit):
                await self._desk.send([effect.message])
            else:
                with contextlib.suppress(AlreadyExistsError):
                    await self._desk.store.create(effect.container, effect.doc)
        # Of many that publish the same entries the first one removes them, and the others write nothing.
        with contextlib.suppress(LostRunError):
            await self._write_record(_removal([effect.entry() for effect in effects]))

    async def _recover(self, error: ConflictError | StoreUnavailableError, turn: int) -> None:
        """Read the record again after a write that was refused, or got no answer.

        No answer is not "no": an SDK's own retry turns a lost answer into a refused ETag as well. Through an outage
        shorter than the margin of a lease the finished work of a run is kept, and nobody pays for it twice.
        """
        self._desk.missed(error)
        if isinstance(error, StoreUnavailableError):
            await asyncio.sleep(min(_LONGEST_PAUSE_S, _PAUSE_S * 2**turn))
        try:
            await self._refresh()
        except StoreUnavailableError:
            if turn == _TRIES - 1:
                raise

    async def _refresh(self) -> None:
        stored = await self._desk.store.read(EVENTS, self.record["pk"], self.record["id"])
        self.record, self._etag = cast(RecordDoc, stored.document), stored.etag

    def _crowded(self) -> StoreUnavailableError:
        return StoreUnavailableError(f"record {self.record['id']} was changed by others {_TRIES} times in a row")


def _removal(entries: Sequence[OutboxEntry]) -> Callable[[RecordDoc, float], Change]:
    def removed(record: RecordDoc, _now: float) -> Change:
        left = remove_applied(record, entries)
        if len(left["outbox"]) == len(record["outbox"]):
            raise LostRunError(f"the outbox of record {record['id']} holds nothing of it any more")
        return Change(record=left)

    return removed


def _stored(before: RecordDoc, wanted: Change, *, now: float, retention_s: int) -> RecordDoc:
    outbox = [*wanted.record["outbox"], *(effect.entry() for effect in wanted.effects)]
    record: RecordDoc = {**wanted.record, "outbox": outbox}
    if "key" in record:
        record = {**with_move(before, record)}
    return with_due(record, now=now, retention_s=retention_s)


def _effect(signer: Signer, entry: OutboxEntry) -> Effect:
    if entry["do"] == "emit":
        message = stored_event_message(signer, entry["event"])
        return Emit(run=entry["run"], rerun=entry["rerun"], n=entry["n"], message=message)
    return Put(
        run=entry["run"], rerun=entry["rerun"], n=entry["n"], container=entry["container"], doc=entry["doc"]
    )  # fmt: skip


def _operations(desk: Desk, wanted: Change) -> list[Operation]:
    operations: list[Operation] = [
        Create(effect.container, effect.doc, exists_ok=True) for effect in wanted.effects if isinstance(effect, Put)
    ]
    emitted = [effect.message for effect in wanted.effects if isinstance(effect, Emit)]
    if emitted:
        operations.extend(Send(queue.name, batch) for queue, batch in desk.by_queue(emitted))
    operations.extend(Send(desk.queue_of(knock.lane).name, [knock.message], knock.at) for knock in wanted.knocks)
    return operations


def _landed(wanted: Change, stored: RecordDoc) -> bool:
    def same(driver: str) -> bool:
        mine, theirs = wanted.record["runs"][driver], stored["runs"].get(driver)
        return theirs is not None and _mark(mine) == _mark(theirs)

    return bool(wanted.touched) and all(same(driver) for driver in wanted.touched)


def _mark(run: Any) -> tuple[Any, ...]:
    return run["state"], run["fence"], run["owner"], run["attempt"]
