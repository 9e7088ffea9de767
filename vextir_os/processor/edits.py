"""What comes out of a dead letter: the message that it was, its event, or the event that stands in for it.

Asks nobody and sends nothing.
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from vextir_os.errors import InvalidEventError
from vextir_os.events import ids, jsonio
from vextir_os.events.codec import decode_one
from vextir_os.events.event import Event, merge_labels
from vextir_os.ports.blobs import BlobRef, Blobs
from vextir_os.ports.queue import Message
from vextir_os.runs.record import RecordDoc

_ID_CHARS = 80


class Edit(NamedTuple):
    """What a person puts in the place of a dead letter: another event, or new data for its own."""

    data: Any = None
    event: Event | None = None


async def kept_message(letter: Mapping[str, Any], blobs: Blobs) -> Message:
    """Return the message of a dead letter, with its bytes and properties as they came, under an id of its own.

    With the old id it would be the same dead letter again, and a second failure of it would show nowhere.

    Raises:
        NotFoundError, BlobMismatchError: Its bytes were large, and are gone.
    """
    kept = letter["body"]
    body = await blobs.get(BlobRef(**kept["blob"])) if "blob" in kept else base64.b64decode(kept["base64"])
    return Message(
        id=f"{letter['message_id'][:_ID_CHARS]}~r{letter['id'][:12]}",
        body=body,
        properties=letter["properties"],
        content_type=letter["content_type"],
        flow=letter["pk"],
    )


def event_of(record: RecordDoc) -> Event:
    """Return the event of a record."""
    return decode_one(jsonio.dumps(record["event"]))


def edited_event(letter: Mapping[str, Any], old: Event | None, edit: Edit) -> Event:
    """Return the event that goes in by the door: new, caused by the old one, in its flow and with its labels.

    Its id comes from the dead letter and from what it says, so that sent twice it is one event.

    Args:
        letter: The dead letter.
        old: Its event, where its record is still there.
        edit: What is new.

    Raises:
        InvalidEventError: There is no event whose data it could be, or the data is no JSON.
    """
    base = edit.event
    if base is None:
        if old is None:
            raise InvalidEventError(
                f"dead letter {letter['id']} has no event any more whose data could be edited",
                hint="Give a whole event, with its `specversion` and `type`",
            )
        base = old.but(data=edit.data, null_data=edit.data is None, dataref="")
    jsonio.check_json(base.data)
    said = jsonio.dumps([base.type, base.subject, base.data, list(base.labels)])
    return base.but(
        id=ids.derive("edit", letter["id"], hashlib.sha256(said).hexdigest()),
        source="",
        time=None,
        category="input",
        tenantid="",
        userid="",
        correlationid=old.correlationid if old else "",
        causationid=old.id if old else letter.get("event_id", letter["id"]),
        traceparent=old.traceparent if old else "",
        labels=merge_labels(old.labels if old else (), base.labels),
    )
