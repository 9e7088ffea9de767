"""The event as a value: what it refuses, what it makes of what it accepts."""

import copy
import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from vextir_os.errors import InvalidEventError
from vextir_os.events.event import Event, Payload, merge_labels


def test_an_event_needs_nothing_but_a_type() -> None:
    event = Event(type="mail.received")

    assert (event.data, event.id, event.category, event.priority, event.labels) == (None, "", "input", 5, ())


def test_data_reads_as_attributes_and_as_a_dict() -> None:
    event = Event(type="research.request", data={"query": "AI", "nested": {"deep": [1]}})

    assert event.data.query == event.data["query"] == "AI"
    assert event.data.nested.deep == [1]


def test_metadata_is_data_under_its_older_name() -> None:
    assert Event(type="a", metadata={"query": "AI"}).data.query == "AI"


def test_metadata_and_data_at_once_are_refused() -> None:
    with pytest.raises(InvalidEventError, match=r"^an event has either data or metadata, not both\. Use data$"):
        Event(type="a", data={}, metadata={})


def test_a_key_that_is_missing_in_the_data_is_named_with_those_that_are_there() -> None:
    with pytest.raises(AttributeError, match=r"^the event's data has no 'quarry'; it has: query, topic$"):
        _ = Event(type="a", data={"query": 1, "topic": 2}).data.quarry


def test_the_message_about_a_missing_key_stays_short() -> None:
    with pytest.raises(AttributeError) as caught:
        _ = Payload({f"{'k' * 1_000}{index}": 1 for index in range(100)}).nope

    assert str(caught.value).endswith(" and 88 more")
    assert len(str(caught.value)) < 700


def test_hasattr_and_copies_of_data_work_as_for_any_value() -> None:
    data = Payload({"a": {"b": 1}})

    assert not hasattr(data, "b")
    assert copy.deepcopy(data) == data


def test_the_data_of_an_event_is_apart_from_the_dict_it_was_made_of() -> None:
    source = {"a": 1}
    event = Event(type="a", data=source)
    source["a"] = 2

    assert event.data.a == 1


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Event(type="a").priority = 9  # type: ignore[misc]  # what the test is about


def test_a_changed_copy_is_checked_like_a_new_event() -> None:
    event = Event(type="a", metadata={"x": 1}, extensions={"tracestate": "x"})

    assert event.but(priority=7) == Event(type="a", data={"x": 1}, priority=7, extensions={"tracestate": "x"})
    with pytest.raises(InvalidEventError, match=r"^priority '10' is not a whole number from 0 to 9$"):
        event.but(priority=10)


def test_a_time_is_kept_in_utc() -> None:
    local = datetime(2026, 6, 15, 14, tzinfo=timezone(timedelta(hours=2)))

    assert Event(type="a", time=local).time == datetime(2026, 6, 15, 12, tzinfo=UTC)
    assert str(Event(type="a", time=local).time) == "2026-06-15 12:00:00+00:00"


def test_null_data_means_nothing_beside_data() -> None:
    assert Event(type="a", data=1, null_data=True).null_data is False
    assert Event(type="a", null_data=True).but(data=1).null_data is False
    assert Event(type="a", null_data=True).null_data is True


