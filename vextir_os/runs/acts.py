"""What people may do to a record: cancel it, replay a dead run, set one aside. Pure.

Each asserts on the very copy that will be written (PROTOCOL 5), and leaves on the record who did it, when and why.
Whether somebody may is not asked here.
"""

from dataclasses import dataclass
from typing import Any, cast

from vextir_os.errors import RunStateError
from vextir_os.events.jsonio import dumps
from vextir_os.runs import ordering
from vextir_os.runs.record import FINAL, ActDoc, Do, RecordDoc, RunDoc, halts, new_record

ACTS_KEPT = 50
"""Acts that stand on one record; the oldest goes when there are more."""

UNKNOWN_TYPE = "vextir.unknown"
"""Type of an event that was cancelled before its record was there: reserved, so that nobody else's event has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Somebody asks for something.

    Attributes:
        id: Made for this one request, never used again.
        by: The principal, as the edge authenticated: `user:ann`.
        reason: Why, in their words; may be empty.
    """

    id: str
    by: str
    reason: str = ""


def is_own(record: RecordDoc, act: Act) -> bool:
    """Whether this very act stands on the record: then no answer was a lost answer."""
    return any(done["id"] == act.id for done in record.get("acts", ()))


def cancelled(record: RecordDoc, act: Act, *, now: float) -> tuple[RecordDoc, tuple[str, ...]]:
    """Return the record with every run that is not over cancelled, and which those are.

    Their fences rise, so nothing that goes on elsewhere lands any more. The outbox stays: what was committed before is
    still published. Steps that were begun and not answered are listed; whether they happened is not known.

    Raises:
        RunStateError: Nothing of it is left to cancel.
    """
    stopped = tuple(driver for driver, run in record["runs"].items() if run["state"] not in FINAL)
    if not stopped:
        raise RunStateError(f"event {record['event_id']} is over already: {_how(record)}", hint="Nothing was changed")
    runs = record["runs"]
    in_doubt = [
        {"run": driver, "n": step["n"], "name": step["name"]}
        for driver in stopped
        for step in runs[driver]["steps"]
        if step["state"] == "open"
    ]
    after: RecordDoc = {
        **record,
        "runs": {**runs, **{driver: _cancelled(runs[driver], now) for driver in stopped}},
        "cancel": {"by": act.by, "at": now, "reason": act.reason, "runs": [*stopped], "in_doubt": in_doubt},
    }
    return with_act(after, entry_of(act, "cancel", now)), stopped


def tombstone(*, id: str, pk: str, event: dict[str, Any], decision: dict[str, Any], act: Act, now: float) -> RecordDoc:  # noqa: A002
    """Return the record of an event that is cancelled before it was taken from the queue: nobody begins it then.

    Args:
        id: From `events.ids.record_id`.
        pk: From `events.ids.partition`.
        event: What is known of it: `id`, `source`, `tenantid`, `correlationid`.
        decision: By which policy it may be cancelled.
        act: Who cancels it.
        now: Epoch seconds.
    """
    known = {"specversion": "1.0", "type": UNKNOWN_TYPE, **event}
    record = new_record(
        id=id, pk=pk, event_id=event["id"], event_json=dumps(known), decision=decision, runs={}, now=now
    )
    record["cancel"] = {"by": act.by, "at": now, "reason": act.reason, "runs": [], "in_doubt": []}
    return with_act({**record, "event": known}, entry_of(act, "cancel", now))


def replayed(record: RecordDoc, driver: str, act: Act, *, rerun: int, now: float) -> RecordDoc:
    """Return the record with one run to be run again, under the next rerun and the next fence.

    The outbox stays: entries are named by their rerun. Signals of before are dropped once no other run waits for any.
    An ordered event goes to the end of its key, or stays at the head that it halts; its other drivers must be over.

    Args:
        record: The copy that is written.
        driver: Whose run.
        act: Who asks.
        rerun: The one that the person saw.
        now: Epoch seconds.

    Raises:
        RunStateError: The run is not over, or was replayed since, or set aside.
    """
    run = _seen(record, driver, rerun)
    if run["state"] not in FINAL:
        raise RunStateError(f"driver {driver} still goes on with event {record['event_id']}: it is {run['state']}")
    others_wait = any(other["state"] not in FINAL for name, other in record["runs"].items() if name != driver)
    runs = {**record["runs"], driver: _again(run)}
    after: RecordDoc = {**record, "cancel": None, "inbox": record["inbox"] if others_wait else []}
    if "key" not in record:
        after["runs"] = runs
    elif others_wait:
        raise RunStateError(
            f"event {record['event_id']} is ordered, and other drivers of it still go on: {_how(record)}",
            hint="Replay it when they are over",
        )
    else:
        after = ordering.replayed(after, runs)
    return with_act(after, {**entry_of(act, "replay", now), "run": driver, "rerun": rerun})


