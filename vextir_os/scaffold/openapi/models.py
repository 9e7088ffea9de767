"""The module `models.py` of a driver: its types as source. Pure."""

from collections.abc import Iterator

from vextir_os.scaffold.openapi.naming import literal, prose
from vextir_os.scaffold.openapi.source import Group, Piece, laid_out, named
from vextir_os.scaffold.openapi.types import Attribute, Class, Types, or_none


def models_source(types: Types, title: str) -> str:
    """Return the module: classes, which may name each other in any order, and aliases, each after what it needs."""
    parts = [
        f'"""What goes to {prose(title, 60)}, and what its answers hold: types that pydantic checks."""\n',
        *_imports(types),
    ]
    blocks = [_class(one) for one in types.classes]
    aliases = "\n".join(laid_out(named(f"{name} = ", piece)) for name, piece in types.aliases.items())
    if aliases:
        blocks.append(f"{aliases}\n")
    blocks.append(_rebuilt(types))
    separator = "\n\n"
    return "\n".join(parts) + separator + separator.join(blocks)


def _imports(types: Types) -> Iterator[str]:
    yield "from __future__ import annotations\n"
    standard = [
        *(["import datetime as dt"] if "dt" in types.uses else []),
        *_from("typing", [name for name in ("Annotated", "Any", "Literal") if name in types.uses]),
        *_from("uuid", [name for name in ("UUID",) if name in types.uses]),
    ]
    if standard:
        yield "\n".join(standard) + "\n"
    fields = any(_described(one) for made in types.classes for one in made.attributes)
    names = ["BaseModel", "ConfigDict", *(["Field"] if fields or "Field" in types.uses else [])]
    yield f"from pydantic import {', '.join(names)}\n"


def _from(module: str, names: list[str]) -> list[str]:
    return [f"from {module} import {', '.join(names)}"] if names else []


def _class(made: Class) -> str:
    about = made.about.rstrip(".") or "One thing of the service"
    lines = [
        f"class {made.name}(BaseModel):",
        f'    """{about}."""',
        "",
        f'    model_config = ConfigDict(extra="{made.others}", populate_by_name=True, protected_namespaces=())',
    ]
    if made.attributes:
        lines += ["", *(_attribute(one) for one in made.attributes)]
    return "\n".join(lines) + "\n"


def _attribute(one: Attribute) -> str:
    type_ = one.type if one.required else or_none(one.type)
    head = f"    {one.name}: {type_}"
    if not _described(one):
        return head if one.required else f"{head} = None"
    options = [
        *([] if one.required else ["default=None"]),
        *([f"alias={literal(one.key)}"] if one.key != one.name else []),
        *([f"description={literal(one.about)}"] if one.about else []),
    ]
    return "    " + laid_out(Group(f"{head.strip()} = Field(", options, ")"), indent=4)


def _described(one: Attribute) -> bool:
    return bool(one.about) or one.key != one.name


def _rebuilt(types: Types) -> str:
    """Return the lines that let classes find what is written below them."""
    names: Piece = Group("for model in (", [one.name for one in types.classes], "):")
    if len(types.classes) == 1:
        return f"{types.classes[0].name}.model_rebuild()\n"
    return f"{laid_out(names)}\n    model.model_rebuild()\n"
