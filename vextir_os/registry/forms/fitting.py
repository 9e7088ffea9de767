"""A YAML document held against a pydantic model: the value, or every problem with its place and the nearest name.

What messages show is what the file says, never what the environment put in its place.
"""

import re
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vextir_os.errors import ManifestError, VextirError, did_you_mean, shown
from vextir_os.yamlio import YamlDocument

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

M = TypeVar("M", bound="BaseModel")
Path = tuple[str | int, ...]

_KINDS = {str: "text", bool: "a boolean", int: "a whole number", float: "a fraction", list: "a list", dict: "a mapping"}
_WANTED = {
    "string_type": "text",
    "bool_type": "a boolean",
    "bool_parsing": "a boolean",
    "int_type": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
PROBLEM = "vextir"
"""Type of the errors that validators of our models raise, with `what` and `hint` in their context."""

_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Fitted(Generic[M]):
    """What a document was found to be; with problems the value is None."""

    value: M | None
    problems: Sequence[VextirError]


def fit(model: type[M], document: YamlDocument, *, whole: str, value: Any = None, inside: Path = ()) -> Fitted[M]:
    """Hold a document against a model.

    Args:
        model: What it should be; its fields refuse what they do not know.
        document: The document, for places and for what messages show.
        whole: What it is, in messages: `an agent`.
        value: What is held against the model; by default the document's own value.
        inside: Path of the part of the document that the value is.
    """
    from pydantic import ValidationError

    try:
        return Fitted(model.model_validate(at(document.value, inside) if value is None else value), ())
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=True)
        found = [_problem(model, document, whole, inside, one) for one in problems]
        return Fitted(None, sorted(found, key=_by_line))


def at(value: Any, path: Iterable[str | int]) -> Any:
    """Return what stands at a path of keys and indexes; None where nothing does."""
    for step in path:
        is_there = step in value if isinstance(value, dict) else isinstance(value, list) and type(step) is int
        if not is_there or (isinstance(value, list) and not -1 < int(step) < len(value)):
            return None
        value = value[step]
    return value


def _by_line(problem: VextirError) -> list[int]:
    return [int(number) for number in problem.where.split(":")[1:]]


def _problem(
    model: "type[BaseModel]", document: YamlDocument, whole: str, inside: Path, found: "ErrorDetails"
) -> VextirError:
    kind = found["type"]
    own = _real(at(document.value, inside), found["loc"], missing=kind == "missing")
    path = (*inside, *own)
    holder = _named(own[:-1], whole)
    if kind == "extra_forbidden":
        known = _keys(model, found["loc"][:-1])
        hint = did_you_mean(str(own[-1]), known) or f"The keys are: {', '.join(known)}"
        return ManifestError(
            f"unknown key {shown(str(own[-1]))} in {holder}", hint=hint, where=document.key_place(path)
        )
    if kind == "missing":
        return ManifestError(f"{holder} has no `{own[-1]}`", where=document.place(path[:-1]))
    what, hint = _told(_named(own, whole), kind, at(document.value, path), found)
    return ManifestError(what, hint=hint, where=document.place(path))


def _told(name: str, kind: str, written: Any, found: "ErrorDetails") -> tuple[str, str]:
    """Return what is wrong with a value, and a hint."""
    context: Mapping[str, Any] = found.get("ctx", {})
    if kind in _WANTED and _KINDS.get(type(written), "empty") != _WANTED[kind]:
        hint = "Quote it" if kind == "string_type" and isinstance(written, (bool, int, float)) else ""
        return f"{name} is {_KINDS.get(type(written), 'empty')}, not {_WANTED[kind]}", hint
    text = str(written).lower() if isinstance(written, bool) else str(written)
    given = f" {shown(text)}" if isinstance(written, (str, int, float)) else ""
    if kind == "literal_error":
        choices = _QUOTED.findall(str(context.get("expected", "")))
        known = ", ".join(f"`{choice}`" for choice in choices or [str(context.get("expected", "")).lower()])
        near = did_you_mean(str(written), choices) or f"It is one of {known}"
        return f"{name} is{given or ' something else'}, which is not known", near
    if kind == PROBLEM:
        return f"{name}{given} {context['what']}", str(context["hint"])
    said = found["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{name}{given}: {said[:1].lower()}{said[1:]}", ""


def _named(path: Path, whole: str) -> str:
    return f"`{'.'.join(map(str, path))}`" if path else whole


def _real(value: Any, steps: Iterable[str | int], *, missing: bool) -> Path:
    """Return the path without what pydantic adds to it: the names of the branches of unions."""
    every = tuple(steps)
    if not every:
        return ()
    *above, last = every
    path: list[str | int] = []
    for step in above:
        inner = at(value, (step,))
        if inner is not None or (isinstance(value, dict) and step in value):
            value = inner
            path.append(step)
    if missing or (isinstance(value, dict) and last in value) or (isinstance(value, list) and isinstance(last, int)):
        path.append(last)
    return tuple(path)


def _keys(model: "type[BaseModel]", steps: Iterable[str | int]) -> list[str]:
    """Return the keys that a mapping at this place may have."""
    models = [model]
    for step in steps:
        inner = [
            one
            for each in models
            if step in each.model_fields
            for one in _models(each.model_fields[str(step)].annotation)
        ]
        # A step that names no field is the branch of a union, or the index of an item: its models are there already.
        models = inner or models
    return list(dict.fromkeys(name for one in models for name in one.model_fields))


def _models(kind: Any) -> list["type[BaseModel]"]:
    from pydantic import BaseModel

    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in typing.get_args(kind) for model in _models(part)]
