"""From bytes to an event whose identity is asserted; what is no event becomes a dead letter, whole."""

import base64
import contextlib
import hashlib
from collections.abc import Awaitable, Sequence

from vextir_os.errors import AlreadyExistsError, EventError, ForgedError, InvalidRequestError, VextirError
from vextir_os.events import ids
from vextir_os.events.codec import decode as decode_message
from vextir_os.events.codec import decode_one
from vextir_os.events.event import Event
from vextir_os.events.limits import INLINE_BYTES
from vextir_os.ports.atomic import Create
from vextir_os.ports.queue import Delivery, Message
from vextir_os.processor.intake import EDGES, pack, stamp
from vextir_os.processor.turn import Next, Parts, Settlement, Turn
from vextir_os.runs.deadletter import OPEN
from vextir_os.runs.fingerprint import fingerprint
from vextir_os.runs.messages import kind_of, read_knock
from vextir_os.runs.record import DEAD_LETTERS


async def quarantine(parts: Parts, turn: Turn, following: Next) -> Settlement:
    """Keep a message that cannot be read, or that is forged, whole as a dead letter; never lost, never retried."""
    try:
        return await following(turn)
    except (EventError, InvalidRequestError) as error:
        # The second: a store that will not take this record will not take it later either.
        if turn.keeper is not None:
            raise
        document = await dead_message(parts, turn.delivery, error)
        if parts.desk.atomic is None:
            # One that is there stays: a person may have dealt with it.
            with contextlib.suppress(AlreadyExistsError):
                await parts.desk.store.create(DEAD_LETTERS, document)
        else:
            await parts.desk.atomic.transact([Create(DEAD_LETTERS, document, exists_ok=True)])
        parts.observer.quarantined(str(error), str(document["id"]))
        return "complete"


async def dead_message(parts: Parts, delivery: Delivery, error: VextirError) -> dict[str, object]:
    """Return the dead letter of a message: id from bytes and message id, the bytes in base64 or in a blob."""
    message = delivery.message
    document_id = hashlib.sha256(b"%d:%b%b" % (len(message.body), message.body, message.id.encode())).hexdigest()
    kept: dict[str, object] = {"base64": base64.b64encode(message.body).decode()}
    if len(message.body) > INLINE_BYTES:
        ref = await parts.blobs.put(f"{document_id}/body", message.body)
        kept = {"blob": {"name": ref.name, "size_bytes": ref.size_bytes, "sha256": ref.sha256}}
    return {
        "v": 1,
        "id": document_id,
        "pk": parts.binding.tenant,
        "kind": "message",
        "state": OPEN,
        "fingerprint": fingerprint({"class": type(error).__name__, "message": str(error)}),
        "class": type(error).__name__,
        "reason": "forged" if isinstance(error, ForgedError) else "undecodable",
        "code": error.code,
        "error": str(error)[:2_000],
        "queue": delivery.entity,
        "message_id": message.id,
        "properties": dict(message.properties),
        "content_type": message.content_type,
        "body": kept,
        "at": parts.desk.clock.time(),
        "ttl": parts.desk.letters_s,
    }


def decode(parts: Parts, turn: Turn, following: Next) -> Awaitable[Settlement]:
    """Read the event, or the knock. With our signature it is taken as it stands; else its identity is set here."""
    message = turn.delivery.message
    kind = kind_of(parts.desk.signer, message)
    if kind == "foreign":
        return _foreign(parts, turn, following)
    if kind == "knock":
        turn.knock = read_knock(message)
    else:
        turn.event, turn.event_json, turn.ours = decode_one(message.body), message.body, kind == "event"
    return following(turn)


async def _foreign(parts: Parts, turn: Turn, following: Next) -> Settlement:
    messages = await inbound(parts, turn.delivery)
    if len(messages) == 1:
        turn.event, turn.event_json = decode_one(messages[0].body), messages[0].body
        return await following(turn)
    # A batch: each of its events gets a message, and so a record, of its own. Sent twice, they are dropped at admit.
    if messages:
        await parts.desk.send(messages)
    return "complete"


async def inbound(parts: Parts, delivery: Delivery) -> Sequence[Message]:
    """Return the events of a foreign message, stamped, as messages of their own.

    They are signed for what they are, so that a new sequence number does not make other events of them.

    Raises:
        EventError: It cannot be read, or is forged.
    """
    message = delivery.message
    events = decode_message(message.body, properties=message.properties, content_type=message.content_type)
    stamped = [_stamp(parts, delivery, event, index) for index, event in enumerate(events)]
    return [await pack(event, parts.desk.signer, parts.blobs, kind="inbound") for event in stamped]


def _stamp(parts: Parts, delivery: Delivery, event: Event, index: int) -> Event:
    # Dead letters are of the queue that they came in by.
    queue = delivery.entity.partition("/$")[0]
    # An id is never random here: a redelivery must find the same record.
    named = ids.derive("queue", parts.binding.tenant, queue, repr(delivery.enqueued_at), delivery.sequence, index)
    source = event.source or f"/queues/{queue}"
    return stamp(
        event,
        parts.binding,
        now=delivery.enqueued_at,
        event_id=named,
        source=source,
        # A message that nobody authenticated cannot borrow the good name of the edges that do.
        trusted=source not in EDGES and parts.trusts(source),
    )
