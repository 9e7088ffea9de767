"""Events as bytes: CloudEvents 1.0 structured JSON out; in, every form that a queue message may have.

Sources: cloudevents/spec 1.0.2, `spec.md`, `formats/json-format.md`, `bindings/amqp-protocol-binding.md`. Pure. HTTP
is in `codec_http`. Who may say what of himself is not asked here: identity is asserted by the edge.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import Any

from vextir_os.errors import (
    EventProblemsError,
    ForgedError,
    ForgedProblemsError,
    InvalidEventError,
    TooLargeError,
    UndecodableError,
    VextirError,
)
from vextir_os.events import jsonio
from vextir_os.events.attributes import OS_ONLY, Extension
from vextir_os.events.codec_data import bytes_data, is_json, media_type
from vextir_os.events.codec_fields import REQUIRED, forged, from_cloudevent, from_own, from_plain
from vextir_os.events.event import Event
from vextir_os.events.limits import WIRE_BYTES

NO_PROPERTIES: Mapping[str, str | int | float | bool] = {}
_PREFIXES = ("cloudEvents_", "cloudEvents:")
_OPTIONAL = ("subject", "datacontenttype", "dataschema", "tenantid", "userid", "correlationid", "causationid",
             "partitionkey", "traceparent", "dataref", "lineage")  # fmt: skip
_optional_of = attrgetter(*_OPTIONAL)
_PROBLEMS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode(event: Event, *, checked: bool = False) -> bytes:
    """Return the event as compact CloudEvents JSON, as it travels on the queue.

    Args:
        event: Has its id and source.
        checked: The data is known to be plain JSON, or is a `jsonio.Raw`.

    Raises:
        InvalidEventError: Id or source is missing, or the data is no JSON.
        TooLargeError: Over `WIRE_BYTES`.
    """
    if not checked and event.data is not None:
        jsonio.check_json(event.data, limit_bytes=WIRE_BYTES)
    body = jsonio.dumps(to_dict(event))
    check_size(body, WIRE_BYTES)
    return body


def to_dict(event: Event) -> dict[str, Any]:
    """Return the event as the dict that `encode` writes: `{"specversion": "1.0", "id": "…", "type": "…", "data": …}`.

    Raises:
        InvalidEventError: Id or source is missing, or the data does not fit its content type.
    """
    if not event.id or not event.source:
        missing = "source" if event.id else "id"
        raise InvalidEventError(f"an event of type {event.type} has no {missing}, and cannot travel without")
    fields: dict[str, Any] = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    if event.time is not None:
        fields["time"] = event.time.isoformat()[:-6] + "Z"
    fields["category"] = event.category
    fields |= {name: value for name, value in zip(_OPTIONAL, _optional_of(event), strict=True) if value}
    if event.priority != 5:
        fields["priority"] = event.priority
    if event.labels:
        fields["labels"] = ",".join(event.labels)
    if event.ordered:
        fields["ordered"] = True
    if event.extensions:
        fields.update(event.extensions)
    if event.data is not None or event.null_data:
        _check_fit(event)
        fields["data"] = event.data
    return fields


def decode_one(body: bytes) -> Event:
    """Return the event in a body that `encode` wrote: signed, or from our own store. Attributes are not checked again.

    Raises:
        UndecodableError: It is no such body.
        TooLargeError: Over `WIRE_BYTES`.
    """
    check_size(body, WIRE_BYTES)
    fields = jsonio.loads(body)
    if type(fields) is not dict or fields.pop("specversion", None) != "1.0":
        raise UndecodableError("no event that this version wrote")
    return from_own(fields)


def decode(
    body: bytes, *, properties: Mapping[str, str | int | float | bool] = NO_PROPERTIES, content_type: str = ""
) -> list[Event]:
    """Return the events in a queue message that somebody else wrote; one, or as many as an array holds.

    Tried in this order, since content types are often missing: a JSON object with `specversion` (structured), four
    `cloudEvents_*` properties (binary), a JSON object with `type` (plain), an array of objects (batch).

    Args:
        body: The message's body.
        properties: Its application properties.
        content_type: Its content type; binary mode when it is given and is no CloudEvents type.

    Raises:
        UndecodableError: None of these, broken JSON, a wrong type of an attribute.
        TooLargeError: Over `WIRE_BYTES`, or nested too deeply.
        ForgedError: A field that only the OS may write.
        InvalidEventError: An attribute has a wrong syntax or range.
        EventProblemsError: A batch with bad events in it; each is named by its index.
    """
    check_size(body, WIRE_BYTES)
    attributes = _cloudevents_properties(properties)
    binary = all(attributes.get(name) for name in REQUIRED)
    if binary and content_type and not media_type(content_type).startswith("application/cloudevents"):
        return [from_binary(attributes, body, content_type)]
    try:
        value = jsonio.loads_strict(body) if body or not binary else None
    except UndecodableError:
        if not binary:
            raise
        return [from_binary(attributes, body, "")]
    if type(value) is dict and "specversion" in value:
        if binary:
            _check_agreement(attributes, value)
        return [from_cloudevent(value)]
    if binary:
        return [from_binary(attributes, body, "")]
    if type(value) is list:
        return from_batch(value)
    if attributes and not (type(value) is dict and "type" in value):
        missing = ", ".join(f"cloudEvents_{name}" for name in REQUIRED if not attributes.get(name))
        raise UndecodableError(f"no event: properties of CloudEvents without {missing}")
    return [from_item(value)]


def from_item(value: Any) -> Event:
    """Return the event of one decoded JSON value: structured with `specversion`, else plain. Raises as they do."""
    if type(value) is not dict:
        raise UndecodableError(f"no event: a JSON {type(value).__name__}, not an object")
    return from_cloudevent(value) if "specversion" in value else from_plain(value)


def from_batch(values: Sequence[Any], *, strict: bool = False) -> list[Event]:
    """Return the events of a batch; all, or an error that names every bad one (the first 20) by its index from 0.

    Args:
        values: Decoded JSON.
        strict: Only CloudEvents, no plain form.

    Raises:
        EventProblemsError: Some of them are no events; `ForgedProblemsError` when one of them is forged.
    """
    events: list[Event] = []
    problems: list[VextirError] = []
    for index, value in enumerate(values):
        try:
            events.append(from_cloudevent(value) if strict and type(value) is dict else from_item(value))
        except VextirError as error:
            error.where = f"event {index}"
            problems.append(error)
            if len(problems) == _PROBLEMS:
                break
    if problems:
        forgery = any(isinstance(problem, ForgedError) for problem in problems)
        raise ForgedProblemsError(problems) if forgery else EventProblemsError(problems)
    return events


def from_binary(attributes: Mapping[str, Any], body: bytes, content_type: str) -> Event:
    """Return the event of a binary form: attributes from properties or headers without their prefix, the data as body.

    Raises:
        UndecodableError: A required attribute is missing, a value has a wrong type, or the body is not of its type.
        TooLargeError, ForgedError, InvalidEventError: As `from_cloudevent`.
    """
    fields = dict(attributes)
    for name in ("data", "data_base64"):
        if name in fields:
            raise UndecodableError(f"{name} is not an attribute: in binary mode the body is the data")
    named = fields.get("datacontenttype")
    if content_type and named and named != content_type:
        raise UndecodableError(f"the content type {content_type[:40]!r} and datacontenttype {str(named)[:40]!r} differ")
    if content_type:
        fields["datacontenttype"] = content_type
    if body:
        fields["data"] = bytes_data(body, content_type or (named if type(named) is str else ""))
    return from_cloudevent(fields)


def _check_fit(event: Event) -> None:
    if event.datacontenttype and type(event.data) is not str and not is_json(event.datacontenttype):
        raise InvalidEventError(
            f"data is a {type(event.data).__name__}, and datacontenttype {event.datacontenttype!r} is not JSON",
            hint="Leave datacontenttype out, or send the data as text",
        )


def check_size(body: bytes, limit_bytes: int) -> None:
    """Refuse a body over the limit. Raises `TooLargeError`."""
    if len(body) > limit_bytes:
        raise TooLargeError(
            f"{len(body)} bytes, at most {limit_bytes} are allowed", hint="Keep large data elsewhere and link it"
        )


def _cloudevents_properties(properties: Mapping[str, str | int | float | bool]) -> dict[str, Extension | float]:
    attributes: dict[str, Extension | float] = {}
    used: set[str] = set()
    for key, value in properties.items():
        if not key.startswith(_PREFIXES):
            continue
        name = key[len(_PREFIXES[0]) :]
        if name in OS_ONLY:
            raise forged(name)
        used.add(key[: len(_PREFIXES[0])])
        attributes[name] = _time_text(value) if name == "time" and type(value) is int else value
    if len(used) > 1:
        raise UndecodableError(
            "properties with cloudEvents_ and with cloudEvents: in one message", hint="Use one of them"
        )
    return attributes


def _time_text(milliseconds: int) -> str:
    # An AMQP timestamp reaches us as what it is on the wire, milliseconds since the epoch.
    try:
        return (_EPOCH + timedelta(milliseconds=milliseconds)).isoformat()
    except OverflowError as error:
        raise UndecodableError(f"cloudEvents_time {milliseconds} is no time in milliseconds") from error


def _check_agreement(attributes: Mapping[str, Any], value: Mapping[str, Any]) -> None:
    # Whoever writes the data of somebody's binary event must not be able to speak as that event.
    for name in REQUIRED:
        if attributes[name] != value.get(name):
            raise UndecodableError(
                f"ambiguous: cloudEvents_{name} and {name} in the body differ",
                hint="Name the content type: application/cloudevents+json, or that of the data",
            )
