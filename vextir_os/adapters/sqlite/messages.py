"""One message as a row: its states, its lock token, how it is inserted and handed out. Decides nothing about when.

A lock token names its message: 6 bytes of sequence number and 10 random bytes, as 32 hex digits (a UUID's size, which
the Service Bus protocol wants). So a settlement finds its row by primary key and needs no index over tokens.
"""

import math
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vextir_os.adapters.sqlite.core import IN_SESSION, LOCKED, READY, SCHEDULED, Core
from vextir_os.adapters.sqlite.entities import Entity
from vextir_os.adapters.sqlite.sessions import note_ready
from vextir_os.errors import InvalidRequestError, LockLostError, TooLargeError
from vextir_os.events import jsonio
from vextir_os.ports.queue import NO_PROPERTIES, Delivery, Message

BODY_BYTES = 1_048_576
"""A message's body, at most."""

ID_CHARS = 128
PROPERTIES_BYTES = 65_536
WIRE_BYTES = 2 * BODY_BYTES
_TEXTS_CHARS = 2048
_CONTENT_TYPE = "application/cloudevents+json"
_LAST = 2**48
_SCALARS = (str, int, float, bool)

HANDED_OUT = (
    "seq, lock, locked_until, priority, turn, count, enqueued_at, message_id, body, properties, session, flow, "
    "content_type, dead_reason, dead_description, wire"
)
"""The columns that `delivery` reads, in its order."""

