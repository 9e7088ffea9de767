"""May this worker begin this run now? One question, answered here alone. Pure.

Asked before a run is created as claimed, and before one that is claimable is claimed. Whoever is told to wait leaves
the run `ready`, under no lease, with what it waits for, and takes the next delivery.
"""

from typing import NamedTuple

from vextir_os.runs.lanes import executes
from vextir_os.runs.pauses import LOOK_S, Pauses, name_of
from vextir_os.runs.record import OUTBOX_DUE_S, Lane, WaitDoc


class Wait(NamedTuple):
    """Why a run is not begun by this worker now.

    Attributes:
        look_at: When somebody looks at it again at the latest, in epoch seconds.
        doc: What stands on the run; None when it may be begun now, by a worker of its own lane.
        asks: Whether nothing but its driver's limits is left to be asked, by this worker, once its record is there.
    """

    look_at: float
    doc: WaitDoc | None = None
    asks: bool = False


def hindrance(
    *, driver: str, lane: Lane, worker: Lane | None, pauses: Pauses, event_type: str, tenant: str, now: float
) -> Wait | None:
    """Return what keeps a worker from beginning a run now, or None.

    Args:
        driver: Id of the driver.
        lane: Where the run may be executed.
        worker: The lane that the worker serves; None when it serves all.
        pauses: What is paused.
        event_type: Type of the event.
        tenant: Whose event it is.
        now: Epoch seconds.
    """
    if pauses:
        entry = pauses.holding(driver=driver, event_type=event_type, tenant=tenant, now=now)
        if entry is not None:
            look_at = now + LOOK_S if entry["until"] is None else min(now + LOOK_S, entry["until"])
            what = f"{entry['kind']} {entry['name']} is paused by {entry['by']}"
            reason = f"{what}: {entry['reason']}" if entry["reason"] else what
            return Wait(look_at, {"on": name_of(entry), "reason": reason})
    if not executes(worker, lane):
        return Wait(now + OUTBOX_DUE_S)
    return None
