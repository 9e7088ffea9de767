"""Definitions of many JSON Schemas, put together under names of their own. Pure.

Each driver's schema brings its `$defs`, and two drivers may both have an `Address`. Definitions that are the same,
with all that they lead to, share one name; others get a number.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]

_LOCAL = "#/$defs/"
_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_AS_IT_IS = frozenset({"const", "enum", "default", "examples", "required"})
_NO_NAME = re.compile(r"[^A-Za-z0-9._-]+")


class Shelf:
    """Definitions by name, each once.

    Args:
        place: Where they stand in the document: `#/$defs/`, `#/components/schemas/`.
        taken: Names that are used for something else.
    """

    def __init__(self, place: str, taken: frozenset[str] = frozenset()) -> None:
        self._place = place
        self._taken = set(taken)
        self._names: dict[str, str] = {}
        self.schemas: dict[str, Any] = {}

    def put(self, schema: Json) -> dict[str, Any]:
        """Return a schema without definitions of its own: they are on the shelf, and what led to them leads there."""
        own: Json = schema.get("$defs", {})
        new: dict[str, str] = {}
        for name in own:
            content = _closure(name, own)
            known = content in self._names
            new[name] = self._names[content] if known else self._name(name)
            self._names[content] = new[name]

        def led(ref: str) -> str:
            name = _unescaped(ref.removeprefix(_LOCAL))
            return self._place + new[name] if ref.startswith(_LOCAL) and name in new else ref

        for name, definition in own.items():
            self.schemas.setdefault(new[name], _walked(definition, led))
        return {key: value for key, value in _walked(schema, led).items() if key != "$defs"}

    def _name(self, wanted: str) -> str:
        base = _NO_NAME.sub("_", wanted).strip("_") or "Schema"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}{number}"
        self._taken.add(name)
        return name


def _closure(name: str, own: Json) -> str:
    """Return a definition with all that it leads to, as text: two definitions with the same text say the same."""
    found: dict[str, Any] = {}
    left = [name]

    def noted(ref: str) -> str:
        left.append(_unescaped(ref.removeprefix(_LOCAL)))
        return ref

    while left:
        each = left.pop()
        if each in own and each not in found:
            found[each] = own[each]
            _walked(own[each], noted)
    return json.dumps([name, found], sort_keys=True)


def _walked(schema: Any, led: Callable[[str], str]) -> Any:
    """Return a schema with its references changed; names of properties and values are no references."""
    if isinstance(schema, list):
        return [_walked(part, led) for part in schema]
    if not isinstance(schema, Mapping):
        return schema
    changed: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _AS_IT_IS:
            changed[key] = value
        elif key in _BY_NAME and isinstance(value, Mapping):
            changed[key] = {name: _walked(part, led) for name, part in value.items()}
        elif key == "$ref" and isinstance(value, str):
            changed[key] = led(value)
        elif key != "discriminator":
            # The keyword of OpenAPI: its mapping leads to definitions too, and `oneOf` says the same.
            changed[key] = _walked(value, led)
    return changed


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")
