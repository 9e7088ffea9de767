"""What the frames say: the call, the answer, the failure, as JSON and back. Pure.

The process's side of it is written by code that may be hostile: whatever comes from there is checked in every part, and
gives an error that ends the process, never an exception of another kind.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, get_args

from vextir_os.driverkit.context import Context
from vextir_os.driverkit.result import Result
from vextir_os.errors import InvalidEventError, Kind
from vextir_os.events import codec, jsonio
from vextir_os.events.codec_fields import from_own
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.isolation.frames import MalformedError
from vextir_os.runs.failure import ReportedFailure
from vextir_os.runs.transitions import Failure

_EVENT = {field.name: field.default for field in fields(Event)}
_DETAIL = {"class": 200, "code": 20, "kind": 20, "message": 2_000, "traceback": 8_000}
_LOG_CHARS = 8_000


def call_json(call: int, event: Event, ctx: Context) -> bytes:
    """Return the frame's body that asks for one turn: `{"call": 7, "event": {…}, "ctx": {…}}`."""
    who = ctx.principal
    context = {
        "driver": ctx.driver,
        "event_id": ctx.event_id,
        "principal": [who.kind, who.id, who.tenant, who.roles, who.max_priority],
        "attempt": ctx.attempt,
        "rerun": ctx.rerun,
        "now": ctx.now.timestamp(),
        "traceparent": ctx.traceparent,
    }
    # Not as it travels on the queue: data that was too large for that is here by now.
    return jsonio.dumps({"call": call, "event": codec.to_dict(event), "ctx": context})


def event_of(message: Mapping[str, Any]) -> Event:
    """Return the event of a call, in the process."""
    fields = dict(message["event"])
    del fields["specversion"]
    return from_own(fields)


def principal_of(context: Mapping[str, Any]) -> Principal:
    """Return on whose behalf a call is, in the process."""
    kind, name, tenant, roles, max_priority = context["principal"]
    return Principal(kind=kind, id=name, tenant=tenant, roles=tuple(roles), max_priority=max_priority)


def result_json(call: int, result: Result, most_bytes: int) -> bytes:
    """Return the answer of a turn that ended well; the result has been normalised, `most_bytes` is what was held."""
    events = [_event_json(event) for event in result.events]
    return jsonio.dumps({"call": call, "output": result.output, "events": events, "bytes": most_bytes})


def failure_json(call: int, failure: Failure) -> bytes:
    """Return the answer of a turn that failed."""
    said = {"kind": failure.kind, "retry_after_s": failure.retry_after_s, "detail": dict(failure.detail)}
    return jsonio.dumps({"call": call, "failure": said})


def result_of(message: Mapping[str, Any]) -> Result:
    """Return the result that an answer holds. Its events are checked like any that a driver makes.

    Raises:
        ReportedFailure: It is that of a turn that failed.
        MalformedError: It is no answer.
    """
    if "failure" in message:
        raise ReportedFailure(failure_of_json(message["failure"]))
    events = message.get("events")
    if type(events) is not list:
        raise MalformedError("an answer without events")
    return Result(output=message.get("output"), events=tuple(map(_event_of, events)))


def failure_of_json(said: Any) -> Failure:
    """Return the failure that an answer holds, each text cut to its length. Raises `MalformedError`."""
    detail = said.get("detail") if type(said) is dict else None
    kinds: tuple[Kind, ...] = get_args(Kind)
    kind = next((kind for kind in kinds if type(said) is dict and kind == said.get("kind")), None)
    if type(detail) is not dict or kind is None:
        raise MalformedError("a failure of no kind")
    after: Any = said.get("retry_after_s")
    named = type(after) in (int, float) and math.isfinite(after) and after >= 0
    return Failure(kind=kind, detail=_detail(detail) | {"kind": kind}, retry_after_s=float(after) if named else None)


def log_of(message: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return text and fields of a log line. Raises `MalformedError`."""
    text, said = message.get("log"), message.get("fields")
    if type(text) is not str or type(said) is not dict:
        raise MalformedError("a log line without text")
    return text[:_LOG_CHARS], said


def note_of(message: Mapping[str, Any]) -> str:
    """Return the note of a heartbeat. Raises `MalformedError`."""
    note = message.get("beat")
    if type(note) is not str:
        raise MalformedError("a heartbeat whose note is no text")
    return note


def _detail(detail: Mapping[str, Any]) -> dict[str, str]:
    cut = {}
    for name, most in _DETAIL.items():
        text = detail.get(name)
        cut[name] = "" if not isinstance(text, str) else text[-most:] if name == "traceback" else text[:most]
    return cut


def _event_json(event: Event) -> dict[str, Any]:
    said = {name: getattr(event, name) for name, default in _EVENT.items()}
    said = {name: value for name, value in said.items() if value != _EVENT[name] and value is not None}
    if event.time is not None:
        said["time"] = event.time.isoformat()
    if "extensions" in said:
        said["extensions"] = dict(event.extensions)
    return said


def _event_of(said: Any) -> Event:
    if type(said) is not dict or not said.keys() <= _EVENT.keys():
        raise MalformedError("an event that is none")
    try:
        labels, time = said.get("labels", ()), said.get("time")
        given = said | {
            "labels": tuple(labels) if isinstance(labels, Sequence) else labels,
            "time": None if time is None else datetime.fromisoformat(time),
        }
        return Event(**given)
    except (InvalidEventError, TypeError, ValueError) as error:
        raise MalformedError("an event that is none") from error
