"""JSON from outside is read strictly, JSON from code is checked in every part."""

import enum
import json
import math
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.strategies import json_values
from vextir_os.errors import EventError, InvalidEventError, TooLargeError, UndecodableError
from vextir_os.events.event import Payload
from vextir_os.events.jsonio import Raw, check_json, dumps, loads, loads_strict


@given(json_values, st.sampled_from([None, 1]), st.booleans())
def test_valid_json_is_read_as_the_standard_library_reads_it(value: Any, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)

    found = loads_strict(text.encode())

    assert found == json.loads(text)
    assert json.dumps(found) == json.dumps(json.loads(text))


@given(json_values)
def test_what_is_written_reads_back_the_same_by_both_doors(value: Any) -> None:
    check_json(value)

    assert loads(dumps(value)) == loads_strict(dumps(value)) == value


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        value = loads_strict(raw)
    except EventError:
        return
    assert loads_strict(dumps(value)) == value


REFUSED = {
    "nothing": (b"", "not JSON: Expecting value at line 1 column 1"),
    "half": (b'{"a":', "not JSON: Expecting value at line 1 column 6"),
    "NaN": (b"[NaN]", "not JSON: NaN is no number of JSON"),
    "infinity": (b"Infinity", "not JSON: Infinity is no number of JSON"),
    "minus infinity": (b'{"a":-Infinity}', "not JSON: -Infinity is no number of JSON"),
    "float that overflows": (b"[1e999]", "not JSON for us: the number 1e999 is too large"),
    "float that overflows below": (b"-1e999", "not JSON for us: the number -1e999 is too large"),
    "duplicate key": (b'{"a":1,"a":1}', "not JSON for us: the key 'a' stands twice in one object"),
    "duplicate key far down": (
        b'[{"b":{"a":1,"\\u0061":2}}]',
        "not JSON for us: the key 'a' stands twice in one object",
    ),
    "2**63": (b"9223372036854775808", "not JSON for us: the integer 9223372036854775808 is over 64 bits"),
    "-2**63 - 1": (b"-9223372036854775809", "not JSON for us: the integer -9223372036854775809 is over 64 bits"),
    "100,000 digits": (b"1" * 100_000, f"not JSON for us: the integer {'1' * 24} is over 64 bits"),
    "bad UTF-8": (b'"\xc0\xa0"', "not UTF-8: byte 1 cannot be decoded. Send UTF-8 JSON"),
    "surrogate in UTF-8": (b'"\xed\xa0\x80"', "not UTF-8: byte 1 cannot be decoded. Send UTF-8 JSON"),
    "byte order mark": (b"\xef\xbb\xbf{}", "not JSON: Expecting value at line 1 column 1"),
    "UTF-16": ("{}".encode("utf-16"), "not UTF-8: byte 0 cannot be decoded. Send UTF-8 JSON"),
    "UTF-16 without mark": (
        "{}".encode("utf-16-le"),
        "not JSON: Expecting property name enclosed in double quotes at line 1 column 2",
    ),
    "high surrogate": (b'["\\ud800"]', "not JSON text: a \\u escape is half of a surrogate pair"),
    "low surrogate as a key": (b'{"\\udc00":1}', "not JSON text: a \\u escape is half of a surrogate pair"),
    "pair the wrong way round": (b'"\\udc00\\ud800"', "not JSON text: a \\u escape is half of a surrogate pair"),
    "trailing garbage": (b"{} {}", "not JSON: Extra data at line 1 column 4"),
    "trailing nul": (b"{}\x00", "not JSON: Extra data at line 1 column 3"),
    "comment": (b"{}//x", "not JSON: Extra data at line 1 column 3"),
    "single quotes": (b"{'a':1}", "not JSON: Expecting property name enclosed in double quotes at line 1 column 2"),
    "control character": (b'"a\nb"', "not JSON: Invalid control character at line 1 column 3"),
    "leading zero": (b"01", "not JSON: Extra data at line 1 column 2"),
    "other space": (b"\x0b1", "not JSON: Expecting value at line 1 column 1"),
}


@pytest.mark.parametrize(("raw", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_json_for_us_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(UndecodableError) as caught:
        loads_strict(raw)

    assert str(caught.value) == message


@pytest.mark.parametrize("raw", [b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 100_000], ids=lambda _: "")
def test_a_depth_bomb_is_refused(raw: bytes) -> None:
    with pytest.raises(TooLargeError, match=r"^nested deeper than 64 levels\. Flatten the data$"):
        loads_strict(raw)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_64_levels_are_read_and_65_are_not(opening: str, closing: str) -> None:
    def nested(levels: int) -> bytes:
        return (opening * levels + "1" + closing * levels).encode()

    check_json(loads_strict(nested(64)))
    with pytest.raises(TooLargeError):
        loads_strict(nested(65))
    with pytest.raises(TooLargeError):
        check_json(json.loads(nested(65)))


def test_brackets_within_text_are_no_depth() -> None:
    assert loads_strict(b'"' + b"[" * 1_000 + b'"') == "[" * 1_000


def test_many_keys_with_one_twice_are_refused_without_comparing_each_with_each() -> None:
    keys = ",".join(f'"k{index}":0' for index in range(100_000))

    with pytest.raises(UndecodableError, match=r"the key 'k99999' stands twice"):
        loads_strict(f'{{{keys},"k99999":1}}'.encode())


def test_a_huge_key_is_cut_in_the_message() -> None:
    key = "k" * 50_000

    with pytest.raises(UndecodableError) as caught:
        loads_strict(f'{{"{key}":1,"{key}":1}}'.encode())

    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0, 1.5e308, -0.0, 5e-324])
