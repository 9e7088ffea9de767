"""Which drivers say that they are not well, and where: the one document that says so. Pure.

    {"v": 1, "id": "health", "pk": "health", "kind": "health", "drivers": {"mail.reader": {"5d1f0c22ab90e3f4":
     {"reason": "the box is closed", "since": 1795200000.2, "until": 1795200045.2}}}}

What a worker says counts until `until`, and is said anew before: one that is gone says nothing any more.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

HEALTH = "health"
"""Id and partition of the document, in the container `state`."""


class UnwellDoc(TypedDict):
    """What one worker's instance of a driver says of itself, in its words; times in epoch seconds."""

    reason: str
    since: float
    until: float


class HealthDoc(TypedDict):
    """What all workers say: by driver, then by worker."""

    v: int
    id: str
    pk: str
    kind: Literal["health"]
    drivers: dict[str, dict[str, UnwellDoc]]


def all_well() -> HealthDoc:
    """Return the document of an installation whose drivers are well."""
    return {"v": 1, "id": HEALTH, "pk": HEALTH, "kind": "health", "drivers": {}}


def said_by(doc: HealthDoc, worker: str, unwell: Mapping[str, UnwellDoc], *, now: float) -> HealthDoc | None:
    """Return the document with what a worker says now in the place of what it said before; None: it says just that.

    What others said counts on, until its time.
    """
    drivers: dict[str, dict[str, UnwellDoc]] = {}
    for driver, by_worker in doc["drivers"].items():
        others = {name: said for name, said in by_worker.items() if name != worker and said["until"] > now}
        if others:
            drivers[driver] = others
    for driver, said in unwell.items():
        drivers[driver] = {**drivers.get(driver, {}), worker: said}
    return None if drivers == doc["drivers"] else {**doc, "drivers": drivers}


def unwell_now(doc: Mapping[str, Any], *, now: float) -> dict[str, UnwellDoc]:
    """Return what the drivers say that are not well, of several workers the one that has said so longest."""
    found: dict[str, UnwellDoc] = {}
    for driver, by_worker in doc["drivers"].items():
        said = [one for one in by_worker.values() if one["until"] > now]
        if said:
            found[driver] = min(said, key=lambda one: one["since"])
    return found
