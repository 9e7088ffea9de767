"""The one run of a driver that may go on for one value of a key; the document that names it. Pure.

    {"v": 1, "id": "singleton~sync~5c…", "pk": …, "kind": "singleton", "ttl": 172800, "evicting": [],
     "holder": {"id": "acme~9f…", "pk": "acme~corr-7", "event_id": "e-7", "order": [1795200000.2, "acme~9f…"],
                "owner": "5d1f0c22ab90e3f4.1c", "until": 1795200077.2}}

The holder is named from its first attempt to its end, between attempts too. Who takes its place leaves it under
`evicting` until its run is cancelled, so that a crash in between leaves nobody running beside.
"""

from typing import Literal, NamedTuple, TypedDict

from vextir_os.driverkit.flow import Singleton
from vextir_os.runs.debounce import Order
from vextir_os.runs.slots import KEPT_S


class Holder(TypedDict):
    """Who goes on: its record and event, the delivery that runs it (None between attempts), and until when at most."""

    id: str
    pk: str
    event_id: str
    order: Order
    owner: str | None
    until: float


class SingletonDoc(TypedDict):
    """The holder, and those whose runs are still to be cancelled, as id and pk of their records."""

    v: int
    id: str
    pk: str
    kind: Literal["singleton"]
    ttl: int
    holder: Holder | None
    evicting: list[list[str]]


class Held(NamedTuple):
    """What became of asking: `by` names the other event, `evicting` those to be cancelled before this one begins."""

    answer: Literal["go", "taken", "skip", "superseded", "wait"]
    by: str = ""
    evicting: tuple[tuple[str, str], ...] = ()


def nobody(name: str) -> SingletonDoc:
    """Return the document of this name before anybody has written it."""
    return {
        "v": 1, "id": name, "pk": name, "kind": "singleton", "ttl": KEPT_S * 2, "holder": None, "evicting": []
    }  # fmt: skip


def hold(
    doc: SingletonDoc, me: Holder, *, instead_of: str | None, mode: Singleton, begun: bool, now: float
) -> tuple[SingletonDoc, Held]:
    """Ask to be the one that goes on.

    Args:
        doc: As it was read; never changed in place.
        me: Who asks.
        instead_of: The run's owner before, whose lease is over.
        mode: What the driver wants.
        begun: Whether it has run before: then it is never dropped for another.
        now: Epoch seconds.
    """
    holder = doc["holder"]
    if holder is not None and holder["id"] != me["id"] and holder["until"] > now:
        if mode == "skip" or begun:
            return doc, Held("wait" if begun else "skip", by=holder["event_id"])
        if holder["order"] > me["order"]:
            return doc, Held("superseded", by=holder["event_id"])
        evicting = [*doc["evicting"], [holder["id"], holder["pk"]]]
        return {**doc, "holder": me, "evicting": evicting}, _go(evicting)
    known = (me["owner"], instead_of, None)
    if holder is not None and holder["id"] == me["id"] and holder["until"] > now and holder["owner"] not in known:
        return doc, Held("taken")
    return {**doc, "holder": me}, _go(doc["evicting"])


def let_go(doc: SingletonDoc, record: str, owner: str, *, until: float | None = None) -> SingletonDoc:
    """Return the document without this holder; with `until` it stays, between two attempts. Twice is harmless."""
    holder = doc["holder"]
    if holder is None or holder["id"] != record or holder["owner"] != owner:
        return doc
    return {**doc, "holder": None if until is None else {**holder, "owner": None, "until": until}}


def longer(doc: SingletonDoc, record: str, owner: str, *, until: float) -> SingletonDoc | None:
    """Return the document with the holder named for longer; None when it is somebody else."""
    holder = doc["holder"]
    if holder is None or holder["id"] != record or holder["owner"] != owner:
        return None
    return {**doc, "holder": {**holder, "until": max(until, holder["until"])}}


def evicted(doc: SingletonDoc, record: str) -> SingletonDoc:
    """Return the document on which this record's run is cancelled."""
    if all(place[0] != record for place in doc["evicting"]):
        return doc
    return {**doc, "evicting": [place for place in doc["evicting"] if place[0] != record]}


def _go(evicting: list[list[str]]) -> Held:
    return Held("go", evicting=tuple((place[0], place[1]) for place in evicting))
