import math
from dataclasses import dataclass
from datetime import date
from enum import Enum, StrEnum
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from vextir_os import Event, Result
from vextir_os.driverkit.outcome import normalise
from vextir_os.errors import InvalidOutputError, StormError
from vextir_os.events.jsonio import dumps, loads

ALLOWED = (
    "Return nothing, an Event, a list of Events, an output (dict, list, text, number, bool, a pydantic model, "
    "a dataclass) or Result(output=..., events=[...])"
)
EVENT = Event(type="order.packed", data={"item": "tea"})
OTHER = Event(type="order.sent")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)
)


class Color(Enum):
    GREEN = "green"


class Size(StrEnum):
    SMALL = "small"


class Report(BaseModel):
    item: str
    day: date


@dataclass
class Parcel:
    item: str
    size: Size
    reports: list[Report]


REPORT = Report(item="tea", day=date(2026, 9, 14))
PLAIN_REPORT = {"item": "tea", "day": "2026-09-14"}


def refused(returned: Any) -> InvalidOutputError:
    with pytest.raises(InvalidOutputError) as caught:
        normalise(returned, "shop")
    return caught.value


@pytest.mark.parametrize(
    ("returned", "events"),
    [
        pytest.param(EVENT, (EVENT,), id="event"),
        pytest.param([EVENT, OTHER], (EVENT, OTHER), id="list"),
        pytest.param((EVENT, OTHER), (EVENT, OTHER), id="tuple"),
        pytest.param(Result(events=[EVENT]), (EVENT,), id="result-list"),
        pytest.param(Result(events=(EVENT,)), (EVENT,), id="result-tuple"),
    ],
)
def test_events_are_emitted(returned: Any, events: tuple[Event, ...]) -> None:
    assert normalise(returned, "shop") == Result(events=events)


@pytest.mark.parametrize(
    ("returned", "output"),
    [
        pytest.param(None, None, id="nothing"),
        pytest.param({"a": [1, 2.5, "x", True, None]}, {"a": [1, 2.5, "x", True, None]}, id="dict"),
        pytest.param([1, 2], [1, 2], id="list"),
        pytest.param([], [], id="empty-list"),
        pytest.param("done", "done", id="text"),
        pytest.param(7, 7, id="whole-number"),
        pytest.param(0.5, 0.5, id="number"),
        pytest.param(False, False, id="bool"),
        pytest.param(REPORT, PLAIN_REPORT, id="model"),
        pytest.param([REPORT], [PLAIN_REPORT], id="list-of-models"),
        pytest.param({"report": REPORT}, {"report": PLAIN_REPORT}, id="model-in-a-dict"),
        pytest.param(
            Parcel(item="tea", size=Size.SMALL, reports=[REPORT]),
            {"item": "tea", "size": "small", "reports": [PLAIN_REPORT]},
            id="dataclass",
        ),
        pytest.param({"color": Color.GREEN}, {"color": "green"}, id="enum"),
        pytest.param(Event(type="a", data={"b": 1}).data, {"b": 1}, id="payload"),
    ],
)
def test_anything_else_that_is_json_is_the_output(returned: Any, output: Any) -> None:
    assert normalise(returned, "shop") == Result(output=output)
    assert normalise(Result(output=returned), "shop") == Result(output=output)


def test_a_result_carries_both() -> None:
    assert normalise(Result(output=REPORT, events=[EVENT]), "shop") == Result(output=PLAIN_REPORT, events=(EVENT,))


def test_a_model_as_the_data_of_an_event_becomes_json() -> None:
    (event,) = normalise(Event(type="order.packed", data=REPORT, subject="tea"), "shop").events
    assert (event.data, event.subject) == (PLAIN_REPORT, "tea")


@given(JSON)
def test_json_comes_out_as_it_went_in_and_can_be_stored(value: Any) -> None:
    output = normalise(value, "shop").output
    assert output == value
    assert loads(dumps(output)) == value


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        pytest.param({1, 2}, "the output is not JSON: the value is a set", id="set"),
        pytest.param(object(), "the output is not JSON: the value is a object", id="object"),
        pytest.param(b"raw", "the output is not JSON: the value is a bytes", id="bytes"),
        pytest.param(math.nan, "the output is not JSON: the value is nan, which JSON cannot hold", id="nan"),
        pytest.param({"a": [math.inf]}, "the output is not JSON: a[0] is inf, which JSON cannot hold", id="infinite"),
        pytest.param(2**63, "the output is not JSON: the value is an integer over 64 bits", id="large"),
        pytest.param({1: 2}, "the output is not JSON: the value is a dict with the key 1, which is no text", id="key"),
        pytest.param({"when": date(2026, 9, 14)}, "the output is not JSON: when is a date", id="date"),
        pytest.param({"event": EVENT}, "the output is not JSON: event is a Event", id="event-inside"),
        pytest.param(Report, "the output is not JSON: the value is a ModelMetaclass", id="class"),
        pytest.param(Result(output={"a": {1}}), "the output is not JSON: a is a set", id="result"),
        pytest.param(Result(output=EVENT), "the output is not JSON: the value is a Event", id="event-as-output"),
    ],
)
def test_what_is_no_json_is_named_with_its_path(returned: Any, what: str) -> None:
    error = refused(returned)
    assert error.what == f"driver `shop`: {what}"
    assert error.hint == ALLOWED


