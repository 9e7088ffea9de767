"""The record of an event: its shape, and what can be read from it. Pure: no clock, no store, no random source.

The layout is the protocol's (docs/architecture.md, "The record"). A record is a JSON document; the functions here and
in `transitions` never change one in place, they return a new one.

    {"v": 1, "id": "acme~9f2c…", "pk": "acme~<correlation id>", "kind": "event", "event_id": "0192…",
     "created": 1795200000.2, "due": 1795200047.2, "lanes": ["batch"], "event": {…CloudEvents…},
     "decision": {"effect": "allow", …}, "cancel": null, "inbox": [],
     "runs": {"research.agent": {"state": "running", "fence": 1, …}}, "outbox": []}
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NotRequired, TypedDict

from vextir_os.driverkit.manifest import OnPoison
from vextir_os.events.jsonio import Raw

State = Literal["ready", "running", "retry", "parked", "held", "queued", "done", "dead", "cancelled"]
FINAL: frozenset[str] = frozenset({"done", "dead", "cancelled"})

Lane = Literal["batch", "high", "slow"]
"""Where a run may be executed; knocks for it go there. What belongs where: see `lanes`."""

Status = Literal["ok", "running", "waiting", "queued", "failed", "denied", "cancelled", "unrouted"]
"""What a person reads; the protocol's states are finer."""

EVENTS = "events"
"""Container of the records."""

DEAD_LETTERS = "deadletters"
"""Container of what could not be decoded, and of runs that failed for good."""

STATE = "state"
"""Container of what is kept beside the records: the documents of ordered keys, idempotency keys."""

CLOCK_SKEW_S = 2.0
"""Nothing is compared finer than this: store times may have whole seconds."""

OUTBOX_DUE_S = 15.0
"""After this time somebody else may publish what a commit left in the outbox, or knock for a run that is ready."""

AGAIN_S = 60.0
LONGEST_AGAIN_S = 3_600.0
"""Between two knocks of the sweep at one record: at least, and at most where its runs only wait to be begun."""

_RESTING = FINAL | {"ready"}


class WaitDoc(TypedDict):
    """What a run that is ready waits for: `on` names it, as `driver:mail.send`; `reason` is what people read."""

    on: str
    reason: str


class RunDoc(TypedDict):
    """One driver's state inside a record. Times are epoch seconds of the store's clock.

    `version` is the driver's it goes on with; `began_with` an older one that is not installed any more. `lane` is left
    out for `batch`. A run that is `ready` may have a `not_before`: somebody looks at it then, at the
    latest; it is no condition for a claim.
    """

    lane: NotRequired[Lane]
    version: NotRequired[str]
    began_with: NotRequired[str]
    state: State
    fence: int
    owner: str | None
    lease_until: float | None
    quiet_at: float | None
    takeovers: int
    attempt: int
    not_before: float | None
    wait: dict[str, Any] | None
    rerun: int
    output: Any
    output_ref: str | None
    hashes: dict[str, str]
    steps: list[dict[str, Any]]
    decisions: list[dict[str, Any]]
    error: dict[str, Any] | None
    started: float | None
    ended: float | None


class OutboxEntry(TypedDict):
    """Something that a committed run has still to do, named by (run, rerun, n)."""

    n: int
    run: str
    rerun: int
    do: Literal["emit", "put", "enrol", "move"]
    event: NotRequired[Any]
    container: NotRequired[str]
    doc: NotRequired[dict[str, Any]]


Do = Literal["cancel", "replay", "edit", "discard", "import"]
"""What a person can do to a record."""


class ActDoc(TypedDict):
    """What a person did to a record, in epoch seconds; `run`, `rerun` and `event` where they are about one.

    `id` is made for one request: by it whoever asked knows the own write again after a lost answer.
    """

    id: str
    do: Do
    by: str
    at: float
    reason: str
    run: NotRequired[str]
    rerun: NotRequired[int]
    event: NotRequired[str]


