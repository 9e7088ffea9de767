"""How an event becomes the arguments of a driver: worked out once, when the driver is declared, used at each call.

A parameter is bound by its annotation (`Event`, `Context`, any other type = the data), else by its name (`event`,
`ctx`, `data`). A parameter with a default and another name is left alone. Pydantic is imported only for typed data.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal, TypeGuard

from vextir_os.driverkit.context import Context
from vextir_os.driverkit.payload import typed_reader
from vextir_os.errors import ManifestError, did_you_mean
from vextir_os.events.event import Event

Slot = Literal["event", "ctx", "data"]
_SLOTS: tuple[Slot, ...] = ("event", "ctx", "data")
_UNKNOWN = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The plan of a call.

    Attributes:
        positional: What goes into the parameters that take a position, in their order.
        keyword: What goes into the keyword-only parameters, by name.
        read: Turns an event into the value of the typed data parameter; None where the data is handed over as it is.
        schema: JSON Schema of the typed data.
    """

    positional: tuple[Slot, ...]
    keyword: tuple[tuple[str, Slot], ...]
    read: Callable[[Event], Any] | None
    schema: Mapping[str, Any] | None

    def starter(self, function: Callable[..., Any]) -> Callable[[Event, Context], Any]:
        """Return `(event, context) -> what the function returns`; reads typed data first, which may raise."""
        if self.positional == ("event", "ctx") and not self.keyword:
            return function
        positional, keyword, read = self.positional, self.keyword, self.read

        def start(event: Event, ctx: Context) -> Any:
            values = {"event": event, "ctx": ctx, "data": read(event) if read else event.data}
            return function(*[values[slot] for slot in positional], **{name: values[slot] for name, slot in keyword})

        return start


def bind(
    function: Callable[..., Any], *, driver: str, where: str, names: Mapping[str, Any], method: bool = False
) -> Binding:
    """Work out the plan of a driver function.

    Args:
        function: The function; its own annotations may be texts.
        driver: Id of the driver, for messages.
        where: File and line, for messages.
        names: Local names around the declaration, for annotations that are texts.
        method: Whether its first parameter is the instance, which is bound already when the plan is carried out.

    Raises:
        ManifestError: A parameter cannot be bound, two want the same, or its type cannot be validated.
    """

    def problem(what: str, hint: str) -> ManifestError:
        return ManifestError(f"driver `{driver}`: {what}", hint=hint, where=where)

    positional: list[Slot] = []
    keyword: list[tuple[str, Slot]] = []
    bound: dict[Slot, str] = {}
    data_type: Any = Any
    for name, parameter in list(inspect.signature(function).parameters.items())[method:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise problem(f"parameter `{stars}{name}` takes anything", "Name what the driver needs: event, ctx, data")
        if parameter.default is not parameter.empty and name not in _SLOTS:
            continue
        kind = _resolved(function, parameter, names)
        slot = _slot(name, kind, problem)
        if slot in bound:
            raise problem(f"parameters `{bound[slot]}` and `{name}` are both the {slot}", "Keep one of them")
        bound[slot] = name
        if slot == "data":
            if kind is _UNKNOWN:
                what = f"the type `{parameter.annotation}` of parameter `{name}` is not known here"
                raise problem(what, "Define it above the driver, and import it at run time, not under TYPE_CHECKING")
            data_type = kind
        if parameter.kind is parameter.KEYWORD_ONLY:
            keyword.append((name, slot))
        else:
            positional.append(slot)
    try:
        read, schema = (None, None) if data_type is Any else typed_reader(data_type, driver)
    except ValueError as error:
        raise problem(f"parameter `{bound['data']}`: {error}", "Use a type that pydantic can validate") from error
    return Binding(positional=tuple(positional), keyword=tuple(keyword), read=read, schema=schema)


def _slot(name: str, kind: Any, problem: Callable[[str, str], ManifestError]) -> Slot:
    if kind is Event:
        return "event"
    if _is_context(kind):
        return "ctx"
    if name in ("event", "ctx"):
        if kind is Any or kind is _UNKNOWN:
            return "event" if name == "event" else "ctx"
        own = "Event" if name == "event" else "Context"
        raise problem(
            f"parameter `{name}` is annotated `{getattr(kind, '__name__', kind)}`",
            f"Annotate it `{own}`, or name it `data` if the event's data is meant",
        )
    if name != "data" and kind is Any:
        hint = did_you_mean(name, _SLOTS) or "Annotate it with the type of the event's data"
        raise problem(f"parameter `{name}` has no type and is none of `event`, `ctx`, `data`", hint)
    return "data"


def _is_context(kind: Any) -> TypeGuard[type[Context]]:
    return inspect.isclass(kind) and Context in kind.__mro__


def _resolved(function: Callable[..., Any], parameter: inspect.Parameter, names: Mapping[str, Any]) -> Any:
    """Return the type of a parameter: Any when it has none, `_UNKNOWN` when its text names nothing known."""
    annotation = parameter.annotation
    if annotation is parameter.empty:
        return Any
    if not isinstance(annotation, str):
        return annotation
    # Not inspect.get_annotations: there a return type known to the type checker alone would fail the driver.
    holder = SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, function.__globals__, dict(names), include_extras=True)["it"]
    except (NameError, AttributeError, SyntaxError, TypeError):
        return _UNKNOWN