@pytest.mark.parametrize(
    ("returned", "what"),
    [
        pytest.param([EVENT, 3], "a list that mixes events with `int` values", id="list"),
        pytest.param(({"a": 1}, [EVENT]), "a tuple without events", id="output-and-events"),
        pytest.param((EVENT, {"a": 1}), "a tuple that mixes events with `dict` values", id="event-and-output"),
        pytest.param((), "a tuple without events", id="empty-tuple"),
    ],
)
def test_a_mixture_is_refused(returned: Any, what: str) -> None:
    error = refused(returned)
    assert str(error) == f"driver `shop` returned {what}. {ALLOWED}"


@pytest.mark.parametrize(
    ("events", "what"),
    [
        pytest.param(EVENT, "driver `shop` returned a Result whose events are of type `Event`", id="event"),
        pytest.param(None, "driver `shop` returned a Result whose events are of type `NoneType`", id="none"),
        pytest.param([EVENT, 1], "driver `shop` returned a Result whose events[1] is of type `int`", id="number"),
        pytest.param(
            [Event(type="a.b", data={"x": math.nan})],
            "driver `shop`: the data of events[0] (a.b) is not JSON: x is nan, which JSON cannot hold",
            id="data",
        ),
    ],
)
def test_wrong_events_are_named(events: Any, what: str) -> None:
    assert refused(Result(events=events)).what == what


def test_a_run_emits_a_hundred_events_and_no_more() -> None:
    assert len(normalise([EVENT] * 100, "shop").events) == 100
    with pytest.raises(StormError) as caught:
        normalise([EVENT] * 101, "shop")
    assert caught.value.what == "driver `shop` returned 101 events, at most 100 are allowed"
    assert (caught.value.limit, caught.value.kind) == ("max_fan_out", "invalid")


@pytest.mark.parametrize("type_", ["vextir", "vextir.policy.changed"])
def test_only_the_os_emits_its_own_types(type_: str) -> None:
    assert refused(Event(type=type_)).what == (
        f"driver `shop` returned an event of type `{type_}`, which only the OS may publish"
    )


async def test_a_coroutine_is_closed_and_the_missing_await_named() -> None:
    async def fetch() -> int:
        return 1

    error = refused(fetch())
    assert str(error) == "driver `shop`: the output is a coroutine that was not awaited. Write `await fetch(...)`"


async def test_coroutines_in_a_list_are_closed() -> None:
    async def fetch() -> int:
        return 1

    # Left open they would warn, and warnings are errors here.
    assert refused([fetch(), fetch()]).what == "driver `shop`: the output is not JSON: [0] is a coroutine"
    assert refused([EVENT, fetch()]).what == "driver `shop` returned a list that mixes events with `coroutine` values"
    assert refused(Result(events=cast(Any, [fetch()]))).what == (
        "driver `shop` returned a Result whose events[0] is of type `coroutine`"
    )


def test_a_small_value_that_would_be_huge_as_json_is_refused_at_once() -> None:
    value: Any = "x" * 1_000_000
    for _ in range(60):
        value = [value, value]
    assert refused(value).what == "driver `shop`: the output is too many bytes as JSON"


def test_a_value_inside_itself_is_too_deep() -> None:
    value: list[Any] = []
    value += [value, value]
    assert refused(value).what == "driver `shop`: the output is nested deeper than 64 levels"


def test_a_dataclass_inside_itself_is_too_deep() -> None:
    parcel = Parcel(item="tea", size=Size.SMALL, reports=[])
    parcel.reports.append(parcel)  # type: ignore[arg-type]
    assert refused(parcel).what == "driver `shop`: the output is nested deeper than 64 levels"


def test_a_model_that_cannot_be_written_as_json_is_refused() -> None:
    class Strange(BaseModel):
        thing: Any

    error = refused(Strange(thing=object()))
    assert error.what == (
        "driver `shop`: the output is not to be had as JSON: Unable to serialize unknown type: <class 'object'>"
    )
