"""Places for runs of a driver, of which there are so many at once; the document that counts them. Pure.

    {"v": 1, "id": "slots~mail.send~5c…", "pk": …, "kind": "slots", "ttl": 86400, "more": false,
     "held": {"acme~9f2c…": ["5d1f….1c", 1795200077.2]}, "line": [["acme~77ab…", "acme~corr-7", "batch", 0]]}

A place is held by a record under an owner until a time that outlasts the run's lease, so the place of a worker that
died comes free by itself. Who finds none stands in line, and goes when as many places are free as stand before it and
itself; a place that comes free calls the first ones. Who was called and does not come leaves the line.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypedDict, cast

from vextir_os.runs.record import Lane

LINE = 200
"""Records in the line of one document, at most; further ones are found by a query when it is short."""

SHORT = LINE // 4
"""A line is short under this length."""

CALL_S = 60.0
"""Who was called comes within this time."""

KEPT_S = 86_400
"""A document that nobody writes to goes after this time."""

Answer = Literal["go", "wait", "taken"]
"""`taken`: another delivery of the same run is at it, or died at it a moment ago."""


class Called(NamedTuple):
    """A record to knock at, in its lane."""

    id: str
    pk: str
    lane: Lane


class SlotsDoc(TypedDict):
    """Who holds a place, as owner and epoch seconds, and who waits for one: id, pk, lane, when it was called."""

    v: int
    id: str
    pk: str
    kind: Literal["slots"]
    ttl: int
    more: bool
    held: dict[str, list[Any]]
    line: list[list[Any]]


class Entered(NamedTuple):
    """What became of asking for a place.

    Attributes:
        answer: Whether it is there.
        before: Who stands before it in the line, if it is not.
        back: Owner and time of the place that was taken over, to be given back when the run is not claimed after all.
        called: Others to knock at.
    """

    answer: Answer
    before: int = 0
    back: tuple[str, float] | None = None
    called: tuple[Called, ...] = ()


def no_slots(name: str) -> SlotsDoc:
    """Return the document of this name before anybody has written it."""
    return {
        "v": 1, "id": name, "pk": name, "kind": "slots", "ttl": KEPT_S, "more": False, "held": {}, "line": []
    }  # fmt: skip


def enter(
    doc: SlotsDoc, who: Called, owner: str, *, instead_of: str | None, places: int, until: float, now: float
) -> tuple[SlotsDoc, Entered]:
    """Ask for a place.

    Args:
        doc: As it was read; never changed in place.
        who: The record whose run asks.
        owner: The delivery that asks.
        instead_of: The run's owner before, whose lease is over; its place is taken over.
        places: How many there are.
        until: How long the place is wanted.
        now: Epoch seconds; all times are.
    """
    doc = _pruned(doc, now)
    held = doc["held"].get(who.id)
    if held is not None:
        if held[0] not in (owner, instead_of):
            return doc, Entered("taken")
        back = None if held[0] == owner else (cast(str, held[0]), cast(float, held[1]))
        return {**doc, "held": {**doc["held"], who.id: [owner, until]}}, Entered("go", back=back)
    before = next((place for place, other in enumerate(doc["line"]) if other[0] == who.id), len(doc["line"]))
    if places - len(doc["held"]) > before:
        line = [other for other in doc["line"] if other[0] != who.id]
        return {**doc, "held": {**doc["held"], who.id: [owner, until]}, "line": line}, Entered("go")
    if before == len(doc["line"]):
        doc = {**doc, "line": [*doc["line"], [*who, 0]]} if before < LINE else {**doc, "more": True}
    doc, called = _call(doc, places, now)
    return doc, Entered("wait", before=before, called=called)


def leave(
    doc: SlotsDoc, record: str, owner: str, *, back: tuple[str, float] | None = None, places: int, now: float
) -> tuple[SlotsDoc, tuple[Called, ...]]:
    """Give a place up, or back to whom it was taken from; return whom to knock at. Twice is harmless."""
    doc = _pruned(doc, now)
    held = dict(doc["held"])
    if record in held and held[record][0] == owner:
        del held[record]
        if back is not None and back[1] > now:
            held[record] = [*back]
    return _call({**doc, "held": held}, places, now)


def renewed(doc: SlotsDoc, record: str, owner: str, *, until: float) -> SlotsDoc | None:
    """Return the document with a place held for longer; None when somebody else holds it, or nobody."""
    held = doc["held"].get(record)
    if held is None or held[0] != owner:
        return None
    return {**doc, "held": {**doc["held"], record: [owner, max(until, held[1])]}}


def joined(
    doc: SlotsDoc, found: Sequence[Called], *, more: bool, places: int, now: float
) -> tuple[SlotsDoc, tuple[Called, ...]]:
    """Let records into the line that were not in it, `more` if there are others still; return whom to knock at."""
    known = {other[0] for other in doc["line"]} | doc["held"].keys()
    new = [[*who, 0] for who in found if who.id not in known][: LINE - len(doc["line"])]
    left_out = len(doc["line"]) + len(new) < len(known | {who.id for who in found}) - len(doc["held"])
    return _call({**doc, "line": [*doc["line"], *new], "more": more or left_out}, places, now)


def _pruned(doc: SlotsDoc, now: float) -> SlotsDoc:
    held = {record: place for record, place in doc["held"].items() if place[1] > now}
    line = [other for other in doc["line"] if not other[3] or other[3] + CALL_S > now]
    return {**doc, "held": held, "line": line}


def _call(doc: SlotsDoc, places: int, now: float) -> tuple[SlotsDoc, tuple[Called, ...]]:
    free = max(0, places - len(doc["held"]))
    called = tuple(Called(*other[:3]) for other in doc["line"][:free] if not other[3])
    if not called:
        return doc, ()
    line = [[*other[:3], other[3] or now] if place < free else other for place, other in enumerate(doc["line"])]
    return {**doc, "line": line}, called
