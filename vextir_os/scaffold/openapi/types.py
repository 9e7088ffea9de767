"""From JSON Schema to types that pydantic checks: classes for objects, aliases for what is long, names for the rest.

What a type cannot say, `not`, `if`, formats nobody knows, is left to the service; it is never made stricter than the
document. Text of the document becomes names, quoted literals and prose, see `naming.py`.
"""

import builtins
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vextir_os.scaffold.openapi.naming import camel, literal, prose, snake, unique
from vextir_os.scaffold.openapi.reading import Document, reference_of
from vextir_os.scaffold.openapi.source import Group, Piece, flat

DEPTH = 24
"""Levels of nested schemas that become types; what is deeper is `Any`."""

LEVELS = 40
"""Classes in a row, each in a field of the one before; what is deeper is `Any`."""

CLASSES = 600
"""Classes of one driver, at most."""

FIELDS = 200
"""Fields of one class, at most; further ones are taken as they come."""

MEMBERS = 12
"""Members of one union, at most; of more, any is taken."""

PARTS = 50
"""Members of one `allOf`, theirs too, at most; further ones are taken as they come."""

CHOICES = 200
"""Values of one enum, at most; of more, any of its type is taken."""

_NONE = " | None"
_LONG = 44
_LINE = 80
_TEXT = 80
_INT64 = 2**63
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
_FORMATS = {"date-time": "dt.datetime", "date": "dt.date", "uuid": "UUID"}
_SIZES = {"minLength": "min_length", "maxLength": "max_length"}
_LENGTHS = {"minItems": "min_length", "maxItems": "max_length"}
_BOUNDS = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt"}

IMPORTED = frozenset({"Annotated", "Any", "BaseModel", "ConfigDict", "Field", "Literal", "UUID", "dt"})
"""Names that the module of the types imports."""

_NO_FIELD = frozenset({
    "bool", "dict", "dt", "float", "int", "list", "str", "copy", "json", "schema", "validate", "construct", "fields",
    "from_orm", "parse_obj", "parse_raw", "parse_file", "update_forward_refs",
})  # fmt: skip
"""Names that a class of pydantic has already, or that its types are written with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One field of a class.

    Attributes:
        name: Its Python name.
        key: What it is called in data.
        type: Its type, for one line.
        required: Whether data must have it.
        about: Prose.
    """

    name: str
    key: str
    type: str
    required: bool
    about: str


@dataclass(slots=True, kw_only=True)
class Class:
    """A class that pydantic checks.

    Attributes:
        name: Its name.
        about: Prose.
        attributes: Its fields.
        others: What becomes of members that it does not name: `forbid` or `allow`.
    """

    name: str
    about: str
    attributes: list[Attribute] = field(default_factory=list)
    others: str = "allow"


