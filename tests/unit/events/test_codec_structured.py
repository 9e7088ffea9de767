"""Structured CloudEvents JSON in a queue message."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.events.messages import REQUIRED, UNFIT, structured
from vextir_os.errors import (
    InvalidEventError,
    UndecodableError,
)
from vextir_os.events.codec import decode
from vextir_os.events.event import Event


def test_attributes_are_read_in_their_text_form_too() -> None:
    [event] = decode(structured(priority="7", labels="pii, untrusted", time="2026-06-15t14:00:00.5+02:00"))

    assert (event.priority, event.labels) == (7, ("pii", "untrusted"))
    assert event.time == datetime(2026, 6, 15, 12, 0, 0, 500_000, tzinfo=UTC)


def test_attributes_that_are_null_or_empty_count_as_absent() -> None:
    assert decode(
        structured(subject=None, userid="", time=None, priority=None, labels="", category=None, other=None)
    ) == [Event(type="a.b", id="e1", source="/s")]


@pytest.mark.parametrize("time", ["2026-06-15T12:00:00.1234567Z", "2026-06-15T12:00:00.123456789Z"])
def test_a_time_finer_than_a_microsecond_is_cut(time: str) -> None:
    assert decode(structured(time=time))[0].time == datetime(2026, 6, 15, 12, 0, 0, 123_456, tzinfo=UTC)


def test_attributes_that_we_do_not_know_are_kept() -> None:
    [event] = decode(structured(tracestate="a=b", sampled=False, severitynumber=9))

    assert dict(event.extensions) == {"tracestate": "a=b", "sampled": False, "severitynumber": 9}


def test_a_string_of_json_stays_a_string() -> None:
    assert decode(structured(data='{"a":1}'))[0].data == '{"a":1}'
    assert decode(structured(data='{"a":1}', datacontenttype="application/json"))[0].data == '{"a":1}'


@pytest.mark.parametrize(
    ("content_type", "raw", "data"),
    [
        ("", b'{"a":1}', {"a": 1}),
        ("application/json", b"[1]", [1]),
        ("application/vnd.x+json; charset=UTF-8", b"null", None),
        ("text/plain", "été".encode(), "été"),
    ],
)
def test_data_in_base64_is_read_as_its_content_type_says(content_type: str, raw: bytes, data: Any) -> None:
    encoded = base64.b64encode(raw).decode()

    assert decode(structured(data_base64=encoded, datacontenttype=content_type))[0].data == data


@pytest.mark.parametrize(("sent", "read"), [(True, True), ("true", True), ("false", False), (False, False)])
def test_whether_an_event_is_ordered_reads_as_a_boolean_or_as_its_text(sent: object, read: bool) -> None:
    [event] = decode(structured(partitionkey="k", ordered=sent))

    assert (event.partitionkey, event.ordered) == ("k", read)


STRUCTURED_REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "old version": ({"specversion": "0.3"}, "specversion '0.3' is not known. Send CloudEvents 1.0"),
    "version as a number": ({"specversion": 1.0}, "specversion '1.0' is not known. Send CloudEvents 1.0"),
    "empty id": ({"id": ""}, "id is missing or empty. CloudEvents 1.0 requires it"),
    "null source": ({"source": None}, "source is missing or empty. CloudEvents 1.0 requires it"),
    "empty type": ({"type": ""}, "type is missing or empty. CloudEvents 1.0 requires it"),
    "id is a number": ({"id": 5}, "id is a int, not text"),
    "type is a list": ({"type": ["a"]}, "type is a list, not text"),
    "subject is an object": ({"subject": {}}, "subject is a dict, not text"),
    "tenantid is false": ({"tenantid": False}, "tenantid is a bool, not text"),
    "category is a number": ({"category": 0}, "category is a int, not text"),
    "labels are a list": ({"labels": ["pii"]}, "labels is a list, not text"),
    "priority is a float": ({"priority": 5.0}, "priority '5.0' is not a whole number from 0 to 9"),
    "priority is true": ({"priority": True}, "priority 'True' is not a whole number from 0 to 9"),
    "priority is text": ({"priority": "high"}, "priority 'high' is not a whole number from 0 to 9"),
    "priority is another digit": ({"priority": "\u0667"}, "priority '\u0667' is not a whole number from 0 to 9"),
    "ordered is a word": ({"ordered": "yes", "partitionkey": "k"}, "ordered 'yes' is not true or false"),
    "ordered is a number": ({"ordered": 1, "partitionkey": "k"}, "ordered '1' is not true or false"),
    "time without zone": (
        {"time": "2026-06-15T12:00:00"},
        "time '2026-06-15T12:00:00' is not a time with date and zone. Write it as 2026-06-15T12:00:00Z (RFC 3339)",
    ),
    "time as epoch": (
        {"time": 1_781_524_800},
        "time '1781524800' is not a time with date and zone. Write it as 2026-06-15T12:00:00Z (RFC 3339)",
    ),
    "time of a week": (
        {"time": "2026-W25-1T12:00:00Z"},
        "time '2026-W25-1T12:00:00Z' is not a time with date and zone. Write it as 2026-06-15T12:00:00Z (RFC 3339)",
    ),
    "data with data_base64": (
        {"data": 1, "data_base64": "MQ=="},
        "data and data_base64 are both given. Send one of them",
    ),
    "bytes": (
        {"data_base64": "iVBO", "datacontenttype": "image/png"},
        "data of type 'image/png' is neither JSON nor text. Send JSON, and put bytes elsewhere",
    ),
    "no base64": ({"data_base64": "M Q"}, "data_base64 is no base64: Only base64 data is allowed"),
    "base64 is a number": ({"data_base64": 5}, "data_base64 is a int, not text"),
    "no JSON in base64": ({"data_base64": "TmFO"}, "not JSON: NaN is no number of JSON"),
    "no UTF-8 in base64": (
        {"data_base64": "wKA=", "datacontenttype": "text/plain"},
        "data is not UTF-8: byte 0 cannot be decoded. Send UTF-8",
    ),
    "other charset": (
        {"data_base64": "MQ==", "datacontenttype": 'text/plain; charset="utf-16"'},
        "charset '\"utf-16\"' is not read here. Send UTF-8",
    ),
    "object as text": (
        {"data": {}, "datacontenttype": "text/plain"},
        f"data is a dict, {UNFIT}",
    ),
}


@pytest.mark.parametrize(("fields", "message"), STRUCTURED_REFUSED.values(), ids=STRUCTURED_REFUSED)
def test_a_wrong_attribute_in_structured_json_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode(structured(**fields))

    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["id", "source", "type"])
def test_a_required_attribute_that_is_missing_is_named(name: str) -> None:
    fields = {key: value for key, value in REQUIRED.items() if key != name}

    with pytest.raises(UndecodableError, match=rf"^{name} is missing or empty\. CloudEvents 1\.0 requires it$"):
        decode(json.dumps(fields).encode())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"time": "2026-02-30T12:00:00Z"}, "time '2026-02-30T12:00:00Z' is no time: day is out of range for month"),
        ({"time": "2026-06-15T12:00:60Z"}, "time '2026-06-15T12:00:60Z' is no time: second must be in 0..59"),
        ({"priority": 10}, "priority '10' is not a whole number from 0 to 9"),
        ({"labels": "a,,b"}, "label '' is not a lower-case name of 1 to 64 characters a-z 0-9 . _ -"),
        ({"nested": {"a": 1}}, "extension attribute nested is a dict, not text, integer or boolean"),
        ({"half": 0.5}, "extension attribute half is a float, not text, integer or boolean"),
    ],
    ids=lambda value: "" if isinstance(value, str) else next(iter(value)),
)
def test_an_attribute_out_of_range_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        decode(structured(**fields))

    assert str(caught.value) == message