def test_numbers_at_the_limits_survive(number: float) -> None:
    check_json([number])
    found = loads_strict(dumps([number]))[0]

    assert found == number
    assert math.copysign(1, found) == math.copysign(1, number)


@dataclass
class Point:
    """What is no JSON."""

    x: int


class Level(enum.Enum):
    """What is no JSON."""

    HIGH = "high"


class Text(str):
    """No exact text."""

    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Point(1), "not JSON: the value is a Point"),
        ({"a": [1, {"when": datetime.now(UTC)}]}, "not JSON: a[1].when is a datetime"),
        ([Level.HIGH], "not JSON: [0] is a Level"),
        ({"id": uuid.UUID(int=1)}, "not JSON: id is a UUID"),
        ({"a": b"x"}, "not JSON: a is a bytes"),
        ({"a": {1}}, "not JSON: a is a set"),
        ({"a": Text("x")}, "not JSON: a is a Text"),
        ({"items": [{}, {}, {}, {"price": math.nan}]}, "not JSON: items[3].price is nan, which JSON cannot hold"),
        ([math.inf], "not JSON: [0] is inf, which JSON cannot hold"),
        ([2**63], "not JSON: [0] is an integer over 64 bits"),
        ([-(2**63) - 1], "not JSON: [0] is an integer over 64 bits"),
        ({1: 2}, "not JSON: the value is a dict with the key 1, which is no text"),
        ({"a": {None: 2}}, "not JSON: a is a dict with the key None, which is no text"),
        ({"a": "\ud800"}, "not JSON: a is text with half a surrogate pair"),
        ({"a": {"\udfff": 1}}, "not JSON: a is a dict with the key '\\udfff', which is no text"),
        ({"k" * 90: {"l" * 90: Point(1)}}, f"not JSON: {'k' * 40}.{'l' * 40} is a Point"),
    ],
    ids=lambda value: "" if isinstance(value, str) else type(value).__name__,
)
def test_a_value_that_is_no_json_is_named_by_its_path(value: Any, message: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        check_json(value)

    assert str(caught.value) == message


def test_tuples_and_payloads_count_as_lists_and_objects() -> None:
    value = Payload({"a": (1, 2)})
    check_json(value)

    assert dumps(value) == b'{"a":[1,2]}'


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(TooLargeError, match=r"^nested deeper than 64 levels"):
        check_json(endless)


def test_references_that_stand_for_more_json_than_fits_are_refused() -> None:
    laughs: list[Any] = ["ha"]
    for _ in range(50):
        laughs = [laughs] * 10

    with pytest.raises(TooLargeError, match=r"^too many bytes as JSON\. Keep large data elsewhere"):
        check_json(laughs, limit_bytes=10_000)


def test_json_that_is_certainly_over_the_limit_is_refused() -> None:
    check_json([0] * 5_000, limit_bytes=len(dumps([0] * 5_000)))

    with pytest.raises(TooLargeError, match=r"^too many bytes as JSON"):
        check_json([None] * 5_001, limit_bytes=10_000)
    with pytest.raises(TooLargeError, match=r"^too many bytes as JSON"):
        check_json("x" * 10_000, limit_bytes=10_000)
    with pytest.raises(TooLargeError, match=r"^too many bytes as JSON"):
        check_json({"x" * 10_000: 1}, limit_bytes=10_000)


@given(json_values)
def test_the_check_never_refuses_what_fits_the_limit(value: Any) -> None:
    check_json(value, limit_bytes=len(dumps(value)))


def test_encoded_json_is_put_into_a_document_as_it_stands() -> None:
    assert dumps({"a": Raw(b'{"b": 1}')}) == b'{"a":{"b": 1}}'


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (object(), "Type is not JSON serializable: object"),
        ({1: 2}, "Dict key must be str"),
        ([2**64], "Integer exceeds 64-bit range"),
        ("\ud800", "str is not valid UTF-8: surrogates not allowed"),
        (Point(1), "Type is not JSON serializable: Point"),
        (datetime.now(UTC), "Type is not JSON serializable: datetime.datetime"),
    ],
    ids=["object", "key", "integer", "surrogate", "dataclass", "datetime"],
)
def test_what_is_no_json_is_not_written(value: Any, reason: str) -> None:
    with pytest.raises(InvalidEventError) as caught:
        dumps(value)

    assert str(caught.value) == f"not JSON: {reason}. Use text, numbers, booleans, null, lists and dicts"


def test_damaged_json_of_our_own_is_reported_as_such() -> None:
    with pytest.raises(UndecodableError, match=r"^stored JSON is damaged: unexpected end of data"):
        loads(b'{"a":')
