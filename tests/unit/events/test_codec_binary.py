"""Binary CloudEvents in a queue message: attributes as properties, the body is the data."""

from typing import Any

import pytest

from tests.unit.events.messages import properties, structured
from vextir_os.errors import (
    UndecodableError,
)
from vextir_os.events.codec import decode
from vextir_os.events.event import Event


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
