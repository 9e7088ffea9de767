"""Ordered keys: the document that says who of a key is next, and the changes that a record makes for it. Pure.

    {"v": 1, "id": "acme~key~77ab…", "pk": "acme~key~77ab…", "kind": "key", "head": 1795200000123,
     "list": [{"id": "acme~9f2c…", "pk": "acme~corr-7", "turn": 0}]}

`head` is the ticket of `list[0]`, the one that may run; who enters gets the ticket head + length. The document alone
says who is next: entering and leaving are conditional on it, so one of two that meet sees the other.

A record is in line with its runs `queued`. Two entries of its outbox keep it from being forgotten: `enrol`, from its
creation until it is at the head, or has seen that somebody living is; and `move`, from the write that made it final
until it has left the list. While one of them stands, the record is due.
"""

from typing import Any, Literal, NotRequired, TypedDict

from vextir_os.driverkit.manifest import OnPoison
from vextir_os.errors import LostRunError
from vextir_os.runs.record import FINAL, OutboxEntry, RecordDoc, RunDoc, halts

WAITING = 1_000
"""Events in the list of one key, at most; further ones wait in the queue."""

_RETENTION_S = 90 * 86_400


class Place(TypedDict):
    """One record in the list; the same record replayed has another turn."""

    id: str
    pk: str
    turn: int


class KeyDoc(TypedDict):
    """Who of a key is next. `ttl` in seconds, while nobody is in the list."""

    v: int
    id: str
    pk: str
    kind: Literal["key"]
    head: int
    list: list[Place]
    ttl: NotRequired[int]


def new_key(key: str, *, now: float) -> KeyDoc:
    """Return the document of a key that has none. Its tickets are over those of one that expired: they begin at now.

    Args:
        key: From `events.ids.key_id`.
        now: Epoch seconds.
    """
    return {
        "v": 1, "id": key, "pk": key, "kind": "key", "head": int(now * 1_000), "list": [], "ttl": _RETENTION_S
    }  # fmt: skip


def entered(doc: KeyDoc, place: Place) -> KeyDoc:
    """Return the document with this place as its last."""
    return _listed(doc, doc["head"], [*doc["list"], place])


def left(doc: KeyDoc) -> KeyDoc:
    """Return the document without its head: the next ticket is up."""
    return _listed(doc, doc["head"] + 1, doc["list"][1:])


def is_older(doc: KeyDoc, ticket: int) -> bool:
    """Whether the document was read before the holder of this ticket was at its head: an old copy."""
    return doc["head"] < ticket or doc["head"] + len(doc["list"]) <= ticket


def place_of(record: RecordDoc) -> Place:
    """Return the place of a record's present turn."""
    return {"id": record["id"], "pk": record["pk"], "turn": record["key"]["turn"]}


def in_line(record: RecordDoc, key: str, on_poison: OnPoison) -> RecordDoc:
    """Return a new record as it enters the line of its key: nothing of it is claimable, and it has yet to enrol."""
    runs: dict[str, RunDoc] = {driver: {**run, "fence": 0} for driver, run in record["runs"].items()}
    return _lined_up({**record, "key": {"name": key, "turn": 0, "n": None, "on_poison": on_poison}}, runs)


def replayed(record: RecordDoc, runs: dict[str, RunDoc]) -> RecordDoc:
    """Return a record of which a person replays a run, as its key allows it. Give a knock with the write.

    It goes to the end of its key: others have taken effect since. But a head that halts its key has been overtaken by
    nobody, so it is tried again in its place.

    Args:
        record: All its runs are final.
        runs: All its runs; those that are to run again are `ready`, under their next fence and rerun.
    """
    if halts(record):
        return {**record, "runs": runs}
    turn = record["key"]["turn"] + 1
    return _lined_up({**record, "key": {**record["key"], "turn": turn, "n": None}}, runs)


def skipped(record: RecordDoc) -> RecordDoc:
    """Return a record that is dead and halts its key, as a person lets the key go on; the write adds its move entry."""
    return {**record, "key": {**record["key"], "n": None}}


