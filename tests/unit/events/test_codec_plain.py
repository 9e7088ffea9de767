"""The plain form, batches, and what is no event in any form."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.messages import UNFIT, properties, structured
from tests.unit.events.strategies import json_values
from vextir_os.errors import (
    EventError,
    EventProblemsError,
    ForgedError,
    UndecodableError,
)
from vextir_os.events.codec import decode, decode_one
from vextir_os.events.event import Event

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


def test_a_batch_with_a_forged_event_in_it_is_forged() -> None:
    with pytest.raises(ForgedError) as caught:
        decode(b'[{"type":"ok"}, 5, {"type":"a","fence":1}]')

    assert caught.value.kind == "permission"
    with pytest.raises(EventProblemsError) as harmless:
        decode(b'[{"type":"ok"}, 5]')
    assert harmless.value.kind == "invalid"
    assert not isinstance(harmless.value, ForgedError)


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
        decode(json.dumps({"type": "a", name: 0}).encode())
    with pytest.raises(ForgedError, match=message):
        decode(b"{}", properties={**properties(), f"cloudEvents_{name}": 1})
    with pytest.raises(ForgedError, match=message):
        decode(structured(), properties={f"cloudEvents:{name}": 1})


@pytest.mark.parametrize("body", [b"[]", b"5", b'"x"', b"null", b"{}", b'{"specversion":"0.3","type":"a"}'])
def test_own_bytes_are_an_event_of_this_version(body: bytes) -> None:
    with pytest.raises(UndecodableError, match=r"^no event that this version wrote$"):
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
