"""The AsyncAPI document is valid by the official schema, leads nowhere that is not there, and names everybody."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from tests.support.asyncapi import problems_of
from tests.support.harness import an_os
from vextir_os import Event, InvalidError, driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.registry.index import load_index
from vextir_os.registry.registry import Registry
from vextir_os.schemas.asyncapi import Info, asyncapi
from vextir_os.schemas.types import FAILURE

INFO = Info(title="shop", version="1.2.0", host="127.0.0.1:8300", description="A shop.")


class Order(BaseModel):
    item: str


@driver("shop.till", capabilities=["order.placed", "order.*.again"], permissions=["emit:order.paid", "emit:note.**"])
async def till(event: Event, data: Order) -> None:
    """Take the money."""


def refs(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from refs(inner)


def found(document: Any, ref: str) -> Any:
    for name in ref.removeprefix("#/").split("/"):
        document = document[name]
    return document


def sound(document: dict[str, Any]) -> None:
    assert problems_of(document) == []
    assert [ref for ref in refs(document) if found(document, ref) is None] == []


def test_the_document_of_the_stock_drivers_is_sound() -> None:
    document = asyncapi(load_index(Path(__file__).parents[3]).manifests, INFO)
    sound(document)
    assert document["asyncapi"] == "3.0.0"
    assert document["info"] == {"title": "shop", "version": "1.2.0", "description": "A shop."}


def test_the_official_schema_refuses_what_is_no_document() -> None:
    document = asyncapi([], INFO)
    assert problems_of({**document, "channels": {"x": {"adress": "y"}}}) != []
    assert problems_of({**document, "operations": {"x": {"action": "takes"}}}) != []


def test_drivers_are_operations_and_types_are_channels() -> None:
    document = asyncapi(Registry.of(till).manifests.values(), INFO)
    sound(document)
    assert list(document["operations"]) == [
        "shop.till:receive:order.ANY.again",
        "shop.till:receive:order.placed",
        "shop.till:send:note.ALL",
        "shop.till:send:order.paid",
        "vextir:send:vextir.error",
    ]
    operation = document["operations"]["shop.till:receive:order.placed"]
    assert (operation["action"], operation["summary"]) == ("receive", "Take the money.")
    assert operation["channel"] == {"$ref": "#/channels/order.placed"}
    assert document["channels"]["order.ANY.again"]["address"] == "order.{segment2}.again"
    assert document["channels"]["note.ALL"]["address"] == "note.{segments2}"


def test_payloads_are_what_drivers_take_and_open_where_nobody_says() -> None:
    document = asyncapi(Registry.of(till).manifests.values(), INFO)
    messages = document["components"]["messages"]
    assert found(document, messages["order.placed"]["payload"]["$ref"])["required"] == ["item"]
    assert messages["order.paid"]["payload"] == {}


def test_attributes_of_cloudevents_are_headers_of_every_message() -> None:
    document = asyncapi(Registry.of(till).manifests.values(), INFO)
    trait = document["components"]["messageTraits"]["cloudevent"]["headers"]
    assert {"ce-id", "ce-source", "ce-specversion", "ce-type", "ce-tenantid", "ce-labels"} <= set(trait["properties"])
    for message in document["components"]["messages"].values():
        assert message["traits"] == [{"$ref": "#/components/messageTraits/cloudevent"}]
    assert document["components"]["messages"]["order.paid"]["headers"]["properties"] == {
        "ce-type": {"const": "order.paid"}
    }


def test_versions_of_one_driver_are_operations_each() -> None:
    both = [Manifest(id="a", version=number, kind="tool", capabilities=("x",)) for number in ("2", "1")]
    document = asyncapi(both, INFO)
    sound(document)
    assert list(document["operations"]) == ["a@1:receive:x", "a@2:receive:x", "vextir:send:vextir.error"]


NAMES = st.sampled_from(["a", "b", "a.b"])
CAPABILITIES = st.lists(st.sampled_from(["a", "a.b", "a.*", "**", "*.b.**", "vextir.error"]), max_size=4)
EMITS = st.lists(st.sampled_from(["emit:a", "emit:a.*", "emit:**", "http:x.example"]), max_size=4)
SCHEMAS = st.sampled_from([None, {"type": "object"}, {"$ref": "#/$defs/X", "$defs": {"X": {"type": "string"}}},
                           {"$ref": "#/$defs/X", "$defs": {"X": {"anyOf": [{"$ref": "#/$defs/X"}, {}]}}}])  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.dictionaries(NAMES, st.tuples(CAPABILITIES, EMITS, SCHEMAS, st.text(max_size=9)), max_size=3))
def test_any_drivers_give_a_sound_document_and_always_the_same(drivers: dict[str, Any]) -> None:
    manifests = [
        Manifest(
            id=name, kind="io", capabilities=tuple(takes), permissions=tuple(sends), schema=schema, description=said
        )
        for name, (takes, sends, schema, said) in drivers.items()
    ]
    document = asyncapi(manifests, INFO)
    sound(document)
    assert json.dumps(asyncapi(reversed(manifests), INFO)) == json.dumps(document)


@pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])
async def test_the_event_of_a_failed_run_fits_its_schema(tmp_path: Path, atomic: bool) -> None:
    @driver("shop.desk", capabilities=["order.placed"])
    async def desk(event: Event) -> None:
        raise InvalidError("there is no customer c-7")

    async with an_os(tmp_path, desk, atomic=atomic) as os:
        await os.run(Event(type="order.placed"))
        (record,) = await os.records("vextir.error")
    plain = json.loads(json.dumps(FAILURE, default=dict))
    Draft202012Validator(plain).validate(record["event"]["data"])
    assert not Draft202012Validator(plain).is_valid({**record["event"]["data"], "error": None})