_INSERT_APART = (
    "INSERT INTO messages(entity, state, priority, turn, count, enqueued_at, visible_at, expires_at, session, "
    "flow, message_id, content_type, properties, body, wire) VALUES(?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
COLUMNS = (
    "entity, state, priority, turn, count, enqueued_at, expires_at, flow, message_id, content_type, properties, body, "
    "wire, lock, locked_until"
)
ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
"""What `place` gives the values of."""

_INSERT = f"INSERT INTO messages({COLUMNS}) VALUES {ROW}"  # noqa: S608 - constants only
_SEEN = (
    "INSERT INTO seen(entity, message_id, seq, until) VALUES(?, ?, 0, ?) ON CONFLICT(entity, message_id) "
    "DO UPDATE SET until = excluded.until, seq = 0 WHERE until <= ?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMessage(Message):
    """A message with what only another protocol's view of the broker needs.

    Attributes:
        ttl_s: Seconds to live from the time it becomes available; None is the entity's default.
        wire: Bytes that travel along unread, such as encoded AMQP sections.
    """

    ttl_s: float | None = None
    wire: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireDelivery(Delivery):
    """A delivery of a message that was sent with `wire` bytes."""

    wire: bytes


Prepared = tuple[int, str, str, str, str | None, bytes | None, bytes, float | None, bytes | None, Message | None]
"""A checked message: priority, flow, id, session, content type, properties, body, time to live, wire bytes; and itself,
for a receiver that waits in this process, unless it is only part of what was sent."""


def prepare(message: Message) -> Prepared:
    """Check and encode a message before it goes to the writer.

    Raises:
        InvalidRequestError: An attribute has a wrong type or range.
        TooLargeError: The body is over 1 MiB, or the properties are over 64 KB.
    """
    body = message.body
    if type(body) is not bytes or type(message.priority) is not int or not 0 <= message.priority <= 9:
        raise InvalidRequestError(
            f"message {message.id!r} needs a body of bytes and a priority from 0 to 9, "
            f"not {type(body).__name__} and {message.priority!r}"
        )
    if len(body) > BODY_BYTES:
        raise TooLargeError(f"message {message.id!r} has {len(body)} bytes, at most {BODY_BYTES} are allowed")
    _check_texts(message)
    properties = _encode_properties(message) if message.properties else None
    content_type = None if message.content_type == _CONTENT_TYPE else message.content_type
    ttl, wire, itself = None, None, None
    if isinstance(message, WireMessage):
        ttl, wire = _wire_part(message)
    elif not message.session:
        itself = message
    return (
        message.priority, message.flow, message.id, message.session, content_type, properties, body, ttl, wire, itself,
    )  # fmt: skip


def check_time(at: float | None) -> None:
    """Say whether this is a time at which messages can become due. Raises `InvalidRequestError`."""
    if at is not None and not math.isfinite(at):
        raise InvalidRequestError(f"messages cannot be scheduled for {at!r}")


def _check_texts(message: Message) -> None:
    # INVARIANT: what passes here can be bound. An insert that failed half-way would leave its id in the duplicate
    # window, and the message sent again would be dropped.
    texts = f"{message.id}{message.session}{message.flow}{message.content_type}"
    if len(message.id) > ID_CHARS or len(message.session) > ID_CHARS or len(texts) > _TEXTS_CHARS:
        raise InvalidRequestError(
            f"message {message.id[:40]!r}… has an id or session of over {ID_CHARS} characters, or other long attributes"
        )
    if not texts.isascii():
        try:
            texts.encode()
        except UnicodeEncodeError:
            raise InvalidRequestError(f"message {message.id!a} has half a surrogate pair in an attribute") from None


def _wire_part(message: WireMessage) -> tuple[float | None, bytes | None]:
    if message.ttl_s is not None and not message.ttl_s > 0:
        raise InvalidRequestError(f"message {message.id!r} has a time to live of {message.ttl_s} seconds, not over 0")
    if len(message.wire) > WIRE_BYTES:
        raise TooLargeError(f"message {message.id!r} has {len(message.wire)} wire bytes, at most {WIRE_BYTES}")
    return message.ttl_s, message.wire or None


def _encode_properties(message: Message) -> bytes:
    for name, value in message.properties.items():
        if type(name) is not str or type(value) not in _SCALARS:
            raise InvalidRequestError(f"property {name!r} of message {message.id!r} is no text, number or boolean")
    encoded = jsonio.dumps(dict(message.properties))
    if len(encoded) > PROPERTIES_BYTES:
        raise TooLargeError(f"message {message.id!r} has {len(encoded)} bytes of properties, over {PROPERTIES_BYTES}")
    return encoded


def insert(
    core: Core,
    connection: sqlite3.Connection,
    now: float,
    entity: Entity,
    prepared: Sequence[Prepared],
    at: float | None,
) -> list[int]:
    """Insert messages, available at once or from `at`; return their sequence numbers.

    A message whose id was seen within the entity's duplicate window is dropped; its number is the first one's.

    Raises:
        InvalidRequestError: The entity requires sessions and a message names none, or it holds dead letters.
    """
    check_entity(entity, prepared)
    numbers: list[int] = []
    for message in prepared:
        known = _known(connection, now, entity, message[2])
        if known is None:
            number = _insert_one(core, connection, now, entity, message, at)
            _note_seen(connection, entity, message[2], number)
        numbers.append(number if known is None else known)
    return numbers


def check_entity(entity: Entity, batch: Sequence[Prepared | Message]) -> None:
    """Say whether the entity takes these messages. Raises `InvalidRequestError`."""
    if entity.parent is not None:
        raise InvalidRequestError(f"{entity.name!r} holds dead letters; nothing can be sent to it")
    if entity.properties.requires_session and not all(
        message.session if isinstance(message, Message) else message[3] for message in batch
    ):
        raise InvalidRequestError(f"queue {entity.name!r} requires sessions, and a message names none")


def _insert_one(
    core: Core, connection: sqlite3.Connection, now: float, entity: Entity, message: Prepared, at: float | None
) -> int:
    if entity.properties.requires_session or (at is not None and at > now):
        return _insert_apart(core, connection, now, entity, message, at)
    placed = place(core, now, entity, message)
    sequence = connection.execute(_INSERT, placed).lastrowid or 0
    note_placed(core, placed, sequence, message[-1])
    return sequence


def _insert_apart(
    core: Core, connection: sqlite3.Connection, now: float, entity: Entity, message: Prepared, at: float | None
) -> int:
    """Insert a message that is in a session, or that waits for its time."""
    priority, flow, message_id, session, content_type, encoded, body, ttl, wire, _ = message
    start = at if at is not None and at > now else now
    scheduled = start > now
    if scheduled:
        state, turn = SCHEDULED, 0
        core.times.note_schedule(start)
    else:
        state, turn = IN_SESSION, core.turns.give(entity.id, priority, flow)
        core.touched.add(entity.id)
    values = (
        entity.id, state, priority, turn, start, start if scheduled else None, _end_of_life(core, entity, ttl, start),
        session or None, flow, message_id, content_type, encoded, body, wire,
    )  # fmt: skip
    sequence = connection.execute(_INSERT_APART, values).lastrowid or 0
    if state == IN_SESSION:
        note_ready(connection, entity, session, sequence)
    return sequence


Placed = tuple[
    int, int, int, int, int, float, float | None, str, str, str | None, bytes | None, bytes, bytes | None,
    bytes | None, float | None
]  # fmt: skip
"""The values of one row: see `COLUMNS`."""


def place(core: Core, now: float, entity: Entity, message: Prepared) -> Placed:
    """Return the row of a message that becomes available now: ready, or locked already for a receiver that waits.

    The latter saves a write. Call `note_placed` once the row is there.
    """
    priority, flow, message_id, _, content_type, encoded, body, ttl, wire, _ = message
    expires_at = _end_of_life(core, entity, ttl, now)
    turn = core.turns.give(entity.id, priority, flow)
    if not core.take_place(entity.id):
        core.touched.add(entity.id)
        return (
            entity.id, READY, priority, turn, 0, now, expires_at, flow, message_id, content_type, encoded, body, wire,
            None, None,
        )  # fmt: skip
    until = now + entity.properties.lock_duration_s
    core.turns.serve(entity.id, priority, turn)
    core.times.note_lock(until)
    return (
        entity.id, LOCKED, priority, turn, 1, now, expires_at, flow, message_id, content_type, encoded, body, wire,
        core.new_lock(), until,
    )  # fmt: skip


def note_placed(core: Core, placed: Placed, sequence: int, message: Message | None) -> None:
    """Hand a message over to its receiver, if it was placed for one."""
    (
        entity, _, priority, turn, _, now, _, flow, message_id, content_type, encoded, body, wire, lock, until,
    ) = placed  # fmt: skip
    if lock is not None:
        row = (
            sequence, lock, until, priority, turn, 1, now, message_id, body, encoded, None, flow, content_type, None,
            None, wire,
        )  # fmt: skip
        core.handed.append((entity, row, message))


def _end_of_life(core: Core, entity: Entity, ttl: float | None, start: float) -> float | None:
    lives = ttl if ttl is not None else entity.properties.default_ttl_s
    if lives is None:
        return None
    core.times.note_life(start + lives)
    return start + lives


def _known(connection: sqlite3.Connection, now: float, entity: Entity, message_id: str) -> int | None:
    """Return the number of a message with this id within the entity's window, if it has one; else note the id."""
    if not entity.properties.duplicate_window_s or not message_id:
        return None
    until = now + entity.properties.duplicate_window_s
    if connection.execute(_SEEN, (entity.id, message_id, until, now)).rowcount:
        return None
    row = connection.execute("SELECT seq FROM seen WHERE entity = ? AND message_id = ?", (entity.id, message_id))
    return int(row.fetchone()[0])


def _note_seen(connection: sqlite3.Connection, entity: Entity, message_id: str, sequence: int) -> None:
    if entity.properties.duplicate_window_s and message_id:
        connection.execute(
            "UPDATE seen SET seq = ? WHERE entity = ? AND message_id = ?", (sequence, entity.id, message_id)
        )


def delivery(row: tuple[Any, ...], entity: Entity, message: Message | None = None) -> Delivery:
    """Return the delivery that a row with the columns `HANDED_OUT` stands for; of this message, when it is at hand."""
    (
        sequence, lock, locked_until, priority, _, count, enqueued_at, message_id, body, properties, session, flow,
        content_type, dead_reason, dead_description, wire,
    ) = row  # fmt: skip
    if message is None:
        message = Message(
            id=message_id,
            body=body,
            properties=jsonio.loads(properties) if properties else NO_PROPERTIES,
            session=session or "",
            priority=priority,
            flow=flow,
            content_type=content_type or _CONTENT_TYPE,
        )
    token = "" if lock is None else f"{sequence:012x}{lock.hex()}"
    if wire is None:
        return Delivery(
            message=message, entity=entity.name, token=token, sequence=sequence, count=count, enqueued_at=enqueued_at,
            locked_until=locked_until or 0.0, dead_reason=dead_reason or "", dead_description=dead_description or "",
        )  # fmt: skip
    return WireDelivery(
        message=message, entity=entity.name, token=token, sequence=sequence, count=count, enqueued_at=enqueued_at,
        locked_until=locked_until or 0.0, dead_reason=dead_reason or "", dead_description=dead_description or "",
        wire=wire,
    )  # fmt: skip


def is_sequence(number: int) -> bool:
    """Whether a message could have this sequence number; larger integers cannot even be asked for."""
    return 0 < number < _LAST


def parse_token(token: str) -> tuple[int, bytes]:
    """Return sequence number and lock of a token. Raises `LockLostError` for what is none of ours."""
    found = find_lock(token)
    if found is None:
        raise lost(token)
    return found


def find_lock(token: str) -> tuple[int, bytes] | None:
    """Return sequence number and lock of a token; None for what is none of ours."""
    if len(token) == 32 and token.isascii() and token.isalnum():
        try:
            return int(token[:12], 16), bytes.fromhex(token[12:])
        except ValueError:
            return None
    return None


def lost(token: str) -> LockLostError:
    """Return the error for a token whose lock is no longer held."""
    return LockLostError(
        f"the lock {token[:40]!r} is no longer held: it expired, or its message is settled",
        hint="The message comes again; look at its record before repeating anything",
    )
