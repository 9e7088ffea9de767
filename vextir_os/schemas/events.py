"""JSON Schemas (2020-12) of the events of a project: the data of one type, and whole events of all types. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from vextir_os.events.limits import ATTRIBUTE_CHARS, TYPE_CHARS
from vextir_os.schemas.shelf import Shelf
from vextir_os.schemas.types import Known

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_NAME: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": ATTRIBUTE_CHARS}

ATTRIBUTES: Mapping[str, Mapping[str, Any]] = {
    "specversion": {"const": "1.0", "description": "Makes it a CloudEvent; the plain form has none."},
    "id": {**_NAME, "description": "Unique within its source; the OS mints one where it is missing."},
    "source": {**_NAME, "format": "uri-reference", "description": "Who says so: /shop/till."},
    "type": {"type": "string", "maxLength": TYPE_CHARS, "description": "What happened, dotted lower case."},
    "subject": {**_NAME, "description": "What it happened to, within the source."},
    "time": {"type": "string", "format": "date-time", "description": "When it happened."},
    "datacontenttype": {**_NAME, "description": "application/json where nothing else is said."},
    "dataschema": {**_NAME, "format": "uri", "description": "Where the schema of the data is."},
    "category": {"enum": ["input", "internal", "output"], "description": "Where it comes from and goes to."},
    "tenantid": {**_NAME, "description": "The tenant; asserted by the edge, whatever is written here."},
    "userid": {**_NAME, "description": "Who caused it; asserted by the edge, whatever is written here."},
    "correlationid": {**_NAME, "description": "One for all that follow from one first event."},
    "causationid": {**_NAME, "description": "Id of the event whose run emitted this one."},
    "partitionkey": {**_NAME, "description": "Events with the same key belong together."},
    "traceparent": {**_NAME, "description": "The trace that it belongs to (W3C Trace Context)."},
    "priority": {"type": "integer", "minimum": 0, "maximum": 9, "description": "7 and more go first; 5 by default."},
    "labels": {"type": "string", "description": "Marks that travel along causation, with commas between."},
    "ordered": {"type": "boolean", "description": "Takes effect after those sent before it with its partitionkey."},
}  # fmt: skip
"""What may stand beside the data: CloudEvents 1.0, and our extension attributes."""


def data_schema(known: Known) -> dict[str, Any]:
    """Return the schema of the data of one type; one that takes anything, where no driver says more."""
    shelf = Shelf("#/$defs/")
    schema = {"$schema": DIALECT, "title": known.type, **together(known.schemas, shelf)}
    return schema | ({"$defs": dict(sorted(shelf.schemas.items()))} if shelf.schemas else {})


def event_schema(types: Mapping[str, Known], title: str) -> dict[str, Any]:
    """Return one schema by which an event of any type is checked, in the plain form or as a CloudEvent.

    Types that the project does not know pass, since anybody may publish more than its drivers handle.
    """
    shelf = Shelf("#/$defs/", frozenset(map(key_of, types)))
    defs: dict[str, Any] = {}
    rules = []
    for name, known in types.items():
        if not known.schemas:
            continue
        defs[key_of(name)] = together(known.schemas, shelf)
        rules.append({
            "if": {"properties": {"type": of_type(name)}, "required": ["type"]},
            "then": {"properties": {"data": {"$ref": f"#/$defs/{key_of(name)}"}}},
        })  # fmt: skip
    return {
        "$schema": DIALECT,
        "title": title,
        "type": "object",
        "required": ["type"],
        "properties": {**ATTRIBUTES, "data": {"description": "What is to be known of it; any JSON."}},
        "allOf": rules,
        "$defs": dict(sorted({**defs, **shelf.schemas}.items())),
    }


def together(schemas: Sequence[Mapping[str, Any]], shelf: Shelf) -> dict[str, Any]:
    """Return one schema for what has to fit several, its definitions on the shelf; an open one for none."""
    found = [shelf.put(schema) for schema in schemas]
    return found[0] if len(found) == 1 else {"allOf": found} if found else {}


def key_of(type_: str) -> str:
    """Return a type as a key or a file's name; of a pattern one that no type has, since types are lower case."""
    return type_.replace("**", "ALL").replace("*", "ANY")


def of_type(name: str) -> dict[str, Any]:
    """Return the schema of the attribute `type` of events of a type, or of all types that a pattern matches."""
    return {"pattern": f"^{_expression(name.split('.'))}$"} if "*" in name else {"const": name}


def _expression(segments: Sequence[str]) -> str:
    """Return a pattern as a regular expression. `**` stands for any number of segments, none included."""
    several = [name for at, name in enumerate(segments) if name != "**" or at == 0 or segments[at - 1] != "**"]
    if several == ["**"]:
        return ".+"
    text = ""
    for at, name in enumerate(several):
        if name == "**":
            # What follows or what comes before has the dot, so that none is left over where it stands for nothing.
            text += r"(?:\.[^.]+)*" if at else r"(?:[^.]+\.)*"
            continue
        dot = r"\." if at and (at > 1 or several[0] != "**") else ""
        text += dot + ("[^.]+" if name == "*" else name)
    return text
