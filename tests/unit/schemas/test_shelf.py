"""Definitions of many schemas under one roof: what is the same is shared, what differs keeps apart."""

from typing import Any

from vextir_os.schemas.shelf import Shelf


def order(address: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {"to": {"$ref": "#/$defs/Address"}}, "$defs": {"Address": address}}


def test_definitions_that_are_the_same_share_a_name() -> None:
    shelf = Shelf("#/components/schemas/")
    first, second = shelf.put(order({"type": "string"})), shelf.put(order({"type": "string"}))
    assert first == second == {"type": "object", "properties": {"to": {"$ref": "#/components/schemas/Address"}}}
    assert shelf.schemas == {"Address": {"type": "string"}}


def test_definitions_of_one_name_that_differ_keep_apart() -> None:
    shelf = Shelf("#/$defs/")
    shelf.put(order({"type": "string"}))
    assert shelf.put(order({"type": "object"}))["properties"] == {"to": {"$ref": "#/$defs/Address2"}}
    assert shelf.schemas == {"Address": {"type": "string"}, "Address2": {"type": "object"}}


def test_definitions_that_lead_to_different_ones_are_different() -> None:
    def tree(leaf: str) -> dict[str, Any]:
        node = {"properties": {"left": {"$ref": "#/$defs/Node"}, "leaf": {"$ref": "#/$defs/Leaf"}}}
        return {"$ref": "#/$defs/Node", "$defs": {"Node": node, "Leaf": {"type": leaf}}}

    shelf = Shelf("#/$defs/")
    assert [shelf.put(tree(leaf))["$ref"] for leaf in ("string", "integer", "string")] == [
        "#/$defs/Node",
        "#/$defs/Node2",
        "#/$defs/Node",
    ]
    assert shelf.schemas["Node2"]["properties"] == {
        "left": {"$ref": "#/$defs/Node2"},
        "leaf": {"$ref": "#/$defs/Leaf2"},
    }


def test_names_that_are_taken_or_cannot_be_keys_are_changed() -> None:
    shelf = Shelf("#/$defs/", frozenset({"Address"}))
    schema = {"$defs": {"Address": {}, "Box[int]/~": {"type": "integer"}}, "$ref": "#/$defs/Box[int]~1~0"}
    assert shelf.put(schema) == {"$ref": "#/$defs/Box_int"}
    assert set(shelf.schemas) == {"Address2", "Box_int"}


def test_what_only_looks_like_a_reference_is_left_alone() -> None:
    schema = {
        "properties": {"$ref": {"const": {"$ref": "#/$defs/A"}}, "discriminator": {"default": "#/$defs/A"}},
        "discriminator": {"mapping": {"a": "#/$defs/A"}},
        "enum": [{"$ref": "#/$defs/A"}],
        "$defs": {"A": {}},
    }
    assert Shelf("#/x/").put(schema) == {name: schema[name] for name in ("properties", "enum")}
