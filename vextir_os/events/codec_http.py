"""Events in an HTTP request: structured, batch, binary, or our plain form.

Source: cloudevents/spec 1.0.2, `bindings/http-protocol-binding.md`. Pure; knows no web framework. The receiver has
still to limit what it reads from the network, and to assert who sent it.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from vextir_os.errors import TooLargeError, UndecodableError
from vextir_os.events import jsonio
from vextir_os.events.attributes import OS_ONLY
from vextir_os.events.codec import check_size, from_batch, from_binary, from_item
from vextir_os.events.codec_data import check_charset, media_type
from vextir_os.events.codec_fields import REQUIRED, forged, from_cloudevent
from vextir_os.events.event import Event
from vextir_os.events.limits import WIRE_BYTES

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
PLAIN = "application/json"
_PREFIX = "ce-"
_HEADER_CHARS = 8_192
_VISIBLE = re.compile(r"[\x20-\x7e]*")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_QUOTED_PAIR = re.compile(r"\\(.)")


def decode_http(
    content_type: str, headers: Mapping[str, str], body: bytes, *, limit_bytes: int = WIRE_BYTES
) -> list[Event]:
    """Return the events of a request.

    Args:
        content_type: Says the form: a batch, one structured event, plain JSON (one object or an array; structured
            where there is a `specversion`); any other type, or JSON, with `ce-*` headers is binary mode.
        headers: All headers, in any case of letters; those that begin with `ce-` are attributes in binary mode.
        body: The whole body, as sent.
        limit_bytes: How long the body may be.

    Raises:
        UndecodableError: Another content type, or the body or headers are not of that form.
        TooLargeError: Over the limit, or JSON nested too deeply.
        ForgedError: A field that only the OS may write.
        InvalidEventError: An attribute has a wrong syntax or range.
        EventProblemsError: Some events of a batch are bad; each is named by its index.
    """
    check_size(body, limit_bytes)
    media = media_type(content_type)
    # The type of a batch begins with that of CloudEvents too, so it is asked for first.
    if media.startswith("application/cloudevents-batch"):
        return from_batch(_array(_json(media, BATCH, content_type, body)), strict=True)
    if media.startswith("application/cloudevents"):
        return [_structured(_json(media, STRUCTURED, content_type, body))]
    attributes = _attributes(headers)
    if any(name in attributes for name in REQUIRED):
        return [from_binary(attributes, body, content_type)]
    value = _json(media, PLAIN, content_type, body)
    return from_batch(value) if type(value) is list else [from_item(value)]


def _json(media: str, wanted: str, content_type: str, body: bytes) -> Any:
    if media != wanted:
        raise UndecodableError(
            f"content type {content_type[:80]!r} is not read here",
            hint=f"Send {STRUCTURED}, {BATCH}, {PLAIN}, or ce-specversion, ce-id, ce-source and ce-type",
        )
    check_charset(content_type)
    return jsonio.loads_strict(body)


def _array(value: Any) -> list[Any]:
    if type(value) is not list:
        raise UndecodableError(f"a batch is a JSON array, this is a {type(value).__name__}", hint=f"Send {STRUCTURED}")
    return value


def _structured(value: Any) -> Event:
    if type(value) is not dict:
        raise UndecodableError(
            f"no event: a JSON {type(value).__name__}, not an object", hint=f"Send arrays as {BATCH}"
        )
    return from_cloudevent(value)


def _attributes(headers: Mapping[str, str]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for key, value in headers.items():
        header = key.lower()
        if not header.startswith(_PREFIX):
            continue
        name = header[len(_PREFIX) :]
        if name in OS_ONLY:
            raise forged(name)
        if name in attributes:
            raise UndecodableError(f"header {header[:40]} is given twice")
        if name == "datacontenttype":
            raise UndecodableError("header ce-datacontenttype is not known", hint="Send it as Content-Type")
        attributes[name] = _header_text(header[:40], value)
    return attributes


def _header_text(header: str, value: str) -> str:
    """Return the text that a header's value stands for: unquoted, then percent-decoded once (section 3.1.3.2)."""
    value = value.strip(" \t")
    if len(value) > _HEADER_CHARS:
        raise TooLargeError(f"header {header} has {len(value)} characters, at most {_HEADER_CHARS} are read")
    if not _VISIBLE.fullmatch(value):
        raise UndecodableError(f"header {header} holds a character outside of ASCII", hint="Percent-encode it as UTF-8")
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = _QUOTED_PAIR.sub(r"\1", value[1:-1])
    if _LONE_PERCENT.search(value):
        raise UndecodableError(f"header {header} has a `%` without two hex digits", hint="Write `%` as %25")
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        raise UndecodableError(f"header {header} is not UTF-8 after percent-decoding", hint="Encode UTF-8") from error
