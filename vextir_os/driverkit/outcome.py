"""From what a driver returned to a `Result` of plain JSON and events. Pure: publishes nothing, sets no ids."""

import sys
from collections.abc import Coroutine, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from types import CoroutineType
from typing import Any

from vextir_os.driverkit.result import Result
from vextir_os.errors import EventError, InvalidEventError, InvalidOutputError, StormError, TooLargeError
from vextir_os.events.event import Event
from vextir_os.events.jsonio import check_json
from vextir_os.events.limits import EVENTS_PER_RUN, JSON_DEPTH
from vextir_os.events.names import is_reserved

_ALLOWED = (
    "Return nothing, an Event, a list of Events, an output (dict, list, text, number, bool, a pydantic model, "
    "a dataclass) or Result(output=..., events=[...])"
)


def normalise(returned: Any, driver: str) -> Result:
    """Return the output as plain JSON and the events as a tuple; event data that is a model becomes JSON as well.

    A list or tuple of Events is events; an empty list, like any list without Events, is an output.

    Args:
        returned: What the driver function returned.
        driver: Id of the driver, for messages.

    Raises:
        InvalidOutputError: It is none of the forms above, or some part of it is no JSON; the message names which.
        StormError: More events than one run may ever emit.
    """
    if type(returned) is dict:
        return Result(output=_json(returned, driver, "the output"))
    if returned is None:
        return Result()
    if isinstance(returned, Event):
        return Result(events=_events((returned,), driver))
    if isinstance(returned, Result):
        output = None if returned.output is None else _json(returned.output, driver, "the output")
        return Result(output=output, events=_events(returned.events, driver))
    if isinstance(returned, (list, tuple)) and _holds_events(returned, driver):
        return Result(events=_events(returned, driver))
    return Result(output=_json(returned, driver, "the output"))


def _holds_events(returned: Sequence[Any], driver: str) -> bool:
    count = sum(isinstance(item, Event) for item in returned)
    if count == len(returned) > 0:
        return True
    if count or isinstance(returned, tuple):
        kind = type(returned).__name__
        other = next((type(item).__name__ for item in returned if not isinstance(item, Event)), "nothing")
        what = f"a {kind} that mixes events with `{other}` values" if count else f"a {kind} without events"
        _close(returned)
        raise InvalidOutputError(f"driver `{driver}` returned {what}", hint=_ALLOWED)
    return False


def _events(events: Any, driver: str) -> tuple[Event, ...]:
    if not isinstance(events, (list, tuple)):
        what = f"driver `{driver}` returned a Result whose events are of type `{type(events).__name__}`"
        raise InvalidOutputError(what, hint="Write Result(events=[...])")
    if len(events) > EVENTS_PER_RUN:
        what = f"driver `{driver}` returned {len(events)} events, at most {EVENTS_PER_RUN} are allowed"
        hint = "Emit one event that names the rest, and let its driver go on"
        raise StormError(what, limit="max_fan_out", hint=hint)
    return tuple(_event(event, index, driver) for index, event in enumerate(events))


def _event(event: Any, index: int, driver: str) -> Event:
    if not isinstance(event, Event):
        _close([event])
        what = f"driver `{driver}` returned a Result whose events[{index}] is of type `{type(event).__name__}`"
        raise InvalidOutputError(what, hint="Write Event(type=..., data=...)")
    if is_reserved(event.type):
        what = f"driver `{driver}` returned an event of type `{event.type}`, which only the OS may publish"
        raise InvalidOutputError(what, hint="Choose a type outside `vextir.**`")
    data = _json(event.data, driver, f"the data of events[{index}] ({event.type})")
    return event if data is event.data else event.but(data=data)


def _json(value: Any, driver: str, what: str) -> Any:
    """Return a value as plain JSON: the value itself when it is that already, which is the common and quick case."""
    try:
        try:
            check_json(value)
        except InvalidEventError:
            value = _plain(value, 1)
            check_json(value)
    except (EventError, ValueError) as error:
        _close(value if isinstance(value, list) else [value])
        raise _no_json(value, driver, what, error) from error
    return value


def _no_json(value: Any, driver: str, what: str, error: Exception) -> InvalidOutputError:
    if isinstance(value, CoroutineType):
        return InvalidOutputError(
            f"driver `{driver}`: {what} is a coroutine that was not awaited",
            hint=f"Write `await {value.__name__}(...)`",
        )
    reason = error.what if isinstance(error, EventError) else f"not to be had as JSON: {error}"
    return InvalidOutputError(f"driver `{driver}`: {what} is {reason}", hint=_ALLOWED)


def _plain(value: Any, depth: int) -> Any:
    """Turn models, dataclasses and enums into JSON, wherever they stand; leave the rest for `check_json` to judge."""
    if depth > JSON_DEPTH:
        raise TooLargeError(f"nested deeper than {JSON_DEPTH} levels")
    if isinstance(value, dict):
        return {key: _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if _is_model(value):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, (type, Event, Result)):
        return {field.name: _plain(getattr(value, field.name), depth + 1) for field in fields(value)}
    return value


def _is_model(value: Any) -> bool:
    # Nothing can be a pydantic model while nobody has imported pydantic; so neither do we.
    pydantic = sys.modules.get("pydantic")
    return pydantic is not None and isinstance(value, pydantic.BaseModel)


def _close(values: Sequence[Any]) -> None:
    """Close coroutines that nobody will await; Python would warn of each at some later time, somewhere else."""
    for value in values:
        if isinstance(value, Coroutine):
            value.close()