class KeyPart(TypedDict):
    """What an ordered event's record says of its key: see `runs.ordering`.

    `name` is the id of the key's document, `turn` rises with each replay, `n` is the ticket under which the record
    holds the head of its key, None before.
    """

    name: str
    turn: int
    n: int | None
    on_poison: OnPoison


class RecordDoc(TypedDict):
    """The one document of an event. Without `due` it is finished; then `ttl` counts its retention in seconds.

    `left_out` says of drivers that handle its type and have no run why not.
    """

    v: int
    id: str
    pk: str
    kind: Literal["event"]
    event_id: str
    created: float
    event: Any
    decision: dict[str, Any]
    cancel: dict[str, Any] | None
    inbox: list[dict[str, Any]]
    runs: dict[str, RunDoc]
    outbox: list[OutboxEntry]
    left_out: NotRequired[dict[str, str]]
    acts: NotRequired[list[ActDoc]]
    key: NotRequired[KeyPart]
    due: NotRequired[float]
    lanes: NotRequired[list[Lane]]
    waits: NotRequired[list[str]]
    ttl: NotRequired[int]


def new_run(
    *,
    now: float,
    owner: str | None,
    lease_s: float,
    hashes: Mapping[str, str],
    lane: Lane = "batch",
    look_at: float | None = None,
    wait: WaitDoc | None = None,
    version: str = "",
) -> RunDoc:
    """Return a run as admit creates it: claimed under fence 1 with an owner, else ready under fence 0.

    Args:
        now: Epoch seconds.
        owner: Who has claimed it; None for a run that this worker may not execute.
        lease_s: How long the claim holds, in seconds.
        hashes: Of the code, by name.
        lane: Where it may be executed.
        look_at: When somebody looks at a run that is ready, at the latest; None for now.
        wait: What a run that is ready waits for.
        version: The driver's.
    """
    claimed = owner is not None
    run: RunDoc = {
        "state": "running" if claimed else "ready",
        "fence": 1 if claimed else 0,
        "owner": owner,
        "lease_until": now + lease_s if claimed else None,
        "quiet_at": None,
        "takeovers": 0,
        "attempt": 0,
        "not_before": look_at,
        "wait": None if wait is None else {**wait},
        "rerun": 0,
        "output": None,
        "output_ref": None,
        "hashes": dict(hashes),
        "steps": [],
        "decisions": [],
        "error": None,
        "started": now if claimed else None,
        "ended": None,
    }
    if lane != "batch":
        run["lane"] = lane
    if version:
        run["version"] = version
    return run


def new_record(
    *,
    id: str,  # noqa: A002
    pk: str,
    event_id: str,
    event_json: bytes,
    decision: dict[str, Any],
    runs: dict[str, RunDoc],
    now: float,
) -> RecordDoc:
    """Return the record that admit creates, without `due` and `ttl`: see `with_due`.

    Args:
        id: From `events.ids.record_id`.
        pk: From `events.ids.partition`.
        event_id: The event's own id, for look-ups.
        event_json: The event as CloudEvents JSON; goes into the record as it stands.
        decision: What policy answered, as `Decision.to_json` gives it.
        runs: One per routed driver; none when denied or unrouted.
        now: Epoch seconds.
    """
    return {
        "v": 1,
        "id": id,
        "pk": pk,
        "kind": "event",
        "event_id": event_id,
        "created": now,
        "event": Raw(event_json),
        "decision": decision,
        "cancel": None,
        "inbox": [],
        "runs": runs,
        "outbox": [],
    }