@dataclass(slots=True, kw_only=True)
class Types:
    """The types of one driver, as they are asked for.

    Attributes:
        document: What references lead into.
        classes: In the order in which they were met.
        aliases: By name; each needs only classes and those before it.
        uses: Names of `IMPORTED` that are needed.
    """

    document: Document
    classes: list[Class] = field(default_factory=list)
    aliases: dict[str, Piece] = field(default_factory=dict)
    uses: set[str] = field(default_factory=lambda: {"BaseModel", "ConfigDict"})
    _known: dict[str, str] = field(default_factory=dict)
    _open: list[tuple[int, Class, Mapping[str, Any]]] = field(default_factory=list)
    _level: int = 0
    _filling: bool = False
    _taken: set[str] = field(default_factory=lambda: {*IMPORTED, *vars(builtins)})

    def begin(self, name: str, about: str) -> Class:
        """Return a new class, still without fields."""
        found = Class(name=self._name(name), about=about)
        self.classes.append(found)
        return found

    def add(self, to: Class, key: str, type_: str, *, required: bool, about: object = "") -> Attribute:
        """Add a field to a class and return it."""
        other = snake(key, "value", 40)
        other = f"{other}_" if other in _NO_FIELD or other.startswith("model_") else other
        attribute = Attribute(
            name=unique(other, {one.name for one in to.attributes}),
            key=key,
            type=type_,
            required=required,
            about=prose(about, _TEXT),
        )
        to.attributes.append(attribute)
        return attribute

    def of(self, schema: Any, hint: str, depth: int = 0) -> str:
        """Return the type of a schema, on one line.

        Args:
            schema: A schema, or what refers to one.
            hint: What a class or alias of it would be called.
            depth: How deep it lies.
        """
        if not self._filling:
            self._level = 0
        found = self._of(schema, hint, depth)
        # Fields of a class are worked out after it, not in it, the nearest first: so no chain of classes is too long
        # for our stack, nor for that of pydantic.
        if not self._filling:
            self._filling = True
            while self._open:
                self._level, made, whole = self._open.pop(0)
                self._fill(made, whole)
            self._filling = False
        return found

    def _of(self, schema: Any, hint: str, depth: int) -> str:
        if not isinstance(schema, Mapping) or depth > DEPTH or len(self.classes) >= CLASSES:
            return self._any()
        reference = reference_of(schema)
        if reference is not None:
            return self._referred(reference, schema, depth)
        kinds = _kinds(schema)
        if kinds == {"null"}:
            return "None"
        found = self._short(self._plain(schema, kinds - {"null"}, hint, depth), hint)
        empty = "null" in kinds or schema.get("nullable") is True
        return or_none(found) if empty else found

    def _referred(self, reference: str, schema: Any, depth: int) -> str:
        if reference in self._known:
            found = self._known[reference]
            return self._any() if found == "Any" else found
        target = self.document.followed(schema)
        hint = camel(reference.rpartition("/")[2], "Model")
        # Whoever comes back here while it is worked out: a class is there by its name, anything else is open.
        self._known[reference] = "Any"
        if isinstance(target, Mapping) and _is_object(self._whole(target)):
            self._known[reference] = self._class(target, hint)
        else:
            self._known[reference] = self.of(target, hint, depth + 1)
        return self._known[reference]

    def _plain(self, schema: Mapping[str, Any], kinds: set[str], hint: str, depth: int) -> Piece:
        choices = _choices(schema)
        if choices is not None:
            self.uses.add("Literal")
            return Group("Literal[", choices, "]")
        if _is_object(self._whole(schema)):
            return self._class(schema, hint)
        for form in ("oneOf", "anyOf", "allOf"):
            members = schema.get(form)
            if isinstance(members, list) and members and not (form == "allOf" and len(members) > 1):
                return self._union(members, hint, depth)
        if len(kinds) > 1:
            return self._union([{**schema, "type": kind, "nullable": False} for kind in sorted(kinds)], hint, depth)
        return self._of_kind(schema, next(iter(kinds), ""), hint, depth)

    def _of_kind(self, schema: Mapping[str, Any], kind: str, hint: str, depth: int) -> Piece:
        match kind:
            case "array":
                item = self.of(schema.get("items"), f"{hint} item", depth + 1)
                return self._bounded(f"list[{item}]", schema, _LENGTHS)
            case "object":
                inner = schema.get("additionalProperties")
                value = self.of(inner, f"{hint} value", depth + 1) if isinstance(inner, Mapping) else self._any()
                return f"dict[str, {value}]"
            case "string":
                form = schema.get("format")
                known = _FORMATS.get(form, "") if isinstance(form, str) else ""
                self.uses |= {known.partition(".")[0]} - {""}
                return known or self._bounded("str", schema, _SIZES)
            case "integer" | "number":
                return self._bounded(_PLAIN[kind], schema, _BOUNDS)
            case "boolean":
                return "bool"
        return self._any()

    def _union(self, members: Sequence[Any], hint: str, depth: int) -> str:
        if len(members) > MEMBERS:
            return self._any()
        found = [self.of(member, f"{hint} {number}", depth + 1) for number, member in enumerate(members, 1)]
        parts = list(dict.fromkeys(one.removesuffix(_NONE) for one in found if one != "None"))
        if "Any" in parts or not parts:
            return self._any()
        parts += ["None"] if any(one == "None" or one.endswith(_NONE) for one in found) else []
        while len(parts) > 2 and len(" | ".join(parts)) > _LINE:
            parts = [self._short(" | ".join(parts[:2]), f"{hint} or", at_once=True), *parts[2:]]
        return " | ".join(parts)

    def _class(self, schema: Mapping[str, Any], hint: str) -> str:
        if self._level >= LEVELS:
            return self._any()
        whole = self._whole(schema)
        made = self.begin(hint, prose(whole.get("description") or whole.get("title"), _TEXT))
        self._open.append((self._level + 1, made, whole))
        return made.name

    def _fill(self, made: Class, whole: Mapping[str, Any]) -> None:
        for key, inner in list(whole["properties"].items())[:FIELDS]:
            type_ = self.of(inner, f"{made.name} {key}", 1)
            about = inner.get("description") if isinstance(inner, Mapping) else ""
            self.add(made, key, type_, required=key in whole["required"], about=about)
        closed = whole.get("additionalProperties") is False and len(whole["properties"]) <= FIELDS
        made.others = "forbid" if closed else "allow"

    def _whole(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return a schema with the members of its `allOf` in it; a member that is no object changes nothing."""
        whole: dict[str, Any] = {key: value for key, value in schema.items() if key != "allOf"}
        properties: dict[str, Any] = {}
        needed: set[str] = set()
        seen: set[int] = set()
        parts: list[Any] = [schema]
        while parts and len(seen) < PARTS:
            part = self.document.followed(parts.pop(0))
            if not isinstance(part, Mapping) or id(part) in seen:
                continue
            seen.add(id(part))
            own = part.get("properties")
            properties = {**(own if isinstance(own, Mapping) else {}), **properties}
            needed |= set(_texts(part.get("required")))
            whole.setdefault("description", part.get("description"))
            members = part.get("allOf")
            parts += members if isinstance(members, list) else []
        return whole | {"properties": properties, "required": needed}

    def _bounded(self, base: str, schema: Mapping[str, Any], bounds: Mapping[str, str]) -> Piece:
        found = [*_limits(base, schema, bounds)]
        if not found:
            return base
        self.uses |= {"Annotated", "Field"}
        return Group("Annotated[", [base, Group("Field(", found, ")")], "]")

    def _short(self, piece: Piece, hint: str, *, at_once: bool = False) -> str:
        """Return a piece, or the name of an alias of it where it is long, or where that is wanted at once."""
        line = flat(piece)
        if not at_once and len(line) <= (_LINE if isinstance(piece, str) else _LONG):
            return line
        name = self._name(hint)
        self.aliases[name] = piece
        return name

    def _name(self, hint: str) -> str:
        name = unique(camel(hint, "Model"), self._taken)
        self._taken.add(name)
        return name

    def _any(self) -> str:
        self.uses.add("Any")
        return "Any"


def or_none(type_: str) -> str:
    """Return a type that takes None as well."""
    return type_ if type_ in ("Any", "None") or type_.endswith(_NONE) else f"{type_}{_NONE}"


def _is_object(whole: Mapping[str, Any]) -> bool:
    kinds = _kinds(whole) - {"null"}
    return bool(whole["properties"]) and (not kinds or "object" in kinds)


def _kinds(schema: Mapping[str, Any]) -> set[str]:
    kind = schema.get("type")
    return {one for one in (kind if isinstance(kind, list) else [kind]) if isinstance(one, str)}


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _choices(schema: Mapping[str, Any]) -> list[str] | None:
    """Return the values of an enum as literals; None where there is none, or not all of them can be."""
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if not isinstance(values, list) or not 0 < len(values) <= CHOICES:
        return None
    found = [_choice(value) for value in values]
    return list(dict.fromkeys(one for one in found if one)) if all(found) else None


def _choice(value: Any) -> str:
    if isinstance(value, str):
        return literal(value) if len(value) <= _TEXT else ""
    if value is None or isinstance(value, bool):
        return repr(value)
    return repr(value) if isinstance(value, int) and abs(value) < _INT64 else ""


def _limits(base: str, schema: Mapping[str, Any], bounds: Mapping[str, str]) -> Iterator[str]:
    """Yield `ge=1` and the like: finite numbers of the base's own kind alone."""
    for key, option in bounds.items():
        value = schema.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            continue
        if base != "float":
            if value != int(value) or abs(value) >= _INT64 or (base != "int" and value < 0):
                continue
            value = int(value)
        strict = schema.get(f"exclusive{key[0].upper()}{key[1:]}") is True if key in ("minimum", "maximum") else False
        yield f"{option.replace('e', 't') if strict else option}={value!r}"
