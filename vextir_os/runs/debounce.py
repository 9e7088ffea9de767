"""Events that follow one another closely, of which the last one runs; the document of one such row. Pure.

    {"v": 1, "id": "debounce~index~5c…", "pk": …, "kind": "debounce", "ttl": 172800,
     "latest": [1795200000.2, "acme~9f…"],
     "event_id": "e-7", "first": 1795199998.0, "until": 1795200005.2, "taken": null}

Events are ordered by the time at which they were recorded. Each one asks when it is recorded and once more when its
time is there; by then it is the last one and runs, or a later one stands in the document and takes its place.
"""

from typing import Literal, NamedTuple, TypedDict

from vextir_os.runs.slots import KEPT_S

Order = list[float | str]
"""When an event was recorded, and the id of its record: two at one moment differ in that."""


class DebounceDoc(TypedDict):
    """The last event of the row and since when the row lasts; `taken`: the last one that ran."""

    v: int
    id: str
    pk: str
    kind: Literal["debounce"]
    ttl: int
    latest: Order | None
    taken: Order | None
    event_id: str
    first: float
    until: float


class Settled(NamedTuple):
    """What becomes of an event: it runs, it waits until a time, or another one runs in its place."""

    go: bool = False
    at: float = 0.0
    superseded_by: str = ""


def no_row(name: str) -> DebounceDoc:
    """Return the document of this name before anybody has written it."""
    return {
        "v": 1, "id": name, "pk": name, "kind": "debounce", "ttl": KEPT_S * 2, "latest": None, "taken": None,
        "event_id": "", "first": 0.0, "until": 0.0,
    }  # fmt: skip


def settle(
    doc: DebounceDoc, order: Order, event_id: str, *, quiet_s: float, longest_s: float, now: float
) -> tuple[DebounceDoc, Settled]:
    """Ask what becomes of an event. Asked again by the same event it says the same, or what has come of it since.

    Args:
        doc: As it was read; never changed in place.
        order: The event's place among the others.
        event_id: Its id, to be named to those that it supersedes.
        quiet_s: How long nothing has to follow it.
        longest_s: How long after the first event of the row the last one runs, at the latest.
        now: Epoch seconds.
    """
    taken, latest = doc["taken"], doc["latest"]
    if taken is not None and order <= taken:
        return doc, Settled(go=True) if order == taken else Settled(superseded_by=doc["event_id"])
    if latest is not None and order < latest:
        return doc, Settled(superseded_by=doc["event_id"])
    if latest is None:
        doc = {**doc, "first": now, "until": now + min(quiet_s, longest_s)}
    elif order != latest:
        doc = {**doc, "until": min(now + quiet_s, doc["first"] + longest_s)}
    doc = {**doc, "latest": order, "event_id": event_id}
    if now < doc["until"]:
        return doc, Settled(at=doc["until"])
    return {**doc, "latest": None, "taken": order}, Settled(go=True)
