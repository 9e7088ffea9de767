"""What is paused: the one document that says so, and what it holds back. Pure.

    {"v": 1, "id": "pauses", "pk": "pauses", "kind": "pauses", "list": [{"kind": "driver", "name": "mail.send",
     "by": "user:ann", "at": 1795200000.2, "until": null, "reason": "the relay is down", "act": "0192…"}]}

A pause that is over, by its time or because somebody ended it (`resumed`), holds nothing back; it stands there until
all that it held back was knocked at.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, TypedDict, cast

from vextir_os.errors import InvalidRequestError, NotFoundError, did_you_mean
from vextir_os.events.patterns import PatternTrie
from vextir_os.runs.switches import OffDoc, SwitchesDoc, WeightsDoc

PAUSES = "pauses"
"""Id and partition of the document, in the container `state`."""

AT_ONCE = 1_000
"""Pauses at one time, at most."""

LOOK_S = 3_600.0
"""What is held back is looked at this often, in case everybody who was to knock at it died."""

PauseKind = Literal["driver", "capability", "tenant"]


class PauseDoc(TypedDict):
    """One pause. Times are epoch seconds; `act` names the request that made it, `resumed` who ended it, and when."""

    kind: PauseKind
    name: str
    by: str
    at: float
    until: float | None
    reason: str
    act: str
    resumed: NotRequired[dict[str, Any]]


class PausesDoc(SwitchesDoc):
    """All pauses of an installation, and what is switched of its drivers."""

    v: int
    id: str
    pk: str
    kind: Literal["pauses"]
    list: list[PauseDoc]


class Pauses:
    """The pauses of one copy of the document. True when there are any; never changes.

    Attributes:
        off: The drivers that get no new events.
        weights: Which part of the events each version of a driver gets, where people have said so.
        steers: Whether there is any of the two.
    """

    __slots__ = ("_by_name", "_by_type", "entries", "off", "steers", "weights")

    def __init__(
        self,
        entries: Sequence[PauseDoc] = (),
        *,
        off: Mapping[str, OffDoc] | None = None,
        weights: Mapping[str, WeightsDoc] | None = None,
    ) -> None:
        self.entries = tuple(entries)
        self.off, self.weights = off or {}, weights or {}
        self.steers = bool(self.off or self.weights)
        self._by_name = {f"{entry['kind']}:{entry['name']}": entry for entry in entries if "resumed" not in entry}
        self._by_type: PatternTrie[PauseDoc] = PatternTrie()
        for entry in self._by_name.values():
            if entry["kind"] == "capability":
                self._by_type.add(entry["name"], entry)

    def __bool__(self) -> bool:
        return bool(self.entries)

    def holding(self, *, driver: str, event_type: str, tenant: str, now: float) -> PauseDoc | None:
        """Return a pause that holds back a driver's run for an event of this type and tenant, or None."""
        found = [self._by_name.get(f"driver:{driver}"), self._by_name.get(f"tenant:{tenant}")]
        found += [entry for _, entry in self._by_type.match(event_type)]
        return next((entry for entry in found if entry is not None and not is_over(entry, now=now)), None)

    def over(self, *, now: float) -> list[PauseDoc]:
        """Return the pauses that hold nothing back any more."""
        return [entry for entry in self.entries if is_over(entry, now=now)]


def is_over(entry: PauseDoc, *, now: float) -> bool:
    """Whether a pause holds nothing back any more."""
    return "resumed" in entry or (entry["until"] is not None and entry["until"] <= now)


def name_of(entry: PauseDoc) -> str:
    """Return what stands on runs that a pause holds back: `driver:mail.send`."""
    return f"{entry['kind']}:{entry['name']}"


def no_pauses() -> PausesDoc:
    """Return the document of an installation in which nothing is paused."""
    return {"v": 1, "id": PAUSES, "pk": PAUSES, "kind": "pauses", "list": []}


def pauses_in(document: Mapping[str, Any]) -> Pauses:
    """Return the pauses of a document as it was read."""
    doc = cast(PausesDoc, document)
    return Pauses(doc["list"], off=doc.get("off"), weights=doc.get("weights"))


def paused(doc: PausesDoc, entry: PauseDoc) -> PausesDoc | None:
    """Return the document with one pause more, in the place of an older one of the same name; None when it is there.

    Raises:
        InvalidRequestError: There are too many.
    """
    if entry in doc["list"]:
        return None
    left = [other for other in doc["list"] if name_of(other) != name_of(entry)]
    if len(left) >= AT_ONCE:
        raise InvalidRequestError(f"{AT_ONCE} pauses at once are allowed", hint="Pause a tenant, or a pattern of types")
    return {**doc, "list": [*left, entry]}


def resumed(doc: PausesDoc, kind: PauseKind, name: str, *, by: str, at: float, act: str) -> PausesDoc | None:
    """Return the document on which a pause is over; None when this very act has ended it.

    Raises:
        NotFoundError: It is not paused.
    """
    names = [other["name"] for other in doc["list"] if other["kind"] == kind and "resumed" not in other]
    if name not in names:
        if any(other.get("resumed", {}).get("act") == act for other in doc["list"]):
            return None
        hint = did_you_mean(name, names) or "Look at what is: vextir pause list"
        raise NotFoundError(f"{kind} {name[:128]} is not paused", hint=hint)
    return {
        **doc,
        "list": [
            {**other, "resumed": {"by": by, "at": at, "act": act}} if (other["kind"], other["name"]) == (kind, name)
            else other
            for other in doc["list"]
        ],
    }  # fmt: skip


def forgotten(doc: PausesDoc, entry: PauseDoc) -> PausesDoc | None:
    """Return the document without one pause; None when it is not there, or a newer one has its name."""
    if entry not in doc["list"]:
        return None
    return {**doc, "list": [other for other in doc["list"] if other != entry]}
