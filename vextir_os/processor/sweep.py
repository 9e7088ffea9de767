"""The sweep: what time alone brings about. It knocks, drains and forgets; it owns and executes nothing (PROTOCOL 10).

A crash anywhere leaves a `due` in some record; the sweep finds it and knocks, and any worker goes on from there.
"""

import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from vextir_os.errors import (
    AlreadyExistsError,
    ConflictError,
    EventError,
    LockLostError,
    NotFoundError,
    UndecodableError,
)
from vextir_os.ports.queue import Delivery, Message, Queue
from vextir_os.ports.store import Patch, Stored, Where
from vextir_os.processor.decode import dead_message, inbound
from vextir_os.processor.pausing import Pausing
from vextir_os.processor.turn import Parts
from vextir_os.runs.messages import Knock, kind_of, knock_message
from vextir_os.runs.record import DEAD_LETTERS, EVENTS, Lane, RecordDoc, again_s

MAX_DELIVERIES = "MaxDeliveryCountExceeded"
"""Why the broker gives up on a message whose workers never settled it: an outage, never the message's fault."""

_PAGE = 100
_DRAIN_DELAY_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What one sweep did, in numbers."""

    knocked: int
    drained: int
    purged: int


class Sweep:
    """Run by a timer; several at once do no harm, they cost duplicate knocks.

    Args:
        parts: What the stages work with.
        dead: The broker's dead-letter queues, by lane.
        purge: Removes some of what has expired, with its blobs, and returns how much; on Cosmos the service does.
    """

    def __init__(self, parts: Parts, dead: Mapping[Lane, Queue], purge: Callable[[], Awaitable[int]]) -> None:
        self._parts = parts
        self._dead = dead
        self._purge = purge
        self._pausing = Pausing(parts)

    async def run(self) -> Swept:
        """Knock at what pauses held back and at all that is due, drain dead letters, remove what has expired."""
        await self._pausing.finish()
        swept = Swept(knocked=await self._knock(), drained=await self._drain(), purged=await self._purge())
        self._parts.observer.swept(swept)
        return swept

    async def _knock(self) -> int:
        desk = self._parts.desk
        due = Where("due", "<=", desk.clock.time())
        count, continuation = 0, ""
        while True:
            page = await desk.store.query(EVENTS, [due], limit=_PAGE, continuation=continuation)
            for stored in page.items:
                await self._knock_at(stored)
            count += len(page.items)
            continuation = page.continuation
            if not continuation:
                return count

    async def _knock_at(self, stored: Stored) -> None:
        desk, record = self._parts.desk, stored.document
        # Sent first: a crash between costs a duplicate. Never the event's own id: duplicate detection would eat it.
        knock = knock_message(
            desk.signer,
            Knock(record["id"], record["pk"]),
            id=f"{record['event_id']}~s{record['due']}",
            flow=record["id"].partition("~")[0],
        )
        for lane in record.get("lanes", ("batch",)):
            await desk.queue_of(lane).send([knock])
        again = again_s(cast(RecordDoc, record), now=desk.clock.time())
        with contextlib.suppress(ConflictError, NotFoundError):
            await desk.store.patch(
                EVENTS,
                record["pk"],
                record["id"],
                [Patch("set", "due", desk.clock.time() + again)],
                only_if=[Where("due", "=", record["due"])],
            )

    async def _drain(self) -> int:
        count = 0
        for lane, dead in self._dead.items():
            while deliveries := await dead.receive(_PAGE, 0):
                for delivery in deliveries:
                    await self._drain_one(delivery, lane)
                count += len(deliveries)
        return count

    async def _back(self, delivery: Delivery) -> Sequence[Message]:
        """Return what goes back to the queue, under a new message id; the events' own ids stay as they were.

        Raises:
            EventError: Nothing does: the broker has another reason, or nobody can read the message, or it is forged.
        """
        desk, message = self._parts.desk, delivery.message
        if delivery.dead_reason != MAX_DELIVERIES:
            raise UndecodableError(f"dead-lettered by the broker: {delivery.dead_reason} {delivery.dead_description}")
        # What has no id of its own is named after its place in the queue, which changes now.
        if kind_of(desk.signer, message) == "foreign":
            return await inbound(self._parts, delivery)
        return [dataclasses.replace(message, id=f"{message.id[:80]}~d{delivery.sequence}")]

    async def _return(self, back: Sequence[Message], lane: Lane, *, at: float) -> None:
        desk = self._parts.desk
        if lane == "batch":
            await desk.send(back, at=at)
        else:
            await desk.queue_of(lane).send(back, at=at)

    async def _drain_one(self, delivery: Delivery, lane: Lane) -> None:
        desk = self._parts.desk
        try:
            back = await self._back(delivery)
            if back:
                await self._return(back, lane, at=desk.clock.time() + _DRAIN_DELAY_S)
        except EventError as error:
            # Under the id that it has: sent back under another one it would become a second dead letter.
            document = await dead_message(
                self._parts, dataclasses.replace(delivery, entity=desk.queue_of(lane).name), error
            )
            with contextlib.suppress(AlreadyExistsError):
                await desk.store.create(DEAD_LETTERS, document)
            self._parts.observer.quarantined(str(error), str(document["id"]))
        with contextlib.suppress(LockLostError):
            await self._dead[lane].complete(delivery.token)
