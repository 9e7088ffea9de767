"""The door in: every event that enters from an edge is stamped, decided, signed and sent here.

Identity comes from the edge: whatever a message says of itself about tenant, user or labels is overwritten or dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from vextir_os.errors import DeniedError, ForgedError, TooLargeError, VextirError
from vextir_os.events import ids
from vextir_os.events.codec import encode
from vextir_os.events.event import Event, merge_labels
from vextir_os.events.identity import Principal, Signer
from vextir_os.events.limits import INLINE_BYTES
from vextir_os.events.names import is_reserved
from vextir_os.events.traceparent import clean_traceparent
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Request
from vextir_os.ports.atomic import Atomic, Send
from vextir_os.ports.blobs import Blobs
from vextir_os.ports.clock import Clock
from vextir_os.ports.queue import Message, Queue
from vextir_os.ports.spans import Spans
from vextir_os.processor.pressure import Pressure
from vextir_os.runs.claimcheck import SCHEME, check_in
from vextir_os.runs.lanes import by_queue
from vextir_os.runs.messages import event_message

UNTRUSTED = "untrusted"
"""Label of events whose source nobody vouches for."""

EDGES = ("/cli", "/api", "/bus")
"""Sources of what comes in by the OS's own doors, which authenticate."""

DRIVERS = "/drivers/"
"""How sources of emitted events begin. Their ids can be foreseen: whoever sent one first would take its place."""


def stamp(event: Event, principal: Principal, *, now: float, event_id: str, source: str, trusted: bool) -> Event:
    """Return the event as the edge asserts it: nobody outside says that an event came from within. Pure.

    Args:
        event: As the sender wrote it.
        principal: Who sent it, as the edge authenticated.
        now: Epoch seconds; the time of an event that names none.
        event_id: The id of an event that names none.
        source: The source of an event that names none.
        trusted: Whether a rule vouches for the source; otherwise the event is labelled `untrusted`.

    Raises:
        ForgedError: A type, source or claim check that only the OS may use.
    """
    outsider = principal.kind != "system"
    if outsider and is_reserved(event.type):
        raise ForgedError(f"event type {event.type!r} is reserved for the OS", hint="Choose a type outside `vextir.**`")
    if event.dataref.startswith(SCHEME):
        raise ForgedError(f"dataref {event.dataref[:40]!r} is a claim check that only the OS writes")
    if event.source.startswith(DRIVERS):
        raise ForgedError(
            f"source {event.source[:80]!r} is that of a driver", hint=f"Choose a source outside `{DRIVERS}`"
        )
    named = event.id or event_id
    return event.stamped(
        category="input" if outsider and event.category == "internal" else event.category,
        id=named,
        source=event.source or source,
        time=event.time or datetime.fromtimestamp(now, UTC),
        tenantid=principal.tenant,
        userid=principal.id if principal.kind == "user" else "",
        correlationid=event.correlationid or named,
        lineage="",
        traceparent=event.traceparent and clean_traceparent(event.traceparent),
        priority=min(event.priority, principal.max_priority),
        labels=event.labels if trusted else merge_labels(event.labels, (UNTRUSTED,)),
    )


async def pack(
    event: Event,
    signer: Signer,
    blobs: Blobs,
    *,
    kind: Literal["event", "inbound"] = "event",
    checked: bool = False,
) -> Message:
    """Return the signed message of a stamped event; data over the inline limit goes to the blobs first.

    `kind` is `inbound` for what came in a foreign message: whether it may enter is decided when it is received.
    `checked`: the data is known to be plain JSON.
    Raises `InvalidEventError` for data that is no JSON, `TooLargeError` over the limits.
    """
    message = pack_inline(event, signer, kind=kind, checked=checked)
    if message is None:
        event = await check_in(event, blobs)
        message = event_message(signer, event, encode(event), kind=kind)
    return message


