"""The queue: leased messages, delivered at least once.

What every adapter guarantees: an answered `send` is durable; each sent message is delivered until it is completed
or dead-lettered; a lock expires by itself. What none guarantees: order, single delivery, exact times.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

Scalar = str | int | float | bool
NO_PROPERTIES: Mapping[str, Scalar] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent. Everything that matters to us travels in `body` and `properties`, never in system properties.

    Attributes:
        id: MessageId; only a hint for duplicate detection. At most 128 characters.
        body: The bytes; at most `WIRE_BYTES` for events.
        properties: Application properties; scalars only.
        session: Session id where the entity requires sessions, else empty.
        priority: 0 to 9, where the adapter has the capability `priority`.
        flow: Whose message it is, for the capability `fairness`: the tenant.
        content_type: MIME type of the body.
    """

    id: str
    body: bytes
    properties: Mapping[str, Scalar] = field(default_factory=lambda: NO_PROPERTIES)
    session: str = ""
    priority: int = 5
    flow: str = ""
    content_type: str = "application/cloudevents+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One leased handing-over of a message.

    Attributes:
        entity: Name of the queue it came from.
        token: Lock token; whoever holds it may settle, until `locked_until`.
        sequence: Given by the queue at the send, rising per entity.
        count: How often it was handed over, this time included; from 1.
        enqueued_at: Epoch seconds.
        locked_until: Epoch seconds.
    """

    message: Message
    entity: str
    token: str
    sequence: int
    count: int
    enqueued_at: float
    locked_until: float
    dead_reason: str = field(default="")
    dead_description: str = field(default="")


class Queue(Protocol):
    """One queue, seen by those who use it. All methods may raise `StoreUnavailableError`."""

    @property
    def name(self) -> str:
        """Name of the entity behind it."""
        ...

    def send(self, messages: Sequence[Message], *, at: float | None = None) -> Awaitable[Sequence[int]]:
        """Send messages, all or none; return their sequence numbers. `at`: epoch seconds, none is delivered before.

        Raises:
            NotFoundError: There is no such queue.
            InvalidRequestError, TooLargeError: One of the messages cannot be taken. None was sent.
        """
        ...

    async def receive(self, limit: int, wait: float) -> Sequence[Delivery]:
        """Lock and return up to `limit` messages; wait up to `wait` seconds for the first one. May return none.

        A caller that is cancelled takes no message with it. Where the queue requires sessions, all messages are of one
        session that nobody else holds until the last of them is settled. Raises `NotFoundError`.
        """
        ...

    async def complete(self, token: str) -> None:
        """Remove the message. Raises `LockLostError` when the lock is no longer held."""
        ...

    async def abandon(self, token: str) -> None:
        """Give the message back at once; its count stays raised. Raises `LockLostError`."""
        ...

    async def dead_letter(self, token: str, *, reason: str, description: str = "") -> None:
        """Move the message to the dead-letter queue of the entity. Raises `LockLostError`."""
        ...

    async def renew(self, token: str) -> float:
        """Lock for another lock duration; return the new `locked_until`. Raises `LockLostError`."""
        ...

    async def cancel_scheduled(self, sequence: int) -> None:
        """Remove a message that is still scheduled. Raises `NotFoundError`."""
        ...