def discarded(record: RecordDoc, driver: str, act: Act, *, rerun: int, now: float) -> RecordDoc:
    """Return the record on which a person says that a dead run is not to be run again. Raises as `replayed` does.

    A key that it halts goes on.
    """
    run = _seen(record, driver, rerun)
    if run["state"] != "dead":
        raise RunStateError(f"driver {driver} is not dead for event {record['event_id']}: it is {run['state']}")
    return with_act(_let_go(record), {**entry_of(act, "discard", now), "run": driver, "rerun": rerun})


def edited(record: RecordDoc, driver: str, act: Act, *, rerun: int, event_id: str, now: float) -> RecordDoc:
    """Return the record on which a person's new event stands in for a dead run. Raises as `replayed` does.

    A key that it halts goes on.
    """
    _seen(record, driver, rerun)
    return with_act(_let_go(record), {**entry_of(act, "edit", now), "run": driver, "rerun": rerun, "event": event_id})


def with_act(record: RecordDoc, entry: ActDoc) -> RecordDoc:
    """Return the record with one act more."""
    return {**record, "acts": [*record.get("acts", ()), entry][-ACTS_KEPT:]}


def settled_by(record: RecordDoc, driver: str, rerun: int) -> ActDoc | None:
    """Return the act that has settled what becomes of a dead run: its replay, or that it was set aside."""
    for act in reversed(record.get("acts", ())):
        if act.get("run") == driver and act.get("rerun") == rerun:
            return act
    return None


def _seen(record: RecordDoc, driver: str, rerun: int) -> RunDoc:
    """Return the run that the person saw. Raises `RunStateError` when it is there no more."""
    run = record["runs"].get(driver)
    if run is None or run["rerun"] < rerun:
        raise RunStateError(f"event {record['event_id']} has no rerun {rerun} of driver {driver}")
    act = settled_by(record, driver, rerun)
    if act is not None:
        word = {"replay": "replayed", "edit": "replaced by another event", "discard": "discarded"}.get(act["do"], "")
        raise RunStateError(
            f"driver {driver} of event {record['event_id']} was {word} already, by {act['by']}",
            hint=f"Look at it: vextir runs show {record['event_id']}",
        )
    if run["rerun"] > rerun:
        # INVARIANT: a rerun is made once. A higher one is the own write or another's, never a reason for one more.
        raise RunStateError(
            f"driver {driver} of event {record['event_id']} was replayed already: it is at rerun {run['rerun']}",
            hint=f"Look at it: vextir runs show {record['event_id']}",
        )
    return run


def _let_go(record: RecordDoc) -> RecordDoc:
    return ordering.skipped(record) if halts(record) else record


def _again(run: RunDoc) -> RunDoc:
    # Without its version: whoever claims it takes the one that new events get now.
    left = cast(RunDoc, {name: value for name, value in run.items() if name not in ("version", "began_with")})
    return {
        **left,
        "state": "ready",
        "fence": run["fence"] + 1,
        "owner": None,
        "lease_until": None,
        "quiet_at": None,
        "takeovers": 0,
        "attempt": 0,
        "not_before": None,
        "wait": None,
        "rerun": run["rerun"] + 1,
        "output": None,
        "output_ref": None,
        "steps": [],
        "decisions": [],
        "error": None,
        "started": None,
        "ended": None,
    }


def _cancelled(run: RunDoc, now: float) -> RunDoc:
    return {
        **run,
        "state": "cancelled",
        "fence": run["fence"] + 1,
        "owner": None,
        "lease_until": None,
        "not_before": None,
        "wait": None,
        "ended": now,
    }


def entry_of(act: Act, do: Do, now: float) -> ActDoc:
    """Return what stands on a record of an act."""
    return {"id": act.id, "do": do, "by": act.by, "at": now, "reason": act.reason}


def _how(record: RecordDoc) -> str:
    if not record["runs"]:
        return "no driver has anything to do with it"
    return ", ".join(f"{driver} is {run['state']}" for driver, run in record["runs"].items())
