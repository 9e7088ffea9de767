"""What people have switched of drivers: which are off, and which part of the events each version gets. Pure.

It stands in the document of pauses, beside them, and is heard of as they are:

    "off": {"mail.send": {"by": "user:ann", "at": 1795200000.2, "reason": "the relay is down"}},
    "weights": {"mail.sorter": {"by": "user:ann", "at": 1795200000.2, "of": {"2": 10}}}
"""

from typing import NotRequired, TypedDict

from vextir_os.errors import InvalidRequestError, NotFoundError, did_you_mean

SWITCHED = 1_000
"""Drivers that may be off, or have weights that people have set, at one time."""


class OffDoc(TypedDict):
    """Who has turned a driver off, when in epoch seconds, and why."""

    by: str
    at: float
    reason: str


class WeightsDoc(TypedDict):
    """Which weights somebody has set, by version."""

    by: str
    at: float
    of: dict[str, int]


class SwitchesDoc(TypedDict):
    """What the document of pauses holds of switches; nothing where nothing was ever switched."""

    off: NotRequired[dict[str, OffDoc]]
    weights: NotRequired[dict[str, WeightsDoc]]


def turned_off(doc: SwitchesDoc, driver: str, entry: OffDoc) -> SwitchesDoc | None:
    """Return the document with a driver off; None when it says just that. Raises `InvalidRequestError`."""
    off = doc.get("off", {})
    if off.get(driver) == entry:
        return None
    _check_room(off, driver)
    return {**doc, "off": {**off, driver: entry}}


def turned_on(doc: SwitchesDoc, driver: str) -> SwitchesDoc:
    """Return the document with a driver on. Raises `NotFoundError` when it is not off."""
    off = doc.get("off", {})
    if driver not in off:
        hint = did_you_mean(driver, off) or "Look at what is: vextir drivers"
        raise NotFoundError(f"driver {driver[:128]} is not off", hint=hint)
    return {**doc, "off": {name: entry for name, entry in off.items() if name != driver}}


def weighed(doc: SwitchesDoc, driver: str, entry: WeightsDoc) -> SwitchesDoc | None:
    """Return the document with a driver's weights; none of them leaves it to the manifests. None: it says just that.

    Raises:
        InvalidRequestError: There are too many drivers with weights.
    """
    weights = doc.get("weights", {})
    if weights.get(driver) == entry:
        return None
    if not entry["of"]:
        return {**doc, "weights": {name: other for name, other in weights.items() if name != driver}}
    _check_room(weights, driver)
    return {**doc, "weights": {**weights, driver: entry}}


def off_reason(driver: str, entry: OffDoc) -> str:
    """Return why a driver that is off was left out, as people read it."""
    what = f"driver {driver} was turned off by {entry['by']}"
    return f"{what}: {entry['reason']}" if entry["reason"] else what


def _check_room(entries: dict[str, OffDoc] | dict[str, WeightsDoc], driver: str) -> None:
    if driver not in entries and len(entries) >= SWITCHED:
        raise InvalidRequestError(f"{SWITCHED} drivers at once are allowed", hint="Turn others on first")
