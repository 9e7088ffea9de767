"""Events as bytes: what is written, and every form of a queue message that is read."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.strategies import events, json_values
from vextir_os.errors import (
    EventError,
    EventProblemsError,
    ForgedError,
    InvalidEventError,
    TooLargeError,
    UndecodableError,
)
from vextir_os.events.codec import decode, decode_one, encode
from vextir_os.events.event import Event
from vextir_os.events.jsonio import Raw
from vextir_os.events.limits import WIRE_BYTES

FULL = Event(
    type="mail.received",
    data={"from": "a@b.c"},
    id="e1",
    source="/mail",
    subject="Réunion",
    time=datetime(2026, 6, 15, 12, tzinfo=UTC),
    datacontenttype="application/json",
    dataschema="https://example.com/s",
    category="output",
    tenantid="acme",
    userid="ann",
    correlationid="c1",
    causationid="e0",
    partitionkey="p",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    priority=7,
    labels=("pii", "untrusted"),
    dataref="https://example.com/d",
    extensions={"tracestate": "x=1", "sampled": True, "count": -5},
)
UNFIT = "and datacontenttype 'text/plain' is not JSON. Leave datacontenttype out, or send the data as text"
REQUIRED = {"specversion": "1.0", "id": "e1", "source": "/s", "type": "a.b"}


def structured(**fields: Any) -> bytes:
    return json.dumps({**REQUIRED, **fields}).encode()


def properties(prefix: str = "cloudEvents_", /, **fields: str | int | bool) -> dict[str, str | int | float | bool]:
    return {f"{prefix}{name}": value for name, value in {**REQUIRED, **fields}.items()}


# Writing


def test_an_event_is_written_as_compact_cloudevents_json() -> None:
    assert encode(FULL).decode() == (
        '{"specversion":"1.0","id":"e1","source":"/mail","type":"mail.received","time":"2026-06-15T12:00:00Z",'
        '"category":"output","subject":"Réunion","datacontenttype":"application/json",'
        '"dataschema":"https://example.com/s","tenantid":"acme","userid":"ann","correlationid":"c1","causationid":"e0",'
        '"partitionkey":"p","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",'
        '"dataref":"https://example.com/d","priority":7,"labels":"pii,untrusted","count":-5,"sampled":true,'
        '"tracestate":"x=1","data":{"from":"a@b.c"}}'
    )


def test_what_is_empty_is_left_out() -> None:
    assert encode(Event(type="a", id="e1", source="/s")) == (
        b'{"specversion":"1.0","id":"e1","source":"/s","type":"a","category":"input"}'
    )


def test_null_data_is_written_and_no_data_is_not() -> None:
    event = Event(type="a", id="e1", source="/s", null_data=True)

    assert encode(event).endswith(b',"data":null}')
    assert decode(encode(event))[0].null_data is True
    assert decode(encode(event.but(null_data=False)))[0].null_data is False


def test_a_time_of_an_early_year_is_written_with_four_digits() -> None:
    event = Event(type="a", id="e1", source="/s", time=datetime(33, 4, 3, 0, 0, 0, 1, tzinfo=UTC))

    assert b'"time":"0033-04-03T00:00:00.000001Z"' in encode(event)
    assert decode_one(encode(event)) == event


@given(events)
def test_what_is_written_reads_back_the_same(event: Event) -> None:
    body = encode(event)

    assert decode_one(body) == event
    assert decode(body) == [event]
    assert decode(body, content_type="application/cloudevents+json; charset=utf-8") == [event]
    assert encode(decode_one(body)) == body


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (Event(type="a", source="/s"), "an event of type a has no id, and cannot travel without"),
        (Event(type="a", id="e1"), "an event of type a has no source, and cannot travel without"),
        (Event(type="a", id="e1", source="/s", data={"x": float("nan")}), "not JSON: x is nan, which JSON cannot hold"),
        (
            Event(type="a", id="e1", source="/s", data={"x": 1}, datacontenttype="text/plain"),
            f"data is a Payload, {UNFIT}",
        ),
    ],
    ids=["no id", "no source", "no JSON", "no text"],
)
def test_an_event_that_nobody_could_read_is_not_written(event: Event, message: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        encode(event)

    assert str(caught.value) == message


def test_an_event_of_200_000_bytes_is_written_and_read_and_one_more_is_not() -> None:
    event = Event(type="a", id="e1", source="/s", data="")
    fits = event.but(data="x" * (WIRE_BYTES - len(encode(event))))
    over = event.but(data=fits.data + "x")

    assert decode_one(encode(fits)) == decode(encode(fits))[0] == fits
    with pytest.raises(TooLargeError, match=r"^200001 bytes, at most 200000 are allowed\. Keep large data elsewhere"):
        encode(over)
    for read in (decode_one, decode):
        with pytest.raises(TooLargeError, match=r"^200001 bytes, at most 200000 are allowed"):
            read(encode(fits) + b" ")


def test_data_that_is_encoded_already_is_written_as_it_stands() -> None:
    event = Event(type="a", id="e1", source="/s", data=Raw(b'{"x":1}'))

    assert decode_one(encode(event, checked=True)).data == {"x": 1}


# Reading: structured


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


# Reading: the plain form

PLAIN = {
    "id": "evt_123",
    "type": "email.received",
    "category": "input",
    "timestamp": "2025-06-15T12:00:00Z",
    "user_id": "user_456",
    "source": "email_driver",
    "data": {"from": "a@b.c", "subject": "Hi", "body": "…"},
}


def test_the_plain_form_is_read() -> None:
    assert decode(json.dumps(PLAIN).encode()) == [
        Event(
            id="evt_123",
            type="email.received",
            time=datetime(2025, 6, 15, 12, tzinfo=UTC),
            userid="user_456",
            source="email_driver",
            data={"from": "a@b.c", "subject": "Hi", "body": "…"},
        )
    ]


def test_every_other_name_of_the_plain_form_means_the_same_as_its_own() -> None:
    body = json.dumps(
        {
            "type": "a",
            "metadata": "text",
            "timestamp": "2025-06-15T12:00:00Z",
            "user_id": "u",
            "tenant_id": "t",
            "correlation_id": "c",
            "causation_id": "k",
            "partition_key": "p",
            "trace_parent": "tp",
            "data_schema": "s",
            "content_type": "text/plain",
        }
    )

    assert decode(body.encode()) == [
        Event(
            type="a",
            data="text",
            time=datetime(2025, 6, 15, 12, tzinfo=UTC),
            userid="u",
            tenantid="t",
            correlationid="c",
            causationid="k",
            partitionkey="p",
            traceparent="tp",
            dataschema="s",
            datacontenttype="text/plain",
        )
    ]


def test_the_plain_form_needs_no_id_and_no_source() -> None:
    assert decode(b'{"type": "a", "id": null, "source": ""}') == [Event(type="a")]


def test_labels_of_the_plain_form_may_be_a_list_or_a_text() -> None:
    assert decode(b'{"type": "a", "labels": ["pii", "hr"]}') == decode(b'{"type": "a", "labels": "hr,pii"}')


def test_null_data_of_the_plain_form_is_a_payload() -> None:
    assert decode(b'{"type": "a", "metadata": null}') == [Event(type="a", null_data=True)]


PLAIN_REFUSED = {
    "typo": ({"type": "a", "user_ids": "x"}, "unknown field 'user_ids'. Did you mean `user_id`?"),
    "nothing near": ({"type": "a", "zzzzzz": 1}, "unknown field 'zzzzzz'. Put your own values into data"),
    "case": ({"type": "a", "Data": {}}, "unknown field 'Data'. Did you mean `data`?"),
    "base64": ({"type": "a", "data_base64": "MQ=="}, "unknown field 'data_base64'. Did you mean `data_schema`?"),
    "both names": (
        {"type": "a", "userid": "x", "user_id": "y"},
        "userid and user_id are one field, and both are given. Leave one out",
    ),
    "data twice": (
        {"type": "a", "metadata": {}, "data": {}},
        "metadata and data are one field, and both are given. Leave one out",
    ),
    "no type": ({"type": None, "data": 1}, 'type is missing or empty. Write it as "type": "mail.received"'),
    "id is a number": ({"type": "a", "id": 5}, "id is a int, not text"),
    "text data": (
        {"type": "a", "data": 1, "datacontenttype": "text/plain"},
        f"data is a int, {UNFIT}",
    ),
}


@pytest.mark.parametrize(("fields", "message"), PLAIN_REFUSED.values(), ids=PLAIN_REFUSED)
def test_a_mistake_in_the_plain_form_is_refused_by_name(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode(json.dumps(fields).encode())

    assert str(caught.value) == message


# Reading: binary


@pytest.mark.parametrize("prefix", ["cloudEvents_", "cloudEvents:"])
def test_binary_mode_is_read_by_either_prefix(prefix: str) -> None:
    given = properties(prefix, priority=7, sampled=True, subject="Réunion")

    [event] = decode(b'{"x":1}', properties={**given, "other": "ignored"}, content_type="application/json")

    assert event == Event(
        type="a.b",
        id="e1",
        source="/s",
        priority=7,
        subject="Réunion",
        data={"x": 1},
        datacontenttype="application/json",
        extensions={"sampled": True},
    )


@pytest.mark.parametrize(
    ("body", "content_type", "data"),
    [
        (b"", "", None),
        (b"null", "", None),
        (b"[1]", "", [1]),
        (b'{"type":"other"}', "", {"type": "other"}),
        ("été".encode(), "text/plain; charset=utf-8", "été"),
        (b"", "text/plain", None),
        (b'"x"', "application/cloudevents+json", "x"),
    ],
)
def test_the_body_of_binary_mode_is_the_data(body: bytes, content_type: str, data: Any) -> None:
    [event] = decode(body, properties=properties(), content_type=content_type)

    assert event.data == data
    assert event.null_data is (body == b"null")


def test_the_content_type_may_stand_among_the_properties() -> None:
    [event] = decode(b"not JSON", properties=properties(datacontenttype="text/plain"))

    assert (event.data, event.datacontenttype) == ("not JSON", "text/plain")


def test_data_of_somebodys_binary_event_cannot_speak_as_another_event() -> None:
    inner = structured(type="admin.delete")

    with pytest.raises(UndecodableError) as caught:
        decode(inner, properties=properties())
    assert str(caught.value) == (
        "ambiguous: cloudEvents_type and type in the body differ. "
        "Name the content type: application/cloudevents+json, or that of the data"
    )
    [event] = decode(inner, properties=properties(), content_type="application/json")
    assert (event.type, event.data.type) == ("a.b", "admin.delete")


def test_a_structured_body_that_agrees_with_its_properties_is_structured() -> None:
    [event] = decode(structured(data={"x": 1}), properties=properties())

    assert event == Event(type="a.b", id="e1", source="/s", data={"x": 1})


BINARY_REFUSED: dict[str, tuple[bytes, dict[str, Any], str, str]] = {
    "one missing": (
        b'{"x":1}',
        {"cloudEvents_id": "e1", "cloudEvents_specversion": "1.0", "cloudEvents_type": ""},
        "",
        "no event: properties of CloudEvents without cloudEvents_source, cloudEvents_type",
    ),
    "two prefixes": (
        b"{}",
        {**properties(), "cloudEvents:id": "e2"},
        "",
        "properties with cloudEvents_ and with cloudEvents: in one message. Use one of them",
    ),
    "data as a property": (
        b"{}",
        properties(data="x"),
        "",
        "data is not an attribute: in binary mode the body is the data",
    ),
    "bytes": (
        b"\x89PNG",
        properties(),
        "image/png",
        "data of type 'image/png' is neither JSON nor text. Send JSON, and put bytes elsewhere",
    ),
    "no JSON": (b"NaN", properties(), "application/json", "not JSON: NaN is no number of JSON"),
    "two content types": (
        b"{}",
        properties(datacontenttype="text/plain"),
        "application/json",
        "the content type 'application/json' and datacontenttype 'text/plain' differ",
    ),
    "id is a number": (b"{}", properties(id=5), "", "id is a int, not text"),
    "time out of range": (b"{}", properties(time=2**62), "", f"cloudEvents_time {2**62} is no time in milliseconds"),
}


@pytest.mark.parametrize(("body", "given", "content_type", "message"), BINARY_REFUSED.values(), ids=BINARY_REFUSED)
def test_a_mistake_in_binary_mode_is_refused(
    body: bytes, given: dict[str, Any], content_type: str, message: str
) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode(body, properties=given, content_type=content_type)

    assert str(caught.value) == message


# Reading: batches, and what is nothing


def test_an_array_is_a_batch_of_either_form() -> None:
    body = b"[" + structured(data=1) + b',{"type":"c"}]'

    assert decode(body) == [Event(type="a.b", id="e1", source="/s", data=1), Event(type="c")]
    assert decode(b"[]") == []


def test_all_bad_events_of_a_batch_are_reported_with_their_index() -> None:
    body = b'[{"type":"ok"}, 5, {"type":"Bad"}, {"type":"a","fence":1}, [{"type":"a"}]]'

    with pytest.raises(EventProblemsError) as caught:
        decode(body)

    assert str(caught.value) == (
        "4 problems found:\n"
        "  event 1: no event: a JSON int, not an object\n"
        "  event 2: event type 'Bad' is not dotted lower case of at most 128 characters. Did you mean 'bad'?\n"
        "  event 3: fence is written by the OS alone, and this event carries it. Leave fence out\n"
        "  event 4: no event: a JSON list, not an object"
    )


def test_a_batch_of_nothing_but_mistakes_reports_the_first_twenty() -> None:
    with pytest.raises(EventProblemsError) as caught:
        decode(b"[" + b"1," * 50_000 + b"1]")

    assert len(caught.value.problems) == 20


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"5", "no event: a JSON int, not an object"),
        (b"null", "no event: a JSON NoneType, not an object"),
        (b"{}", 'type is missing or empty. Write it as "type": "mail.received"'),
        (b"", "not JSON: Expecting value at line 1 column 1"),
        (b"\xff\xfe", "not UTF-8: byte 0 cannot be decoded. Send UTF-8 JSON"),
    ],
)
def test_what_is_no_event_in_any_form_is_refused(body: bytes, message: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        decode(body)

    assert str(caught.value) == message


@pytest.mark.parametrize("name", ["attempt", "rerun", "fence"])
def test_a_field_of_the_os_is_forged_in_every_form(name: str) -> None:
    message = rf"^{name} is written by the OS alone, and this event carries it\. Leave {name} out$"
    with pytest.raises(ForgedError, match=message):
        decode(structured(**{name: None}))
    with pytest.raises(ForgedError, match=message):
        decode_one(structured(**{name: 1}))
    with pytest.raises(ForgedError, match=message):
        decode(json.dumps({"type": "a", name: 0}).encode())
    with pytest.raises(ForgedError, match=message):
        decode(b"{}", properties={**properties(), f"cloudEvents_{name}": 1})
    with pytest.raises(ForgedError, match=message):
        decode(structured(), properties={f"cloudEvents:{name}": 1})


@pytest.mark.parametrize("body", [b"[]", b"5", b'"x"', b"null"])
def test_one_event_is_an_object(body: bytes) -> None:
    with pytest.raises(UndecodableError, match=r"^no event: a JSON (list|int|str|NoneType), not an object$"):
        decode_one(body)


keys = st.sampled_from(
    ["specversion", "id", "source", "type", "data", "time", "labels", "priority", "fence", "data_base64"]
)


@given(st.dictionaries(keys | st.text(max_size=3), json_values | st.just("1.0") | st.just("a.b"), max_size=8))
def test_any_object_is_an_event_or_refused(fields: dict[str, Any]) -> None:
    try:
        found = decode(json.dumps(fields).encode())
    except EventError:
        return
    assert found[0].type == fields["type"]


@given(
    st.binary(max_size=60), st.dictionaries(keys, st.text(max_size=5) | st.booleans(), max_size=5), st.text(max_size=12)
)
def test_any_message_is_read_or_refused(body: bytes, given: dict[str, Any], content_type: str) -> None:
    try:
        decode(body, properties=properties(**given), content_type=content_type)
    except EventError:
        return