def is_over(record: RecordDoc) -> bool:
    """Whether the record's turn is over, so that the next of its key may begin."""
    return all(run["state"] in FINAL for run in record["runs"].values()) and not halts(record)


def is_waiting(record: RecordDoc) -> bool:
    """Whether the record waits for its turn."""
    return any(run["state"] == "queued" for run in record["runs"].values())


def made_ready(record: RecordDoc, ticket: int) -> RecordDoc:
    """Return the record at the head of its key, its runs ready and its enrol entry gone.

    Raises:
        LostRunError: It does not wait any more.
    """
    if not is_waiting(record):
        raise LostRunError(f"record {record['id']} does not wait for its turn")
    runs: dict[str, RunDoc] = {
        driver: {**run, "state": "ready"} if run["state"] == "queued" else run for driver, run in record["runs"].items()
    }
    return {
        **record,
        "runs": runs,
        "key": {**record["key"], "n": ticket},
        "outbox": [entry for entry in record["outbox"] if entry["do"] != "enrol"],
    }


def with_move(before: RecordDoc, after: RecordDoc) -> RecordDoc:
    """Return the copy that is written; with a move entry as its last, when this write ends the record's turn.

    Its other entries come first: what it emits is published before the next of its key begins.
    """
    ticket = before["key"]["n"]
    if ticket is None or is_over(before) or not is_over(after):
        return after
    return {**after, "outbox": [*after["outbox"], _entry("move", after["key"]["turn"], ticket)]}


def taken_out(record: RecordDoc, ticket: int) -> RecordDoc:
    """Return a record that was over before its turn came: its enrol entry becomes a move entry.

    With the one removed alone, a crash before it has left the list would leave a final head that nobody looks at.

    Raises:
        LostRunError: There is no enrol entry, or the record is not over.
    """
    if enrolment(record) is None or not is_over(record):
        raise LostRunError(f"record {record['id']} has nothing to be taken out")
    others = [entry for entry in record["outbox"] if entry["do"] != "enrol"]
    return {**record, "outbox": [*others, _entry("move", record["key"]["turn"], ticket)]}


def enrolment(record: RecordDoc) -> OutboxEntry | None:
    """Return the enrol entry of the record's turn, None when there is none any more."""
    return next((entry for entry in record["outbox"] if entry["do"] == "enrol"), None)


def moves(record: RecordDoc) -> list[OutboxEntry]:
    """Return the move entries; `n` is the ticket under which the record was at the head."""
    return [entry for entry in record["outbox"] if entry["do"] == "move"]


def entries(record: RecordDoc) -> list[OutboxEntry]:
    """Return what the outbox holds for the order of the key."""
    return [entry for entry in record["outbox"] if entry["do"] in ("enrol", "move")]


def _lined_up(record: RecordDoc, runs: dict[str, RunDoc]) -> RecordDoc:
    others = [entry for entry in record["outbox"] if entry["do"] != "enrol"]
    return {**record, "runs": _queued(runs), "outbox": [*others, _entry("enrol", record["key"]["turn"], 0)]}


def _queued(runs: dict[str, RunDoc]) -> dict[str, RunDoc]:
    return {driver: run if run["state"] in FINAL else _waiting(run) for driver, run in runs.items()}


def _waiting(run: RunDoc) -> RunDoc:
    return {**run, "state": "queued", "owner": None, "lease_until": None, "not_before": None, "started": None}


def _entry(do: Literal["enrol", "move"], turn: int, n: int) -> OutboxEntry:
    # Tickets are milliseconds since the epoch, so no move entry is named like an enrol entry.
    return {"n": n, "run": "", "rerun": turn, "do": do}


def _listed(doc: KeyDoc, head: int, places: list[Place]) -> KeyDoc:
    changed: dict[str, Any] = {**doc, "head": head, "list": places}
    changed.pop("ttl", None)
    if not places:
        changed["ttl"] = _RETENTION_S
    return changed  # type: ignore[return-value]  # the same document, with or without its ttl
