"""Events in an HTTP request, in each form and with what a hostile client sends."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.errors import (
    EventError,
    EventProblemsError,
    ForgedError,
    InvalidEventError,
    TooLargeError,
    UndecodableError,
)
from vextir_os.events.codec_http import decode_http
from vextir_os.events.event import Event
from vextir_os.events.limits import WIRE_BYTES

FIELDS = {"specversion": "1.0", "id": "e1", "source": "/s", "type": "a.b"}
HEADERS = {f"ce-{name}": value for name, value in FIELDS.items()}
EVENT = Event(type="a.b", id="e1", source="/s")
STRUCTURED = json.dumps(FIELDS).encode()


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=UTF-8", "application/json"],
)
def test_a_structured_event_is_read(content_type: str) -> None:
    assert decode_http(content_type, {}, STRUCTURED) == [EVENT]


@pytest.mark.parametrize("content_type", ["application/cloudevents-batch+json; charset=utf-8", "application/json"])
def test_a_batch_is_read(content_type: str) -> None:
    assert decode_http(content_type, {}, b"[" + STRUCTURED + b"," + STRUCTURED + b"]") == [EVENT, EVENT]
    assert decode_http(content_type, {}, b"[]") == []


def test_the_plain_form_is_read_alone_and_in_an_array() -> None:
    assert decode_http("application/json", {}, b'{"type":"a","user_id":"u"}') == [Event(type="a", userid="u")]
    assert decode_http("application/json", {}, b'[{"type":"a"},{"type":"b"}]') == [Event(type="a"), Event(type="b")]


def test_binary_mode_takes_attributes_from_headers_in_any_case() -> None:
    headers = {name.upper(): value for name, value in HEADERS.items()} | {
        "traceparent": "transport",
        "Ce-Priority": "7",
    }

    [event] = decode_http("application/json; charset=utf-8", headers, b'{"type":"other"}')

    assert event == EVENT.but(data={"type": "other"}, priority=7, datacontenttype="application/json; charset=utf-8")


def test_binary_mode_without_a_body_has_no_data() -> None:
    assert decode_http("", HEADERS, b"") == [EVENT]


def test_headers_do_not_count_beside_a_structured_body() -> None:
    assert decode_http("application/cloudevents+json", {**HEADERS, "ce-type": "x.y"}, STRUCTURED) == [EVENT]


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("plain", "plain"),
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("100%25", "100%"),
        ("%2541", "%41"),
        ('"quoted \\"text\\" with \\\\"', 'quoted "text" with \\'),
        ('"%E2%82%AC"', "€"),
        ('"', '"'),
        ("  spaces around\t", "spaces around"),
        ('""', ""),
    ],
)
def test_a_header_is_unquoted_and_then_decoded_once(written: str, subject: str) -> None:
    assert decode_http("", {**HEADERS, "ce-subject": written}, b"")[0].subject == subject


HEADERS_REFUSED = {
    "overlong UTF-8": ("%C0%A0", "header ce-subject is not UTF-8 after percent-decoding. Encode UTF-8"),
    "half a character": ("%E2%82", "header ce-subject is not UTF-8 after percent-decoding. Encode UTF-8"),
    "surrogate": ("%ED%A0%80", "header ce-subject is not UTF-8 after percent-decoding. Encode UTF-8"),
    "lone percent": ("100%", "header ce-subject has a `%` without two hex digits. Write `%` as %25"),
    "no hex": ("%zz", "header ce-subject has a `%` without two hex digits. Write `%` as %25"),
    "raw UTF-8": ("\u20ac", "header ce-subject holds a character outside of ASCII. Percent-encode it as UTF-8"),
    "raw latin": ("\xe9", "header ce-subject holds a character outside of ASCII. Percent-encode it as UTF-8"),
    "newline": ("a\nb", "header ce-subject holds a character outside of ASCII. Percent-encode it as UTF-8"),
}


@pytest.mark.parametrize(("written", "message"), HEADERS_REFUSED.values(), ids=HEADERS_REFUSED)
def test_a_header_that_is_wrongly_encoded_is_refused(written: str, message: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode_http("", {**HEADERS, "ce-subject": written}, b"")

    assert str(caught.value) == message


def test_an_encoded_newline_does_not_get_into_an_attribute() -> None:
    with pytest.raises(InvalidEventError, match=r"^id 'a\\r\\nb' holds a character that does not print$"):
        decode_http("", {**HEADERS, "ce-id": "a%0D%0Ab"}, b"")


def test_a_header_over_8_192_characters_is_refused() -> None:
    with pytest.raises(TooLargeError, match=r"^header ce-subject has 8193 characters, at most 8192 are read$"):
        decode_http("", {**HEADERS, "ce-subject": "x" * 8_193}, b"")


REFUSED: dict[str, tuple[str, dict[str, str], bytes, str]] = {
    "other type": (
        "text/html",
        {},
        b"{}",
        (
            "content type 'text/html' is not read here. Send application/cloudevents+json, "
            "application/cloudevents-batch+json, application/json, or ce-specversion, ce-id, ce-source and ce-type"
        ),
    ),
    "no type": (
        "",
        {},
        b"{}",
        (
            "content type '' is not read here. Send application/cloudevents+json, "
            "application/cloudevents-batch+json, application/json, or ce-specversion, ce-id, ce-source and ce-type"
        ),
    ),
    "CloudEvents in XML": (
        "application/cloudevents+xml",
        HEADERS,
        b"<a/>",
        (
            "content type 'application/cloudevents+xml' is not read here. Send application/cloudevents+json, "
            "application/cloudevents-batch+json, application/json, or ce-specversion, ce-id, ce-source and ce-type"
        ),
    ),
    "other charset": ("application/json; charset=utf-16", {}, b"{}", "charset 'utf-16' is not read here. Send UTF-8"),
    "array as one": (
        "application/cloudevents+json",
        {},
        b"[]",
        "no event: a JSON list, not an object. Send arrays as application/cloudevents-batch+json",
    ),
    "one as a batch": (
        "application/cloudevents-batch+json",
        {},
        STRUCTURED,
        "a batch is a JSON array, this is a dict. Send application/cloudevents+json",
    ),
    "plain as CloudEvents": (
        "application/cloudevents+json",
        {},
        b'{"type":"a"}',
        "specversion 'None' is not known. Send CloudEvents 1.0",
    ),
    "header missing": (
        "application/json",
        {"ce-specversion": "1.0", "ce-id": "e1"},
        b"{}",
        "source is missing or empty. CloudEvents 1.0 requires it",
    ),
    "old version": (
        "",
        {**HEADERS, "ce-specversion": "0.3"},
        b"",
        "specversion '0.3' is not known. Send CloudEvents 1.0",
    ),
    "header twice": ("", {**HEADERS, "CE-Type": "x.y"}, b"", "header ce-type is given twice"),
    "datacontenttype": (
        "",
        {**HEADERS, "ce-datacontenttype": "text/plain"},
        b"",
        "header ce-datacontenttype is not known. Send it as Content-Type",
    ),
    "data": ("", {**HEADERS, "ce-data": "x"}, b"", "data is not an attribute: in binary mode the body is the data"),
    "no JSON": (
        "application/json",
        HEADERS,
        b"{",
        "not JSON: Expecting property name enclosed in double quotes at line 1 column 2",
    ),
    "form": (
        "application/x-www-form-urlencoded",
        HEADERS,
        b"a=1",
        "data of type 'application/x-www-form-urlencoded' is neither JSON nor text. Send JSON, and put bytes elsewhere",
    ),
}


@pytest.mark.parametrize(("content_type", "headers", "body", "message"), REFUSED.values(), ids=REFUSED)
def test_a_request_of_another_form_is_refused(
    content_type: str, headers: dict[str, str], body: bytes, message: str
) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode_http(content_type, headers, body)

    assert str(caught.value) == message


def test_bad_events_of_a_batch_are_named_by_index_and_plain_ones_are_bad_in_a_cloudevents_batch() -> None:
    body = b"[" + STRUCTURED + b',{"type":"a"},5]'

    with pytest.raises(EventProblemsError) as caught:
        decode_http("application/cloudevents-batch+json", {}, body)

    assert str(caught.value) == (
        "2 problems found:\n"
        "  event 1: specversion 'None' is not known. Send CloudEvents 1.0\n"
        "  event 2: no event: a JSON int, not an object"
    )


@pytest.mark.parametrize("header", ["ce-fence", "CE-Attempt", "ce-rerun"])
def test_a_field_of_the_os_in_a_header_is_forged(header: str) -> None:
    with pytest.raises(ForgedError, match=rf"^{header.lower()[3:]} is written by the OS alone"):
        decode_http("application/json", {header: "1"}, b'{"type":"a"}')


def test_the_limit_is_that_of_one_message_unless_another_is_given() -> None:
    body = STRUCTURED + b" " * (WIRE_BYTES + 1 - len(STRUCTURED))

    with pytest.raises(TooLargeError, match=r"^200001 bytes, at most 200000 are allowed"):
        decode_http("application/json", {}, body)
    assert decode_http("application/json", {}, body, limit_bytes=WIRE_BYTES + 1) == [EVENT]


header_names = st.sampled_from([*HEADERS, "ce-subject", "ce-time", "ce-labels", "CE-ID", "x"])
content_types = st.sampled_from(["", "application/json", "text/plain; charset=x", "application/cloudevents-batch+json"])


@given(content_types | st.text(max_size=9), st.dictionaries(header_names, st.text(max_size=9)), st.binary(max_size=40))
def test_any_request_is_read_or_refused(content_type: str, headers: dict[str, Any], body: bytes) -> None:
    try:
        decode_http(content_type, headers, body)
    except EventError:
        return
