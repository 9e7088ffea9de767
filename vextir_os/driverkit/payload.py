"""Typed data: from a Python type to a validator and a JSON Schema. The only module of the kit that imports pydantic.

It does so inside a function: a driver without typed data, and the start of the OS, do not pay for it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vextir_os.errors import EventError, InvalidPayloadError
from vextir_os.events.event import Event
from vextir_os.events.jsonio import check_json

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_SHOWN_PROBLEMS = 10
_SHOWN_CHARS = 40
_PATH_CHARS = 80
_MESSAGE_CHARS = 200

Reader = Callable[[Event], Any]


def typed_reader(data_type: Any, driver: str) -> tuple[Reader, Mapping[str, Any]]:
    """Return a function that reads an event's data as this type, and the type's JSON Schema.

    The function raises InvalidPayloadError, with the path of each wrong field and at most 40 characters of each value.

    Args:
        data_type: Anything that pydantic's TypeAdapter takes: a model, a dataclass, a TypedDict, `dict[str, int]`.
        driver: Id of the driver, for messages.

    Raises:
        ValueError: Pydantic cannot validate this type, or it has no JSON Schema.
    """
    from pydantic import TypeAdapter, ValidationError
    from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(data_type)
        schema = adapter.json_schema()
        check_json(schema)
    except (PydanticUserError, PydanticUndefinedAnnotation, TypeError) as error:
        raise ValueError(str(error).strip().splitlines()[0]) from error
    except EventError as error:
        raise ValueError(f"its JSON Schema is {error.what}") from error
    validate = adapter.validate_python

    def read(event: Event) -> Any:
        try:
            return validate(event.data)
        except ValidationError as error:
            problems = error.errors(include_url=False)
            raise _does_not_fit(event, driver, problems) from None

    return read, schema


def _does_not_fit(event: Event, driver: str, problems: Sequence["ErrorDetails"]) -> InvalidPayloadError:
    lines = [_problem(problem) for problem in problems[:_SHOWN_PROBLEMS]]
    if len(problems) > _SHOWN_PROBLEMS:
        lines.append(f"and {len(problems) - _SHOWN_PROBLEMS} more")
    return InvalidPayloadError(
        f"the data of event {event.id or '(no id)'} ({event.type}) does not fit driver `{driver}`: {'; '.join(lines)}",
        hint="Send the event again with data that fits the driver's schema",
    )


def _problem(problem: "ErrorDetails") -> str:
    message = _cut(problem["msg"], _MESSAGE_CHARS)
    if problem["type"] == "union_tag_invalid":
        # Pydantic quotes the whole tag it found; the ones it wants say more.
        message = f"Input should have one of the tags {_cut(problem['ctx']['expected_tags'], _MESSAGE_CHARS)}"
    value = problem["input"]
    absent = problem["type"] == "missing" or isinstance(value, (dict, list))
    return f"{_path(problem['loc'])}: {message}" + ("" if absent else f", found {_cut(repr(value), _SHOWN_CHARS)}")


def _path(parts: Sequence[str | int]) -> str:
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return _cut(path, _PATH_CHARS) or "the data"


def _cut(text: str, chars: int) -> str:
    """Shorten text from outside and leave nothing in it that a terminal or a log would obey."""
    short = text if len(text) <= chars else text[: chars - 1] + "…"
    return short if short.isprintable() else "".join(char if char.isprintable() else "�" for char in short)