class Colour(StrEnum):
    """A text that is no exact `str`."""

    RED = "red"


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"type": 5}, "event type is a int, not text"),
        ({"type": None}, "event type is a NoneType, not text"),
        ({"id": None}, "id is a NoneType, not text"),
        ({"id": 0}, "id is a int, not text"),
        ({"source": b""}, "source is a bytes, not text"),
        ({"userid": []}, "userid is a list, not text"),
        ({"userid": Colour.RED}, "userid is a Colour, not text"),
        ({"subject": False}, "subject is a bool, not text"),
        ({"id": "x" * 1_025}, "id has 1025 characters, at most 1024 are allowed"),
        ({"correlationid": "😀" * 257}, "correlationid has 1028 bytes in UTF-8, at most 1024 are allowed"),
        ({"subject": "x" * 1_025}, "subject has 1025 characters, at most 1024 are allowed"),
        ({"id": "a\n"}, "id 'a\\n' holds a character that does not print"),
        ({"userid": "ann\u200b"}, "userid 'ann\\u200b' holds a character that does not print"),
        ({"source": "\u202eevil"}, "source '\\u202eevil' holds a character that does not print"),
        ({"id": "\ud800"}, "id '\\ud800' holds a character that does not print"),
        ({"subject": "a\x00"}, "subject 'a\\x00' holds a control character or half a surrogate pair"),
        ({"subject": "\udfff"}, "subject '\\udfff' holds a control character or half a surrogate pair"),
        ({"subject": "\U0001ffff"}, "subject '\\U0001ffff' holds a control character or half a surrogate pair"),
        ({"tenantid": "Acme"}, "tenant 'Acme' is not a lower-case name of 1 to 64 characters a-z 0-9 . _ -"),
        ({"tenantid": "a~b"}, "tenant 'a~b' is not a lower-case name of 1 to 64 characters a-z 0-9 . _ -"),
        ({"category": "in"}, "category 'in' is not input, internal or output"),
        ({"category": ["input"]}, "category \"['input']\" is not input, internal or output"),
        ({"priority": True}, "priority 'True' is not a whole number from 0 to 9"),
        ({"priority": -1}, "priority '-1' is not a whole number from 0 to 9"),
        ({"priority": 5.0}, "priority '5.0' is not a whole number from 0 to 9"),
        (
            {"ordered": True},
            "an event of type a is sent as ordered, and has no partitionkey. Name the key whose order is kept",
        ),
        ({"ordered": 1, "partitionkey": "k"}, "ordered '1' is not true or false"),
        ({"labels": "pii"}, "labels are a str, not a list of text. Write labels=('untrusted',)"),
        ({"labels": ("PII",)}, "label 'PII' is not a lower-case name of 1 to 64 characters a-z 0-9 . _ -"),
        ({"labels": ("a,b",)}, "label 'a,b' is not a lower-case name of 1 to 64 characters a-z 0-9 . _ -"),
        ({"labels": ([],)}, "label '[]' is a list, not text"),
        ({"time": "2026-06-15T12:00:00Z"}, "time is a str, not a datetime"),
        (
            {"time": datetime(2026, 6, 15)},  # noqa: DTZ001  what the row is about
            "time has no zone. Use an aware datetime, such as datetime.now(UTC)",
        ),
        (
            {"time": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))},
            "time 0001-01-01T00:00:00+14:00 is outside of the years 1 to 9999 in UTC",
        ),
    ],
    ids=lambda value: ascii(value)[:40] if isinstance(value, dict) else "",
)
def test_a_wrong_attribute_is_refused_by_name(attributes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        Event(**{"type": "a", **attributes})

    assert str(caught.value) == message


@pytest.mark.parametrize("priority", range(10))
def test_priorities_go_from_0_to_9(priority: int) -> None:
    assert Event(type="a", priority=priority).priority == priority


def test_prose_that_people_write_is_allowed_in_a_subject() -> None:
    text = "Réunion\u00a0: 👨\u200d👩\u200d👧 à 9h"

    assert Event(type="a", subject=text).subject == text


@pytest.mark.parametrize(
    ("extensions", "message"),
    [
        (
            {"Upper": "x"},
            (
                "extension attribute 'Upper' is not named by 1 to 20 characters a-z 0-9. "
                "CloudEvents allows no other; put other values into data"
            ),
        ),
        (
            {"a" * 21: "x"},
            (
                f"extension attribute '{'a' * 21}' is not named by 1 to 20 characters a-z 0-9. "
                "CloudEvents allows no other; put other values into data"
            ),
        ),
        (
            {"x\n": "x"},
            (
                "extension attribute 'x\\n' is not named by 1 to 20 characters a-z 0-9. "
                "CloudEvents allows no other; put other values into data"
            ),
        ),
        ({"fence": 1}, "fence cannot be an extension attribute: the name has a meaning of its own"),
        ({"attempt": 1}, "attempt cannot be an extension attribute: the name has a meaning of its own"),
        ({"tenantid": "x"}, "tenantid cannot be an extension attribute: the name has a meaning of its own"),
        ({"data": "x"}, "data cannot be an extension attribute: the name has a meaning of its own"),
        ({"big": 2**31}, "extension attribute big is an integer over 32 bits. Send it as text"),
        ({"half": 0.5}, "extension attribute half is a float, not text, integer or boolean"),
        ({"text": "a\x7f"}, "text 'a\\x7f' holds a control character or half a surrogate pair"),
        (
            {f"x{index}": 1 for index in range(33)},
            "33 extension attributes on one event, at most 32 are allowed",
        ),
    ],
    ids=lambda value: ascii(list(value))[:30] if isinstance(value, dict) else "",
)
def test_a_wrong_extension_is_refused_by_name(extensions: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        Event(type="a", extensions=extensions)

    assert str(caught.value) == message


def test_extensions_are_kept_apart_from_the_dict_they_came_in() -> None:
    given: dict[str, str | int | bool] = {"b": 1, "a": True}
    event = Event(type="a", extensions=given)
    given["c"] = 2

    assert dict(event.extensions) == {"a": True, "b": 1}
    assert not hasattr(event.extensions, "update")


def test_labels_are_sorted_and_each_stands_once() -> None:
    assert merge_labels(("untrusted", "pii"), ["pii", "hr"], ()) == ("hr", "pii", "untrusted")


def test_more_than_32_labels_are_refused() -> None:
    with pytest.raises(InvalidEventError, match=r"^33 labels on one event, at most 32 are allowed$"):
        merge_labels(tuple(f"l{index}" for index in range(33)))
