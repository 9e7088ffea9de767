"""How parameters are bound, shown by calling drivers of each shape."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

import pytest
from pydantic import BaseModel
from typing_extensions import TypedDict

from vextir_os import Context, Event, driver
from vextir_os.driverkit.call import call_driver, loaded
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import ManifestError
from vextir_os.events.identity import Principal
from vextir_os.runs.context import RunContext

if TYPE_CHECKING:
    from decimal import Decimal

EVENT = Event(id="e-1", type="order.placed", data={"item": "tea", "count": 2})
CONTEXT = RunContext(
    driver="shop",
    event_id="e-1",
    principal=Principal(kind="user", id="ann", tenant="acme"),
    attempt=1,
    rerun=0,
    now=1_795_200_000.0,
)


class Order(BaseModel):
    item: str
    count: int = 1


@dataclass
class OrderRow:
    item: str
    count: int


class OrderDict(TypedDict):
    item: str
    count: int


class ToolContext(Context, Protocol):
    """A context with more in it than the plain one."""


declare = cast(Callable[..., Any], driver("shop", capabilities=["order.placed"]))


async def call(function: Callable[..., Any]) -> Any:
    return await call_driver(loaded(declare(function)), EVENT, CONTEXT)


def refused(function: Callable[..., Any]) -> str:
    with pytest.raises(ManifestError) as caught:
        declare(function)
    assert caught.value.where == f"{__file__}:{function.__code__.co_firstlineno}"
    return str(caught.value).removeprefix(f"{caught.value.where}: driver `shop`: ")


async def test_event_and_context_come_in_their_usual_order() -> None:
    async def place(event: Event, ctx: Context) -> Any:
        return event, ctx

    assert await call(place) == (EVENT, CONTEXT)


async def test_parameters_may_stand_in_any_order_and_under_any_name_with_a_type() -> None:
    async def place(order: Order, where: Context, what: Event) -> Any:
        return order, where, what

    assert await call(place) == (Order(item="tea", count=2), CONTEXT, EVENT)


async def test_parameters_without_types_are_bound_by_name() -> None:
    async def place(ctx, data, event):  # type: ignore[no-untyped-def]
        return ctx, data, event

    assert await call(place) == (CONTEXT, EVENT.data, EVENT)


async def test_a_driver_may_take_the_event_alone() -> None:
    async def place(event: Event) -> Any:
        return event

    assert await call(place) is EVENT


async def test_a_driver_may_take_nothing() -> None:
    async def place() -> str:
        return "done"

    assert await call(place) == "done"


async def test_keyword_only_parameters_are_bound_as_well() -> None:
    async def place(event: Event, *, data: Order, ctx: Context) -> Any:
        return event, data, ctx

    assert await call(place) == (EVENT, Order(item="tea", count=2), CONTEXT)


async def test_position_only_parameters_are_bound_as_well() -> None:
    async def place(data: Order, event: Event, /) -> Any:
        return data, event

    assert await call(place) == (Order(item="tea", count=2), EVENT)


async def test_a_parameter_with_a_default_and_a_name_of_its_own_keeps_its_default() -> None:
    async def place(event: Event, data: Order, limit: int = 7, clock: Callable[[], float] = lambda: 0.5) -> Any:
        return data.count, limit, clock()

    assert await call(place) == (2, 7, 0.5)


async def test_a_wider_context_is_a_context() -> None:
    async def place(ctx: ToolContext) -> Any:
        return ctx

    assert await call(place) is CONTEXT


@pytest.mark.parametrize(
    ("data_type", "value"),
    [
        (Order, Order(item="tea", count=2)),
        (OrderRow, OrderRow(item="tea", count=2)),
        (OrderDict, {"item": "tea", "count": 2}),
        (dict[str, str | int], {"item": "tea", "count": 2}),
        (Order | None, Order(item="tea", count=2)),
        (Any, EVENT.data),
    ],
    ids=["model", "dataclass", "typed-dict", "dict", "optional", "any"],
)
async def test_the_data_may_have_any_type_that_pydantic_knows(data_type: Any, value: Any) -> None:
    async def place(data: Any) -> Any:
        return data

    place.__annotations__["data"] = data_type
    assert await call(place) == value


async def test_annotations_that_are_texts_are_looked_up_around_the_function() -> None:
    class Local(BaseModel):
        item: str

    @driver("shop", capabilities=["order.placed"])
    async def place(event: "Event", ctx: "Context", data: "Local") -> "Decimal":
        return data  # type: ignore[return-value]

    # The return type is known to the type checker alone; that is no matter of the binding.
    assert await call_driver(loaded(place), EVENT, CONTEXT) == Local(item="tea")


async def test_event_and_context_are_bound_by_name_where_only_the_type_checker_knows_their_types() -> None:
    async def place(event: Any, ctx: Any) -> Any:
        return event, ctx

    place.__annotations__.update(event="NotHere", ctx="not.here.Context")
    assert await call(place) == (EVENT, CONTEXT)


def test_the_schema_of_the_data_stands_in_the_manifest() -> None:
    async def place(data: Order) -> None: ...

    manifest: Manifest = declare(place).__vextir_driver__
    assert manifest.schema == Order.model_json_schema()


def test_untyped_data_has_no_schema() -> None:
    async def place(event: Event, data: Any) -> None: ...

    manifest: Manifest = declare(place).__vextir_driver__
    assert manifest.schema is None


def test_two_parameters_for_one_thing_are_refused() -> None:
    async def place(data: Order, again: OrderRow) -> None: ...

    assert refused(place) == "parameters `data` and `again` are both the data. Keep one of them"


def test_a_parameter_that_is_nothing_known_is_refused_with_the_nearest_name() -> None:
    async def place(evnt) -> None: ...  # type: ignore[no-untyped-def]

    assert refused(place) == (
        "parameter `evnt` has no type and is none of `event`, `ctx`, `data`. Did you mean `event`?"
    )


def test_an_event_with_a_type_of_its_own_is_refused() -> None:
    async def place(event: Order) -> None: ...

    assert refused(place) == (
        "parameter `event` is annotated `Order`. Annotate it `Event`, or name it `data` if the event's data is meant"
    )


def test_open_parameters_are_refused() -> None:
    async def place(event: Event, **rest: Any) -> None: ...

    assert refused(place) == "parameter `**rest` takes anything. Name what the driver needs: event, ctx, data"


def test_a_data_type_that_is_not_there_at_run_time_is_refused() -> None:
    async def place(data: "Decimal") -> None: ...

    assert refused(place) == (
        "the type `Decimal` of parameter `data` is not known here. "
        "Define it above the driver, and import it at run time, not under TYPE_CHECKING"
    )


def test_a_data_type_that_pydantic_cannot_validate_is_refused() -> None:
    class Strange: ...

    async def place(data: Strange) -> None: ...

    assert refused(place).startswith("parameter `data`: Unable to generate pydantic-core schema for <class ")


def test_a_data_type_without_json_schema_is_refused() -> None:
    async def place(data: Callable[[], int]) -> None: ...

    assert refused(place).startswith("parameter `data`: Cannot generate a JsonSchema for core_schema.CallableSchema")


def test_a_data_type_whose_schema_is_no_json_is_refused() -> None:
    class Odd(BaseModel):
        share: Literal["a"] | float = float("nan")

    async def place(data: Odd) -> None: ...

    assert refused(place).startswith("parameter `data`: its JSON Schema is not JSON: properties.share.default is nan")


def test_what_is_no_driver_cannot_be_called_as_one() -> None:
    async def place(event: Event) -> None: ...

    with pytest.raises(ManifestError) as caught:
        loaded(place)
    assert str(caught.value) == ('`place` is no driver. Put @driver("...", capabilities=[...]) on `place`')
