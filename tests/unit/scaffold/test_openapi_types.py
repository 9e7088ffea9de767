"""Types out of JSON Schema: what a driver takes and refuses is what the document says, as far as types can say it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from tests.support.openapi.documents import made, taking
from vextir_os.registry.modules import forget_modules, import_driver_module
from vextir_os.scaffold.openapi.types import LEVELS

NODE = {"type": "object", "required": ["name"], "properties": {
    "name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"},
    "all": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}}}  # fmt: skip

PAY = {"type": "object", "properties": {"a": {"type": "integer"}}}


def adapter(root: Path, schema: Any, **schemas: Any) -> TypeAdapter[Any]:
    """Return what checks the data of an operation whose body has this schema."""
    made(root, taking(schema, **schemas))
    forget_modules(root)
    model: type[BaseModel] = import_driver_module(root, "shop.models").Put
    return TypeAdapter(model)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        pytest.param({"type": "string"}, ["a"], [1, None], id="text"),
        pytest.param({"type": "string", "minLength": 2, "maxLength": 3}, ["ab"], ["a", "abcd"], id="length"),
        pytest.param({"type": ["string", "null"]}, ["a", None], [1], id="null-of-3.1"),
        pytest.param({"type": "string", "nullable": True}, ["a", None], [1], id="null-of-3.0"),
        pytest.param({"type": ["string", "integer"]}, ["a", 1], [None, []], id="two-kinds"),
        pytest.param({"enum": ["a", 1, None]}, ["a", 1, None], ["b", 2], id="enum"),
        pytest.param({"const": "a"}, ["a"], ["b"], id="const"),
        pytest.param({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3], [0, 4, "x"], id="range"),
        pytest.param({"type": "number", "exclusiveMinimum": 0}, [0.1], [0, -1], id="above-of-3.1"),
        pytest.param({"type": "number", "minimum": 0, "exclusiveMinimum": True}, [0.1], [0], id="above-of-3.0"),
        pytest.param({"type": "integer", "minimum": float("inf")}, [1], ["x"], id="bound-that-is-no-number"),
        pytest.param({"type": "array", "items": {"type": "integer"}, "maxItems": 2},
                     [[], [1, 2]], [[1, 2, 3]], id="list"),
        pytest.param({"type": "object", "additionalProperties": {"type": "integer"}},
                     [{"a": 1}], [{"a": "x"}], id="map"),
        pytest.param({"type": "string", "format": "uuid"}, ["8f14e45f-ceea-467f-a0e6-5b8b7b7b7b7b"], ["x"], id="uuid"),
        pytest.param({"type": "string", "format": "date"}, ["2027-01-15"], ["soon"], id="date"),
        pytest.param({"oneOf": [{"type": "integer"}, {"type": "boolean"}]}, [1, True], ["x", None], id="one-of"),
        pytest.param({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [1, None], ["x"], id="any-of"),
        pytest.param({"anyOf": [{"type": "array", "items": {"type": ["string", "integer"]}},
                                {"type": "object", "additionalProperties": {"type": ["string", "integer"]}}]},
                     [["a", 1], {"a": "x", "b": 1}], ["a", [None], {"a": None}], id="unions-in-a-union"),
        pytest.param({"anyOf": [{"enum": ["a | b", "c"]}, {"enum": ["d | b"]}]}, ["a | b", "d | b"], ["b"], id="bars"),
        pytest.param({"anyOf": [{"enum": [f"{first}{'x' * 30}"]} for first in "abcdef"]}, [f"f{'x' * 30}"], ["f"],
                     id="long-union"),
        pytest.param({"properties": {"pay": {"$ref": "#/components/schemas/PayNone"}}}, [{}, {"pay": {"a": 1}}],
                     [{"pay": {"a": "x"}}], id="a-name-that-ends-in-none"),
        pytest.param({"type": "object", "properties": {"pay": {"nullable": True, "allOf": [
            {"$ref": "#/components/schemas/PayNone"}]}}}, [{"pay": None}], [{"pay": 1}], id="such-a-name-or-null"),
        pytest.param({}, [1, "a", None, {"a": []}], [], id="anything"),
        pytest.param(True, [1, "a"], [], id="true"),
        pytest.param({"type": "strnig"}, [1, "a"], [], id="unknown-kind"),
        pytest.param(
            {"type": "object", "required": ["a"], "properties": {"a": {}}, "additionalProperties": False},
            [{"a": 1}], [{}, {"a": 1, "b": 2}], id="closed-object",
        ),
        pytest.param(
            {"allOf": [{"required": ["a"], "properties": {"a": {"type": "integer"}}},
                       {"properties": {"b": {}}, "required": ["b"]}]},
            [{"a": 1, "b": 2, "c": 3}], [{"a": 1}, {"b": 2}, {"a": "x", "b": 1}], id="all-of",
        ),
        pytest.param({"$ref": "#/components/schemas/Node"},
                     [{"name": "a", "next": {"name": "b", "all": [{"name": "c"}]}}],
                     [{"name": "a", "next": {"name": 1}}, {"name": "a", "all": [{}]}], id="recursive"),
    ],
)  # fmt: skip
def test_data_fits_where_the_schema_says_so(tmp_path: Path, schema: Any, good: list[Any], bad: list[Any]) -> None:
    checks = adapter(tmp_path, schema, Node=NODE, PayNone=PAY)
    for value in good:
        checks.validate_python({"body": value})
    for value in bad:
        with pytest.raises(ValidationError):
            checks.validate_python({"body": value})


def test_names_of_the_document_are_those_of_the_data(tmp_path: Path) -> None:
    keys = ["petId", "class", "json", "model_config", "_x", "1st", "a-b", "a_b", "id", "str", "dt", "copy", "ü", "$"]
    schema = {"type": "object", "required": keys, "properties": {key: {"type": "integer"} for key in keys}}
    checks = adapter(tmp_path, schema)
    data = {"body": dict.fromkeys(keys, 1)}
    kept = checks.validate_python(data).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert kept == data


def test_what_was_not_given_is_not_sent_and_what_nobody_named_is(tmp_path: Path) -> None:
    checks = adapter(tmp_path, {"type": "object", "properties": {"a": {"type": "integer", "default": 7}}})
    value = checks.validate_python({"body": {"other": [1]}})
    assert value.model_dump(mode="json", by_alias=True, exclude_unset=True) == {"body": {"other": [1]}}


def test_of_a_long_chain_of_references_the_first_forty_become_classes(tmp_path: Path) -> None:
    schemas: dict[str, Any] = {
        f"S{number}": {"type": "object", "properties": {"next": {"$ref": f"#/components/schemas/S{number + 1}"}}}
        for number in range(300)
    }
    checks = adapter(tmp_path, {"$ref": "#/components/schemas/S0"}, **schemas)
    value: Any = {"end": "no number"}
    for _ in range(50):
        value = {"next": value}
    checks.validate_python({"body": value})
    models = (tmp_path / "drivers/shop/models.py").read_text()
    assert models.count("class S") == LEVELS == 40
