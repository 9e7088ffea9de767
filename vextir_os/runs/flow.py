"""Which documents hold the limits of a driver, for one event of it, and what was decided for a run. Pure."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from vextir_os.events import jsonio
from vextir_os.runs.record import WaitDoc

MARGIN_S = 30.0
"""A place outlasts the lease of its run by this, so that no lease lives without one."""


class Verdict(NamedTuple):
    """What becomes of a run that its driver's limits were asked about.

    Attributes:
        until: It may be claimed with a lease that ends before this time; None when it may not.
        wait: What it waits for.
        look_at: When somebody looks at it again at the latest.
        knock_at: When it is knocked at; None when somebody else knocks.
        error: Why it is cancelled.
    """

    until: float | None = None
    wait: WaitDoc | None = None
    look_at: float = 0.0
    knock_at: float | None = None
    error: Mapping[str, Any] | None = None


def document(feature: str, driver: str, key: str, event: Mapping[str, Any], tenant: str) -> str:
    """Return the name of the document for one value of a key.

    Keys are apart by tenant, so that nobody's events wait for, or end by, those of another. Without a key the document
    of places and of starts is one for all, since what the driver uses is one; the others never mix tenants.

    Args:
        feature: `slots`, `throttle`, `debounce` or `singleton`.
        driver: Id of the driver.
        key: The path, empty for none.
        event: As its record holds it.
        tenant: Whose event it is.
    """
    if not key and feature in ("slots", "throttle"):
        return f"{feature}~{driver}"
    value = hashlib.sha256(jsonio.dumps([tenant, value_at(event, key) if key else None])).hexdigest()[:32]
    return f"{feature}~{driver}~{value}"


def value_at(event: Mapping[str, Any], key: str) -> Any:
    """Return what a key's path leads to in an event; None when it leads nowhere, or into data that is kept apart."""
    found: Any = event
    for segment in key.split("."):
        if not isinstance(found, Mapping) or segment not in found:
            return None
        found = found[segment]
    return found


def superseded(event_id: str, *, what: str) -> dict[str, Any]:
    """Return the reason that stands on a run which another event has ended or made needless."""
    return {
        "class": "Superseded", "code": "VX606", "kind": "invalid", "message": f"superseded by {event_id}: {what}",
    }  # fmt: skip


def skipped(event_id: str) -> dict[str, Any]:
    """Return the reason that stands on a run which was not begun because another one runs."""
    return {
        "class": "Skipped", "code": "VX607", "kind": "invalid",
        "message": f"skipped: {event_id} runs, and the driver is a singleton",
    }  # fmt: skip
