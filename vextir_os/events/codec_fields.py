"""From the fields of a decoded form to an Event: which fields there are, their types, their other names. Pure.

Knows two kinds of form: CloudEvents, where a field that we do not know is an extension and is kept, and the plain form,
where it is a mistake. How either travels, as JSON, as properties or as headers, is not known here.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vextir_os.errors import ForgedError, InvalidEventError, UndecodableError, did_you_mean
from vextir_os.events.attributes import OS_ONLY
from vextir_os.events.codec_data import base64_data, is_json
from vextir_os.events.event import Event, Payload

REQUIRED = ("specversion", "id", "source", "type")
"""What CloudEvents 1.0 requires; none of them may be empty."""

ALIASES: Mapping[str, str] = {
    "metadata": "data",
    "timestamp": "time",
    "user_id": "userid",
    "tenant_id": "tenantid",
    "correlation_id": "correlationid",
    "causation_id": "causationid",
    "partition_key": "partitionkey",
    "trace_parent": "traceparent",
    "data_schema": "dataschema",
    "content_type": "datacontenttype",
}
"""Other names of fields, in the plain form alone."""

_TEXTS = {"id", "source", "type", "subject", "datacontenttype", "dataschema", "category", "tenantid", "userid",
          "correlationid", "causationid", "partitionkey", "traceparent", "dataref", "lineage"}  # fmt: skip
_FIELDS = _TEXTS | {"time", "priority", "labels", "ordered", "data"}
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def from_cloudevent(fields: Mapping[str, Any]) -> Event:
    """Return the event of a CloudEvents form; `data` is among the fields when there is a payload.

    Attributes that are null or empty count as absent. Values may be native or in their text form: `"priority": "7"`.

    Raises:
        UndecodableError: A required attribute is missing or empty, or one has a wrong type; the message names it.
        ForgedError: A field that only the OS may write.
        InvalidEventError: An attribute has a wrong syntax or range.
    """
    version = fields.get("specversion")
    if version != "1.0":
        raise UndecodableError(f"specversion {str(version)[:40]!r} is not known", hint="Send CloudEvents 1.0")
    for name in REQUIRED:
        if fields.get(name) in (None, ""):
            raise UndecodableError(f"{name} is missing or empty", hint="CloudEvents 1.0 requires it")
    known, extensions = _sorted_out(fields)
    if extensions:
        known["extensions"] = extensions
    _put_data(fields, known)
    return Event(**known)


def from_own(fields: dict[str, Any]) -> Event:
    """Return the event of fields that `codec.to_dict` wrote, without `specversion`. Takes the dict over."""
    time = fields.get("time")
    if time is not None:
        fields["time"] = datetime.fromisoformat(time)
    if "labels" in fields:
        fields["labels"] = tuple(fields["labels"].split(","))
    if not fields.keys() <= _FIELDS:
        fields["extensions"] = {name: fields.pop(name) for name in list(fields) if name not in _FIELDS}
    if "data" in fields:
        data = fields["data"]
        if type(data) is dict:
            fields["data"] = Payload(data)
        elif data is None:
            fields["null_data"] = True
    return Event.of_signed(fields)


def from_plain(fields: Mapping[str, Any]) -> Event:
    """Return the event of the plain form: `{"type", "data" | "metadata", "user_id", …}`. Id and source may be missing.

    Raises:
        UndecodableError: An unknown field, one said twice, or one of a wrong type; the message names it.
        ForgedError: A field that only the OS may write.
        InvalidEventError: An attribute has a wrong syntax or range.
    """
    named: dict[str, Any] = {}
    keys: dict[str, str] = {}
    for key, value in fields.items():
        name = ALIASES.get(key, key)
        if name in OS_ONLY:
            raise forged(name)
        if name not in _FIELDS:
            hint = did_you_mean(key, [*_FIELDS, *ALIASES]) or "Put your own values into data"
            raise UndecodableError(f"unknown field {key[:40]!r}", hint=hint)
        if name in named:
            raise UndecodableError(f"{keys[name]} and {key} are one field, and both are given", hint="Leave one out")
        named[name], keys[name] = value, key
    known: dict[str, Any] = {}
    for name, value in named.items():
        if name == "labels" and type(value) is list:
            known[name] = value
        elif value not in (None, "") and name != "data":
            known[name] = _text(name, value) if name in _TEXTS else _READERS[name](value)
    if "type" not in known:
        raise UndecodableError("type is missing or empty", hint='Write it as "type": "mail.received"')
    _put_data(named, known)
    return Event(**known)


def forged(name: str) -> ForgedError:
    """Return the error for a field that only the OS may write."""
    return ForgedError(f"{name} is written by the OS alone, and this event carries it", hint=f"Leave {name} out")


def _sorted_out(fields: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    known: dict[str, Any] = {}
    extensions: dict[str, Any] = {}
    for name, value in fields.items():
        if name in OS_ONLY:
            raise forged(name)
        if value is None or name in _ELSEWHERE:
            continue
        if name in _TEXTS:
            if _text(name, value):
                known[name] = value
        elif name in _READERS:
            known[name] = _READERS[name](value)
        else:
            extensions[name] = value
    return known, extensions


def _put_data(fields: Mapping[str, Any], known: dict[str, Any]) -> None:
    content_type = known.get("datacontenttype", "")
    encoded = fields.get("data_base64")
    if encoded is not None:
        if fields.get("data") is not None:
            raise UndecodableError("data and data_base64 are both given", hint="Send one of them")
        data = base64_data(encoded, content_type)
    elif "data" in fields:
        data = fields["data"]
    else:
        return
    if data is None:
        known["null_data"] = True
    elif type(data) is not str and not is_json(content_type):
        raise UndecodableError(
            f"data is a {type(data).__name__}, and datacontenttype {content_type[:40]!r} is not JSON",
            hint="Leave datacontenttype out, or send the data as text",
        )
    else:
        known["data"] = data


def _text(name: str, value: object) -> str:
    if type(value) is not str:
        raise UndecodableError(f"{name} is a {type(value).__name__}, not text")
    return value


def _time(value: object) -> datetime | None:
    if value == "":
        return None
    if type(value) is str and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise InvalidEventError(f"time {value!r} is no time: {error}") from error
    raise UndecodableError(
        f"time {str(value)[:40]!r} is not a time with date and zone", hint="Write it as 2026-06-15T12:00:00Z (RFC 3339)"
    )


def _priority(value: object) -> int:
    if type(value) is str and len(value) == 1 and value in "0123456789":
        return int(value)
    if type(value) is not int:
        raise UndecodableError(f"priority {str(value)[:40]!r} is not a whole number from 0 to 9")
    return value


def _labels(value: object) -> list[str]:
    if not value:
        return []
    return [label.strip(" ") for label in _text("labels", value).split(",")]


def _ordered(value: object) -> bool:
    if value in ("true", "false"):
        return value == "true"
    if type(value) is not bool:
        raise UndecodableError(f"ordered {str(value)[:40]!r} is not true or false")
    return value


_READERS = {"time": _time, "priority": _priority, "labels": _labels, "ordered": _ordered}
_ELSEWHERE = {"specversion", "data", "data_base64"}
