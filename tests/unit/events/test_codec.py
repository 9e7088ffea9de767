"""Events as bytes: what is written, and reads back the same."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from tests.unit.events.messages import UNFIT
from tests.unit.events.strategies import events
from vextir_os.errors import (
    InvalidEventError,
    TooLargeError,
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
    lineage="1.9;9c0f1e2a.1",
    extensions={"tracestate": "x=1", "sampled": True, "count": -5},
)


def test_an_event_is_written_as_compact_cloudevents_json() -> None:
    assert encode(FULL).decode() == (
        '{"specversion":"1.0","id":"e1","source":"/mail","type":"mail.received","time":"2026-06-15T12:00:00Z",'
        '"category":"output","subject":"Réunion","datacontenttype":"application/json",'
        '"dataschema":"https://example.com/s","tenantid":"acme","userid":"ann","correlationid":"c1","causationid":"e0",'
        '"partitionkey":"p","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",'
        '"dataref":"https://example.com/d","lineage":"1.9;9c0f1e2a.1","priority":7,"labels":"pii,untrusted","count":-5,"sampled":true,'
        '"tracestate":"x=1","data":{"from":"a@b.c"}}'
    )


def test_an_ordered_event_says_so_and_another_says_nothing() -> None:
    event = Event(type="a", id="e1", source="/s", partitionkey="k", ordered=True)
    assert encode(event).endswith(b',"partitionkey":"k","ordered":true}')
    assert b"ordered" not in encode(event.but(ordered=False))


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
