"""Records as lines of a file that leaves the OS, and lines as records of what is over. Pure.

    {"schema": "vextir.record.v1", "v": 1, "status": "ok", "created": 1795200000.2, "event": {…CloudEvents, data…},
     "decision": {"effect": "allow", …}, "cancel": null, "acts": [],
     "runs": {"research.agent": {"state": "done", "rerun": 0, "output": {…}, "error": null, …}},
     "blobs": {"event": "<sha256>", "runs": {"research.agent": "<sha256>"}}}

`blobs` is there only where large data stands in files beside; else all stands in its line. A line comes from anywhere:
each member is looked at, and what it says of leases, outboxes or places in the store is nothing.
"""

from collections.abc import Mapping
from typing import Any, cast

from vextir_os.errors import InvalidEventError, UndecodableError, VextirError
from vextir_os.events import ids
from vextir_os.events.codec import from_item
from vextir_os.events.event import Event
from vextir_os.events.limits import RUNS_PER_RECORD
from vextir_os.events.names import check_type
from vextir_os.runs import shapes
from vextir_os.runs.acts import ACTS_KEPT
from vextir_os.runs.record import ActDoc, RunDoc, new_run, status

SCHEMA = "vextir.record.v1"
_VERSIONS = (1,)
_RUN = (
    "state", "attempt", "rerun", "takeovers", "fence", "output", "hashes", "steps", "decisions", "error", "started",
    "ended",
)  # fmt: skip
"""What of a run leaves the OS; its lease, owner and waits mean nothing elsewhere."""
_SOMETIMES = ("version", "began_with")
_OURS = ("lineage", "dataref")


def exported(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as a line, without what lies in blobs."""
    runs = {
        name: {key: run[key] for key in _RUN} | {key: run[key] for key in _SOMETIMES if key in run}
        for name, run in record["runs"].items()
    }
    left_out = {"left_out": record["left_out"]} if "left_out" in record else {}
    return {
        "schema": SCHEMA,
        "v": 1,
        "status": status(record),
        "created": record["created"],
        "event": {name: value for name, value in record["event"].items() if name not in _OURS},
        "decision": record["decision"],
        "cancel": record["cancel"],
        "acts": [{name: value for name, value in act.items() if name != "id"} for act in record.get("acts", ())],
        "runs": runs,
        **left_out,
    }


def check_line(line: Any) -> dict[str, Any]:
    """Return a line as the object that it has to be. Raises `UndecodableError`."""
    if type(line) is not dict or line.get("schema") != SCHEMA:
        raise UndecodableError(f"no line of an export: it has no `schema` {SCHEMA!r}")
    if line.get("v") not in _VERSIONS:
        raise UndecodableError(f"a line of version {str(line.get('v'))[:20]}", hint="Import it with a newer Vextir OS")
    return line


def is_over(line: Mapping[str, Any]) -> bool:
    """Whether nothing was left to do of an event when its line was written. Raises `UndecodableError`."""
    runs = _runs(line)
    if not all(map(shapes.is_final, runs.values())):
        return False
    return bool(runs) or (line.get("cancel") is not None or line.get("status") in ("denied", "unrouted"))


def event_of(line: Mapping[str, Any]) -> Event:
    """Return the event of a line as it says of itself. Raises what `from_item` does, and for one without an id."""
    if type(line.get("event")) is not dict:
        raise UndecodableError("no line of an export: it has no event")
    event = from_item({name: value for name, value in line["event"].items() if name not in _OURS})
    if not event.id or not event.source:
        raise InvalidEventError("the event of a line has no id or no source, so it cannot be known again")
    return event


def apart(line: Mapping[str, Any], driver: str = "") -> str | None:
    """Return the hash of the file that holds a line's data, or a driver's output; None when it stands in the line."""
    found = line.get("blobs")
    if type(found) is not dict:
        return None
    place = found.get("event") if not driver else (found.get("runs") or {}).get(driver)
    if place is None or type(place) is str:
        return place
    raise UndecodableError("`blobs` of a line names no hash")


def runs_of(line: Mapping[str, Any], *, now: float) -> dict[str, RunDoc]:
    """Return the runs of a line, all of them over; their outputs as they stand in it. Raises `UndecodableError`."""
    return {_driver(name): _run(name, run, now) for name, run in _runs(line).items()}


def decision_of(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the decision of a line. Raises `UndecodableError`."""
    decision: Any = line.get("decision")
    if shapes.is_decision(decision):
        return cast("dict[str, Any]", decision)
    raise UndecodableError("`decision` of a line is none that policy gives")


def cancel_of(line: Mapping[str, Any], *, now: float) -> dict[str, Any] | None:
    """Return the cancellation of a line, if any. Raises `UndecodableError`."""
    cancel: Any = line.get("cancel")
    if cancel is None or shapes.is_cancel(cancel, now):
        return cast("dict[str, Any] | None", cancel)
    raise UndecodableError("`cancel` of a line does not say who, when and why")


def acts_of(line: Mapping[str, Any], record_id: str, *, now: float) -> list[ActDoc]:
    """Return what people did, under ids of this line. Raises `UndecodableError`."""
    acts: Any = line.get("acts", [])
    if type(acts) is not list or len(acts) > ACTS_KEPT or not all(shapes.is_act(act, now) for act in acts):
        raise UndecodableError(f"`acts` of a line is no list of at most {ACTS_KEPT} acts")
    return [cast(ActDoc, {**act, "id": ids.derive("act", record_id, number)}) for number, act in enumerate(acts)]


def left_out_of(line: Mapping[str, Any]) -> dict[str, str]:
    """Return which drivers had no run, and why. Raises `UndecodableError`."""
    found: Any = line.get("left_out", {})
    if shapes.are_texts(found):
        return cast("dict[str, str]", found)
    raise UndecodableError("`left_out` of a line is no object of texts")


def created_of(line: Mapping[str, Any], *, now: float) -> float:
    """Return when the record of a line came into being. Raises `UndecodableError` for no time, or one to come."""
    created: Any = line.get("created")
    if shapes.is_time(created, now):
        return float(created)
    raise UndecodableError("`created` of a line is no time in the past")


def _runs(line: Mapping[str, Any]) -> dict[str, Any]:
    runs: Any = line.get("runs")
    if type(runs) is dict and len(runs) <= RUNS_PER_RECORD and all(type(run) is dict for run in runs.values()):
        return cast("dict[str, Any]", runs)
    raise UndecodableError(f"`runs` of a line is no object of at most {RUNS_PER_RECORD} runs")


def _driver(name: str) -> str:
    try:
        return check_type(name)
    except VextirError as error:
        raise UndecodableError(f"`runs` of a line names no driver: {error.what}") from None


def _run(name: str, run: Any, now: float) -> RunDoc:
    if not shapes.is_final(run):
        raise UndecodableError(f"the run of {name} is not over")
    if not shapes.is_run(run, now):
        raise UndecodableError(f"the run of {name} lacks a member, or one has a wrong type")
    empty = new_run(now=0.0, owner=None, lease_s=0.0, hashes={})
    kept = {key: run.get(key) for key in _RUN} | {key: run[key] for key in _SOMETIMES if key in run}
    return cast(RunDoc, {**empty, **kept})
