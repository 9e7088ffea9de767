from datetime import date
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from vextir_os import Event
from vextir_os.driverkit.payload import typed_reader
from vextir_os.errors import InvalidPayloadError


class Line(BaseModel):
    item: str
    count: int = 1


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    customer: str
    lines: list[Line] = []
    day: date | None = None


class Cash(BaseModel):
    kind: Literal["cash"]


class Card(BaseModel):
    kind: Literal["card"]


ANY_DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["customer", "lines", "item"]), inner),
)

Payment = Annotated[Cash | Card, Field(discriminator="kind")]


def read(data_type: Any, data: Any) -> Any:
    return typed_reader(data_type, "shop")[0](Event(id="e-1", type="order.placed", data=data))


def complaint(data_type: Any, data: Any) -> str:
    """Return what is said of wrong data, without the sentence around it."""
    with pytest.raises(InvalidPayloadError) as caught:
        read(data_type, data)
    return caught.value.what.removeprefix("the data of event e-1 (order.placed) does not fit driver `shop`: ")


def test_data_that_fits_becomes_the_type() -> None:
    data = {"customer": "ann", "lines": [{"item": "tea"}], "day": "2026-09-14"}
    assert read(Order, data) == Order(customer="ann", lines=[Line(item="tea")], day=date(2026, 9, 14))


def test_all_wrong_fields_are_named_by_their_paths() -> None:
    data = {"lines": [{"item": "tea"}, {"item": 3, "count": "many"}], "day": "soon"}
    assert complaint(Order, data) == (
        "customer: Field required; "
        "lines[1].item: Input should be a valid string, found 3; "
        "lines[1].count: Input should be a valid integer, unable to parse string as an integer, found 'many'; "
        "day: Input should be a valid date or datetime, input is too short, found 'soon'"
    )


def test_the_whole_message_says_which_event_and_what_to_do() -> None:
    with pytest.raises(InvalidPayloadError) as caught:
        read(Order, {})
    assert str(caught.value) == (
        "the data of event e-1 (order.placed) does not fit driver `shop`: customer: Field required. "
        "Send the event again with data that fits the driver's schema"
    )


def test_no_data_at_all_is_said_to_be_wrong_as_a_whole() -> None:
    assert complaint(Order, None) == ("the data: Input should be a valid dictionary or instance of Order, found None")


def test_a_wrong_object_is_not_shown() -> None:
    assert complaint(Line, {"item": {"password": "hunter2"}}) == "item: Input should be a valid string"


def test_a_long_value_is_cut() -> None:
    assert complaint(Line, {"item": "tea", "count": "s" * 500}).endswith(f"found '{'s' * 38}…")


def test_an_unknown_tag_is_not_quoted() -> None:
    assert complaint(Payment, {"kind": "secret" * 100}) == (
        "the data: Input should have one of the tags 'cash', 'card'"
    )


def test_hostile_field_names_are_cut_and_made_harmless() -> None:
    found = complaint(Order, {"customer": "ann", "\x1b[2J\n" + "k" * 500: 1})
    assert found == f"�[2J�{'k' * 74}…: Extra inputs are not permitted, found 1"


def test_many_problems_are_counted_not_listed() -> None:
    found = complaint(list[int], ["x"] * 25)
    assert found.count("[") == 10
    assert found.endswith("; and 15 more")


@given(ANY_DATA)
def test_data_of_any_shape_fits_or_is_refused_in_one_printable_line(data: Any) -> None:
    reader, _ = typed_reader(Order, "shop")
    try:
        said = repr(reader(Event(id="e-1", type="order.placed", data=data)))
    except InvalidPayloadError as error:
        said = error.what
    assert said.startswith(("Order(", "the data of event e-1 (order.placed) does not fit driver `shop`: "))
    assert said.isprintable()