def with_due(record: RecordDoc, *, now: float, retention_s: int) -> RecordDoc:
    """Set `due` and `lanes` from the runs and the outbox; when nothing is left to do, set `ttl` instead.

    `due` is an index for the sweep, never a condition for a worker. Changes the dict it is given, which its caller
    has just made.
    """
    record.pop("due", None)
    record.pop("lanes", None)
    record.pop("waits", None)
    record.pop("ttl", None)
    unfinished = [run for run in record["runs"].values() if run["state"] not in FINAL]
    moments, lanes, waits = [], [], []
    for run in unfinished:
        moment = _run_due(run, now)
        if moment is not None:
            moments.append(moment)
            lanes.append(run.get("lane", "batch"))
            if run["wait"] is not None and "on" in run["wait"]:
                waits.append(run["wait"]["on"])
    if record["outbox"]:
        moments.append(now + OUTBOX_DUE_S)
        lanes.append("batch")
    if moments:
        record["due"] = min(moments)
        record["lanes"] = lanes if len(lanes) == 1 else sorted(set(lanes))
        if waits:
            record["waits"] = waits
    elif not unfinished and not halts(record):
        # A run that is held has no time at which anybody must look, and is not over either.
        record["ttl"] = retention_s
    return record


def _run_due(run: RunDoc, now: float) -> float | None:
    match run["state"]:
        case "running":
            return (run["lease_until"] or now) + CLOCK_SKEW_S
        case "ready":
            return now if run["not_before"] is None else run["not_before"]
        case "retry":
            return run["not_before"]
        case "parked":
            until: float | None = (run["wait"] or {}).get("until")
            return until
        case _:
            return None


def again_s(record: RecordDoc, *, now: float) -> float:
    """Return after how many seconds the sweep knocks again at a record that it has knocked at.

    A record whose runs all wait to be begun is looked at at growing distances, so that a long line costs few looks.
    """
    if record["outbox"] or any(run["state"] not in _RESTING for run in record["runs"].values()):
        return AGAIN_S
    return min(max(AGAIN_S, now - record["created"]), LONGEST_AGAIN_S)


def is_finished(record: RecordDoc) -> bool:
    """Whether nothing can happen to the record any more, short of a person's replay."""
    return not record["outbox"] and all(run["state"] in FINAL for run in record["runs"].values())


def halts(record: RecordDoc) -> bool:
    """Whether the record is dead at the head of its key, and the key waits until a person has answered."""
    if "key" not in record or record["key"]["on_poison"] != "halt" or record["key"]["n"] is None:
        return False
    states = {run["state"] for run in record["runs"].values()}
    return "dead" in states and states <= FINAL


def claimable(run: RunDoc, *, now: float) -> bool:
    """Whether a worker may claim the run at this time. Whether it may *execute* it is its own matter."""
    match run["state"]:
        case "ready":
            return True
        case "retry":
            return (run["not_before"] or 0.0) <= now
        case "running":
            return (run["lease_until"] or 0.0) + CLOCK_SKEW_S < now
        case "parked":
            until = (run["wait"] or {}).get("until")
            return until is not None and until <= now
        case _:
            return False


def status(record: Mapping[str, Any]) -> Status:
    """Return the one word a person reads for a record."""
    effect = record["decision"]["effect"]
    states = {run["state"] for run in record["runs"].values()}
    if effect == "deny":
        return "denied"
    if not states:
        if record["cancel"] is not None:
            return "cancelled"
        return "unrouted" if effect == "allow" else "waiting"
    for word, members in _WORDS:
        if states & members:
            return word
    return "ok"


_WORDS: tuple[tuple[Status, frozenset[str]], ...] = (
    ("failed", frozenset({"dead"})),
    ("running", frozenset({"running"})),
    ("waiting", frozenset({"parked", "held"})),
    ("queued", frozenset({"ready", "retry", "queued"})),
    ("cancelled", frozenset({"cancelled"})),
)


def run_status(run: Mapping[str, Any]) -> Status:
    """Return the one word a person reads for a run."""
    return status({"decision": {"effect": "allow"}, "cancel": None, "runs": {"": run}})


def remove_applied(record: RecordDoc, applied: Iterable[OutboxEntry]) -> RecordDoc:
    """Return the record without exactly these outbox entries; those that are gone already do not matter."""
    gone = {(entry["run"], entry["rerun"], entry["n"]) for entry in applied}
    left = [entry for entry in record["outbox"] if (entry["run"], entry["rerun"], entry["n"]) not in gone]
    return {**record, "outbox": left}
