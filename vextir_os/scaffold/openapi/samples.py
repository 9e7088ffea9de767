"""Data that fits a schema, for the test of a driver: small, always the same. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vextir_os.scaffold.openapi.reading import Document

DEPTH = 8
"""Levels of a sample, at most."""

TEXT_CHARS = 200
"""Characters of a text of a sample, at most."""

_TEXTS = {"date-time": "2027-01-15T08:00:00Z", "date": "2027-01-15", "uuid": "8f14e45f-ceea-467f-a0e6-5b8b7b7b7b7b"}


PIECES = 500
"""Values of a sample, those inside it too, at most."""


class NoSampleError(Exception):
    """No data is sure to fit."""


def sample(document: Document, schema: Any) -> Any:
    """Return data that fits a schema: what must be there and no more.

    Raises:
        NoSampleError: It asks for what cannot be made up: a pattern, something very deep, very long or very large.
    """
    return _Maker(document=document).make(schema, 0)


@dataclass(slots=True, kw_only=True)
class _Maker:
    document: Document
    made: int = 0

    def make(self, schema: Any, depth: int) -> Any:
        self.made += 1
        if depth > DEPTH or self.made > PIECES:
            raise NoSampleError
        whole = self.document.followed(schema)
        if not isinstance(whole, Mapping):
            return {}
        if "const" in whole:
            return whole["const"]
        choices = whole.get("enum")
        if isinstance(choices, list) and choices:
            return choices[0]
        for form in ("oneOf", "anyOf"):
            members = whole.get(form)
            if isinstance(members, list) and members and "properties" not in whole:
                return self.make(members[0], depth + 1)
        if isinstance(whole.get("allOf"), list):
            return self._merged(whole, depth)
        return self._of_kind(whole, depth)

    def _merged(self, whole: Mapping[str, Any], depth: int) -> Any:
        parts = [self.make(member, depth + 1) for member in whole["allOf"]]
        own = {key: value for key, value in whole.items() if key != "allOf"}
        parts += [self.make(own, depth + 1)] if "properties" in own else []
        if not all(isinstance(part, dict) for part in parts):
            return parts[0] if len(parts) == 1 else {}
        return {key: value for part in parts for key, value in part.items()}

    def _of_kind(self, whole: Mapping[str, Any], depth: int) -> Any:
        kinds = whole.get("type")
        kind = kinds[0] if isinstance(kinds, list) and kinds else kinds
        if kind == "object" or "properties" in whole:
            return self._object(whole, depth)
        match kind:
            case "array":
                return [self.make(whole.get("items"), depth + 1)] * _count(whole.get("minItems"), 20)
            case "string":
                return _text(whole)
            case "integer" | "number":
                return _number(whole)
            case "boolean":
                return True
            case "null":
                return None
        return {}

    def _object(self, whole: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties = whole.get("properties")
        required = whole.get("required")
        names = required if isinstance(required, list) else []
        known = properties if isinstance(properties, Mapping) else {}
        return {name: self.make(known.get(name), depth + 1) for name in names if isinstance(name, str)}


def _text(whole: Mapping[str, Any]) -> str:
    if "pattern" in whole:
        raise NoSampleError
    known = _TEXTS.get(str(whole.get("format")))
    return known or "x" * max(1, _count(whole.get("minLength"), TEXT_CHARS))


def _number(whole: Mapping[str, Any]) -> float:
    if "multipleOf" in whole:
        raise NoSampleError
    low, high = (_finite(whole.get(key), missing) for key, missing in (("minimum", -1e9), ("maximum", 1e9)))
    above, below = (
        _finite(whole.get(f"exclusive{key}"), missing) for key, missing in (("Minimum", -2e9), ("Maximum", 2e9))
    )
    strict = whole.get("exclusiveMinimum") is True
    start = max(math.ceil(low) + (1 if strict else 0), math.floor(above) + 1)
    value = 1 if start <= 1 else start
    if value > high or value >= below or (whole.get("exclusiveMaximum") is True and value >= high):
        value = start
    if value > high or value >= below or value < low:
        raise NoSampleError
    return value


def _finite(value: Any, missing: float) -> float:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if plain and abs(value) < 2**53 else missing


def _count(value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        return 0
    if value > most:
        raise NoSampleError
    return value
