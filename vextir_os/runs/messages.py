"""What travels on the queue: events and knocks, signed by the OS; all else is foreign. Pure.

A knock says "look at this record" and no more; it may be lost, doubled, late or early.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from vextir_os.errors import ForgedError, UndecodableError
from vextir_os.events import jsonio
from vextir_os.events.event import Event
from vextir_os.events.identity import Purpose, Signer
from vextir_os.events.ids import derive, key_id
from vextir_os.ports.queue import Message, Scalar

_ID_CHARS = 128
_KIND = "vextir-kind"
_SIGNATURE = "vextir-signature"
_SEALED = "sealed"
"""Stands for a signature where the key is not: in a backup. On a queue it is none."""


@dataclass(frozen=True, slots=True)
class Knock:
    """The record to look at."""

    record_id: str
    pk: str


Opened = Literal["event", "inbound", "knock", "foreign"]


def event_message(signer: Signer, event: Event, body: bytes, *, kind: Literal["event", "inbound"] = "event") -> Message:
    """Return the message of an event; `body` is its CloudEvents JSON.

    Args:
        signer: Signs it.
        event: Stamped.
        body: What `encode` gave for it.
        kind: `event`: an edge has let it in, or a run has emitted it. `inbound`: it was in a foreign message; it has
            its identity, and nobody has decided yet whether it may enter.
    """
    return Message(
        id=_message_id(event.id),
        body=body,
        properties={_KIND: kind, _SIGNATURE: signer.sign(kind, body)},
        session=key_id(event.tenantid, event.partitionkey) if event.ordered else "",
        priority=event.priority,
        flow=event.tenantid,
    )


def stored_event_message(signer: Signer, event: dict[str, object]) -> Message:
    """Return the message of an event as an outbox holds it: what is published is what was committed."""
    body = jsonio.dumps(event)
    priority, tenant = event.get("priority", 5), str(event.get("tenantid", ""))
    return Message(
        id=_message_id(str(event["id"])),
        body=body,
        properties={_KIND: "event", _SIGNATURE: signer.sign("event", body)},
        session=key_id(tenant, str(event["partitionkey"])) if event.get("ordered") else "",
        priority=priority if isinstance(priority, int) else 5,
        flow=tenant,
    )


def knock_message(signer: Signer, knock: Knock, *, id: str, flow: str = "") -> Message:  # noqa: A002
    """Return a knock under this message id, which must never be the event's own: duplicate detection would eat it."""
    body = jsonio.dumps({"v": 1, "id": knock.record_id, "pk": knock.pk})
    return Message(
        id=_message_id(id),
        body=body,
        properties={_KIND: "knock", _SIGNATURE: signer.sign("knock", body)},
        flow=flow,
        content_type="application/json",
    )


def _message_id(text: str) -> str:
    # An event's id may be longer than the id of a message; shortened, the same text gives the same id.
    return text if len(text) <= _ID_CHARS else derive("message", text)


def retry_knock_id(event_id: str, driver: str, rerun: int, attempt: int) -> str:
    """Return the message id of a retry's knock: `<id>#<driver>.<rerun>.<attempt>`."""
    return f"{event_id}#{driver}.{rerun}.{attempt}"


def kind_of(signer: Signer, message: Message) -> Opened:
    """Say what a message is. Only a valid signature makes it ours.

    Raises:
        ForgedError: It claims to be ours, and its signature is wrong or missing.
    """
    kind = message.properties.get(_KIND)
    signature = message.properties.get(_SIGNATURE)
    if kind is None and signature is None:
        return "foreign"
    if kind == "event" and signer.verify("event", message.body, signature):
        return "event"
    if kind == "knock" and signer.verify("knock", message.body, signature):
        return "knock"
    if kind == "inbound" and signer.verify("inbound", message.body, signature):
        return "inbound"
    raise ForgedError(
        f"message {message.id[:80]!r} claims to come from the OS, and its signature does not fit",
        hint="Leave the vextir-* properties out, or give all processes the same signing key",
    )


def sealed(signer: Signer, body: bytes, properties: Mapping[str, Scalar]) -> dict[str, Scalar] | None:
    """Return the properties of a message as a backup holds them: that it was signed, and nothing by which to sign.

    None for a foreign message, which stays as it is. What claims to be ours and is not loses its signature, so that
    nobody signs it later.
    """
    if _KIND not in properties and _SIGNATURE not in properties:
        return None
    rest = {name: value for name, value in properties.items() if name != _SIGNATURE}
    kind = _purpose(properties)
    if kind is None or not signer.verify(kind, body, properties.get(_SIGNATURE)):
        return rest
    return {**rest, _SIGNATURE: _SEALED}


def unsealed(signer: Signer, body: bytes, properties: Mapping[str, Scalar]) -> dict[str, Scalar] | None:
    """Return the properties of a message out of a backup, signed; None for one that was not signed when it went in."""
    kind = _purpose(properties)
    if kind is None or properties.get(_SIGNATURE) != _SEALED:
        return None
    return {**properties, _SIGNATURE: signer.sign(kind, body)}


def _purpose(properties: Mapping[str, Scalar]) -> Purpose | None:
    return next((purpose for purpose in get_args(Purpose) if purpose == properties.get(_KIND)), None)


def read_knock(message: Message) -> Knock:
    """Return the knock in a message whose signature was checked. Raises `UndecodableError` for another version."""
    body = jsonio.loads(message.body)
    if not isinstance(body, dict) or body.get("v") != 1:
        raise UndecodableError("a knock of a version that is not known here", hint="Update this process")
    return Knock(record_id=str(body["id"]), pk=str(body["pk"]))
