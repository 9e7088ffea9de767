"""JSON Schemas of events: they let pass what the drivers take, and nothing that they refuse."""

from typing import Any, Literal

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from tests.unit.events.strategies import patterns, types
from vextir_os import Event, driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import InvalidEventError
from vextir_os.events.codec import from_item
from vextir_os.events.patterns import matches
from vextir_os.registry.registry import Registry
from vextir_os.schemas.events import ATTRIBUTES, data_schema, event_schema, of_type
from vextir_os.schemas.types import known_types, of_one


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(9, ge=1)


class Dog(BaseModel):
    kind: Literal["dog"]


class Adopted(BaseModel):
    pet: Cat | Dog = Field(discriminator="kind")
    by: str
    friends: list["Adopted"] = []


@driver("shelter.desk", capabilities=["pet.adopted"], permissions=["emit:letter.*", "emit:pet.fed"])
async def desk(event: Event, data: Adopted) -> None: ...


@driver("shelter.books", capabilities=["pet.*"])
async def books(event: Event, data: dict[str, Any]) -> None: ...


@driver("shelter.bell", capabilities=["bell.rung"])
async def bell(event: Event) -> None: ...


MANIFESTS = tuple(Registry.of(desk, books, bell).manifests.values())
TYPES = known_types(MANIFESTS)


def fits(schema: dict[str, Any], value: Any) -> bool:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema).is_valid(value)


GOOD = {"pet": {"kind": "cat", "lives": 7}, "by": "ann", "friends": [{"pet": {"kind": "dog"}, "by": "bob"}]}
BAD: list[Any] = [
    {"pet": {"kind": "cow"}, "by": "ann"},
    {"pet": {"kind": "cat", "lives": 0}, "by": "ann"},
    {"pet": {"kind": "dog"}},
    {"pet": {"kind": "dog"}, "by": "ann", "friends": [{"by": "bob"}]},
    "a cat",
]


def test_all_types_are_known_that_drivers_handle_or_emit_and_that_the_os_sends() -> None:
    assert list(TYPES) == ["bell.rung", "letter.*", "pet.*", "pet.adopted", "pet.fed", "vextir.error"]
    assert [each.id for each in TYPES["pet.adopted"].handlers] == ["shelter.books", "shelter.desk"]
    assert [each.id for each in TYPES["pet.fed"].emitters] == ["shelter.desk"]


def test_the_schema_of_a_type_takes_what_its_drivers_take() -> None:
    schema = data_schema(TYPES["pet.adopted"])
    assert fits(schema, GOOD)
    assert [value for value in BAD if fits(schema, value)] == []
    Adopted.model_validate(GOOD)


@pytest.mark.parametrize("name", ["bell.rung", "letter.*"])
def test_a_type_without_a_schema_takes_anything(name: str) -> None:
    schema = data_schema(TYPES[name])
    assert schema == {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": name}
    assert fits(schema, None)


def test_one_schema_checks_events_of_all_types() -> None:
    schema = event_schema(TYPES, "Events")
    assert fits(schema, {"type": "pet.adopted", "data": GOOD})
    assert not fits(schema, {"type": "pet.adopted", "data": BAD[0]})
    assert not fits(schema, {"type": "pet.fed", "data": "a cat"})
    assert fits(schema, {"type": "bell.rung", "data": "a cat"})
    assert fits(schema, {"type": "unheard.of", "data": [1]})
    assert not fits(schema, {"data": GOOD})
    assert not fits(schema, {"type": "bell.rung", "priority": 10})


def test_a_type_that_only_a_pattern_names_has_the_schema_of_the_pattern() -> None:
    known = of_one("pet.lost", MANIFESTS)
    assert known is not None
    assert [each.id for each in known.handlers] == ["shelter.books"]
    assert not fits(data_schema(known), "a cat")
    letter = of_one("letter.sent", MANIFESTS)
    assert letter is not None
    assert [each.id for each in letter.emitters] == ["shelter.desk"]
    assert of_one("unheard.of", MANIFESTS) is None


def test_what_is_no_type_is_refused() -> None:
    with pytest.raises(InvalidEventError, match=r"event type 'Pet\.Lost' is not dotted lower case"):
        of_one("Pet.Lost", MANIFESTS)


def test_the_same_drivers_in_another_order_give_the_same_schema() -> None:
    assert repr(event_schema(known_types(reversed(MANIFESTS)), "Events")) == repr(event_schema(TYPES, "Events"))


@given(patterns, types)
def test_a_pattern_as_an_expression_matches_as_the_pattern(pattern: str, type_: str) -> None:
    assert fits(of_type(pattern), type_) is matches(pattern, type_)


def test_every_attribute_of_the_schema_is_one_of_an_event() -> None:
    values = {"specversion": "1.0", "type": "a", "category": "input", "priority": 3, "ordered": True, "labels": "x",
              "time": "2026-01-01T00:00:00Z", "traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}  # fmt: skip
    given = {name: values.get(name, "text") for name in ATTRIBUTES}
    event = from_item({**given, "datacontenttype": "application/json", "data": 1})
    assert event.extensions == {}
    assert fits(event_schema(TYPES, "Events"), given)


def test_versions_of_a_driver_are_handlers_each() -> None:
    def version(number: str, schema: dict[str, Any]) -> Manifest:
        return Manifest(id="a", version=number, kind="tool", capabilities=("x",), schema=schema)

    known = known_types([version("2", {"type": "object"}), version("1", {"required": ["n"]})])["x"]
    assert [each.version for each in known.handlers] == ["1", "2"]
    assert data_schema(known)["allOf"] == [{"required": ["n"]}, {"type": "object"}]