def pack_inline(
    event: Event, signer: Signer, *, kind: Literal["event", "inbound"] = "event", checked: bool = False
) -> Message | None:
    """Return the message as `pack` does, or None when the data is too large to travel in it."""
    try:
        body = encode(event, checked=checked)
    except TooLargeError:
        return None
    return event_message(signer, event, body, kind=kind) if len(body) <= INLINE_BYTES else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Publishes events on behalf of a principal.

    Attributes:
        pressure: Whether there is room for more.
        ordered: Where ordered events go; its sessions are their keys.
        atomic: Sends to both queues at once, where there is such a thing.
        trusts: Says whether a source is vouched for.
        notify: Told of each event that was accepted.
        refused: Told why nothing of a request was.
        spans: Where somebody collects traces: makes the events' own spans.
        urgent: Where events of high priority go.
    """

    clock: Clock
    pressure: Pressure
    queue: Queue
    ordered: Queue
    urgent: Queue
    atomic: Atomic | None
    blobs: Blobs
    signer: Signer
    policy: PolicyEngine
    trusts: Callable[[str], bool]
    notify: Callable[[Event], None]
    refused: Callable[[VextirError], None] = lambda _error: None
    spans: Spans | None = None

    async def publish(self, events: Sequence[Event], principal: Principal, *, source: str) -> list[Event]:
        """Accept all events or none; return them as they were stamped, once they are durable on the queue.

        Args:
            events: As the sender wrote them.
            principal: Who sends, as the edge authenticated.
            source: The source of events that name none: `/cli`, `/http`.

        Raises:
            DeniedError: A policy denies `publish:<type>` to the principal; none was accepted.
            ForgedError: An event claims what only the OS may.
            InvalidEventError: Data that is no JSON.
            OverloadedError: There is no room for more now; it says when there may be.
            TooLargeError: An event over the limits.
        """
        sending = None if self.spans is None else self.spans.sending(events)
        if sending is not None:
            events = sending.events
        try:
            if self.pressure.may_refuse():
                await self.pressure.check()
            stamped, messages = await self.prepare(events, principal, source=source)
            await self._send(messages)
        except VextirError as error:
            self.refused(error)
            if sending is not None:
                sending.ended(events, type(error).__name__)
            raise
        if sending is not None:
            sending.ended(stamped)
        for event in stamped:
            self.notify(event)
        return stamped

    async def prepare(
        self, events: Sequence[Event], principal: Principal, *, source: str
    ) -> tuple[list[Event], list[Message]]:
        """Return events as they are stamped, and their messages, for who sends them with a write of its own.

        Args and errors are those of `publish`.
        """
        now = self.clock.time()
        stamped = [
            stamp(
                event,
                principal,
                now=now,
                event_id=event.id or ids.mint(),
                source=source,
                trusted=self.trusts(event.source or source),
            )
            for event in events
        ]
        for event in stamped:
            self._allow(event, principal)
        messages = [pack_inline(event, self.signer) or await pack(event, self.signer, self.blobs) for event in stamped]
        return stamped, messages

    async def _send(self, messages: Sequence[Message]) -> None:
        apart = by_queue(messages, self.queue, ordered=self.ordered, urgent=self.urgent)
        if len(apart) == 1 or self.atomic is None:
            for queue, batch in apart:
                await queue.send(batch)
        else:
            await self.atomic.transact([Send(queue.name, batch) for queue, batch in apart])

    def _allow(self, event: Event, principal: Principal) -> None:
        decision = self.policy.decide(
            Request(
                verb="publish",
                resource=event.type,
                principal=principal,
                event_type=event.type,
                event=lambda: event,
                clock=self.clock.time,
            )
        )
        if decision.effect != "allow":
            raise DeniedError(
                f"{principal} may not publish {event.type!r}: {decision.reason}",
                hint="Ask who keeps the policies to allow it",
                policy_id=decision.policy_id,
            )
