"""What people do with dead letters: replay one, put an edited event in its place, set it aside. Asks policy, writes.

Of a run the record is written first, and the dead letter marked after it: a crash between leaves a dead letter that
says less than its record, and whoever acts on it next puts it right. Of a message there is no record: its bytes are
sent again as they came, and what they claim is judged anew, so nothing foreign gains trust by it.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from vextir_os.errors import ConflictError, LostRunError, NotFoundError, RunStateError, StoreUnavailableError
from vextir_os.events.attributes import check_prose
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.ports.atomic import Replace, Send
from vextir_os.ports.queue import Message
from vextir_os.ports.store import Stored
from vextir_os.processor.control import allow, new_act
from vextir_os.processor.edits import Edit, edited_event, event_of, kept_message
from vextir_os.processor.intake import Intake
from vextir_os.processor.turn import Parts
from vextir_os.runs.acts import Act, discarded, edited, entry_of, is_own, replayed, settled_by
from vextir_os.runs.deadletter import OPEN, closed, state_of
from vextir_os.runs.keeper import Change, Emit, Keeper, ScheduledMessage
from vextir_os.runs.messages import Knock, knock_message, retry_knock_id
from vextir_os.runs.record import DEAD_LETTERS, ActDoc, Do, Lane, RecordDoc, halts

_TRIES = 5

Letter = dict[str, Any]


class DeadLetters:
    """Acts on dead letters on behalf of a principal.

    All methods raise `NotFoundError` for one that the tenant does not have, `DeniedError` where no policy allows the
    act, `RunStateError` where somebody has dealt with it already, `InvalidEventError` for a reason that is none.

    Args:
        parts: What the stages work with.
        intake: The door that an edited event goes in by.
    """

    def __init__(self, parts: Parts, intake: Intake) -> None:
        self._parts = parts
        self._intake = intake

    async def find(self, letter_id: str, tenant: str) -> Letter:
        """Return a dead letter; of a run with what its record says has become of it."""
        letter = (await self._read(letter_id, tenant)).document
        if letter["kind"] == "run" and state_of(letter) == OPEN:
            with contextlib.suppress(NotFoundError):
                settled = settled_by((await self._keeper(letter)).record, letter["driver"], letter["rerun"])
                return closed(letter, settled) if settled else letter
        return letter

    async def replay(self, letter_id: str, who: Principal, *, reason: str = "") -> Letter:
        """Run a dead run again under the next rerun, or send a message again as it was; return the dead letter."""
        stored, act = await self._begin(letter_id, who, "replay", reason)
        letter = stored.document
        if letter["kind"] != "run":
            return await self._send(stored, act, "replay", await kept_message(letter, self._parts.blobs))
        driver, rerun = letter["driver"], letter["rerun"]

        def change(record: RecordDoc, now: float) -> Change:
            after = replayed(record, driver, act, rerun=rerun, now=now)
            name = retry_knock_id(record["event_id"], driver, rerun + 1, 0)
            # Not `touched`: another's replay leaves the run just as this one does. The act says whose it was.
            return Change(
                record=after, knocks=(self._knock(record, name, lane=record["runs"][driver].get("lane", "batch")),)
            )

        try:
            return await self._with_record(stored, act, change)
        except NotFoundError:
            raise RunStateError(
                f"the record of event {letter['event_id']} is gone, so its run cannot be replayed",
                hint="Publish an event in its place: vextir dead replay ID --edit FILE",
            ) from None

    async def discard(self, letter_id: str, who: Principal, *, reason: str = "") -> Letter:
        """Set a dead letter aside: it is dealt with, and nothing is run; return it."""
        stored, act = await self._begin(letter_id, who, "discard", reason)
        letter = stored.document
        if letter["kind"] == "run":

            def change(record: RecordDoc, now: float) -> Change:
                after = discarded(record, letter["driver"], act, rerun=letter["rerun"], now=now)
                return Change(record=after, knocks=self._freed(record, after, act))

            with contextlib.suppress(NotFoundError):
                return await self._with_record(stored, act, change)
        return await self._mark(stored, entry_of(act, "discard", self._parts.desk.clock.time()))

    async def edit(
        self, letter_id: str, who: Principal, edit: Edit, *, source: str, reason: str = ""
    ) -> tuple[Letter, Event]:
        """Publish a new event in the place of a dead letter, caused by the old one; return both.

        It goes in by the edge, as the caller's: policy is asked whether the caller may publish it. Labels stay.

        Args:
            letter_id: Which.
            who: Who asks, as the edge authenticated.
            edit: What is new.
            source: Of the event: that of the edge.
            reason: Why.

        Raises:
            DeniedError: No policy allows `admin:replay`, or `publish:` of the new event.
            EventError: It is no event that may enter.
        """
        stored, act = await self._begin(letter_id, who, "replay", reason)
        letter = stored.document
        old = None
        if letter["kind"] == "run":
            with contextlib.suppress(NotFoundError):
                old = event_of((await self._keeper(letter)).record)
        draft = edited_event(letter, old, edit)
        [event], [message] = await self._intake.prepare([draft], who, source=source)
        if old is None:
            after = await self._send(stored, act, "edit", message, event.id)
        else:

            def change(record: RecordDoc, now: float) -> Change:
                driver, rerun = letter["driver"], letter["rerun"]
                emit = Emit(run=f"act~{act.id}", rerun=0, n=0, message=message)
                changed = edited(record, driver, act, rerun=rerun, event_id=event.id, now=now)
                return Change(record=changed, effects=(emit,), knocks=self._freed(record, changed, act))

            after = await self._with_record(stored, act, change)
        self._intake.notify(event)
        return after, event

    async def _begin(self, letter_id: str, who: Principal, verb: Do, reason: str) -> tuple[Stored, Act]:
        check_prose("reason", reason)
        stored = await self._read(letter_id, who.tenant)
        allow(self._parts, who, verb, stored.document.get("type", ""))
        if state_of(stored.document) != OPEN:
            raise _dealt_with(stored.document)
        return stored, new_act(who, reason)

    async def _read(self, letter_id: str, tenant: str) -> Stored:
        try:
            return await self._parts.desk.store.read(DEAD_LETTERS, tenant, letter_id)
        except NotFoundError:
            raise NotFoundError(f"there is no dead letter `{letter_id[:128]}`", hint="Run: vextir dead") from None

    async def _keeper(self, letter: Letter) -> Keeper:
        return await Keeper.read(self._parts.desk, letter["record"]["pk"], letter["record"]["id"])

    async def _with_record(self, stored: Stored, act: Act, change: Callable[[RecordDoc, float], Change]) -> Letter:
        """Write the record, then mark the dead letter with what the record says. Raises `NotFoundError`."""
        keeper = await self._keeper(stored.document)

        def asserted(record: RecordDoc, now: float) -> Change:
            if is_own(record, act):
                raise LostRunError("it was this very request that did it")
            return change(record, now)

        try:
            with contextlib.suppress(LostRunError):
                await keeper.write(asserted)
        except RunStateError:
            await self._mark_as(stored, keeper.record)
            raise
        self._parts.observer.recorded(keeper.record)
        return await self._mark_as(stored, keeper.record)

    async def _mark_as(self, stored: Stored, record: RecordDoc) -> Letter:
        """Mark the dead letter of a run with what its record says was done; return it so."""
        settled = settled_by(record, stored.document["driver"], stored.document["rerun"])
        return stored.document if settled is None else await self._mark(stored, settled)

    async def _send(self, stored: Stored, act: Act, do: Do, message: Message, event_id: str = "") -> Letter:
        """Send a message and mark the dead letter, in one transaction where there is one, else in this order."""
        desk = self._parts.desk
        entry = entry_of(act, do, desk.clock.time())
        if event_id:
            entry["event"] = event_id
        if desk.atomic is None:
            # A crash between sends it once more, under the same message id.
            await desk.send([message])
            return await self._mark(stored, entry)
        error: Exception | None = None
        for _ in range(_TRIES):
            after = closed(stored.document, entry)
            try:
                sends = [Send(queue.name, batch) for queue, batch in desk.by_queue([message])]
                await desk.atomic.transact([Replace(DEAD_LETTERS, after, stored.etag), *sends])
            except (ConflictError, StoreUnavailableError) as refused:
                error = refused
            else:
                return after
            stored = await self._read(after["id"], after["pk"])
            if state_of(stored.document) != OPEN:
                if stored.document["closed"]["id"] == act.id:
                    return stored.document
                raise _dealt_with(stored.document)
        raise StoreUnavailableError(f"dead letter {stored.document['id']} could not be written") from error

    async def _mark(self, stored: Stored, entry: ActDoc) -> Letter:
        """Mark the dead letter with what was done; return it so. What is done is done, whether or not that succeeds."""
        for _ in range(_TRIES):
            after = closed(stored.document, entry)
            try:
                await self._parts.desk.store.replace(DEAD_LETTERS, after, if_match=stored.etag)
            except (ConflictError, NotFoundError, StoreUnavailableError):
                with contextlib.suppress(NotFoundError, StoreUnavailableError):
                    stored = await self._read(after["id"], after["pk"])
                if state_of(stored.document) == OPEN:
                    continue
            break
        return after

    def _freed(self, before: RecordDoc, after: RecordDoc, act: Act) -> tuple[ScheduledMessage, ...]:
        """Return the knock that lets a key go on, where its dead head halted it until now."""
        return (self._knock(after, f"act~{act.id}"),) if halts(before) and not halts(after) else ()

    def _knock(self, record: RecordDoc, name: str, lane: Lane = "batch") -> ScheduledMessage:
        knock = Knock(record["id"], record["pk"])
        flow = record["id"].partition("~")[0]
        return ScheduledMessage(knock_message(self._parts.desk.signer, knock, id=name, flow=flow), lane=lane)


def _dealt_with(letter: Letter) -> RunStateError:
    by = letter["closed"]["by"]
    return RunStateError(
        f"dead letter {letter['id']} was {state_of(letter)} already, by {by}", hint=f"vextir dead show {letter['id']}"
    )
