"""May this worker begin this run now? One question, answered here alone. Pure.

Asked before a run is created as claimed, and before one that is claimable is claimed. Whoever is told to wait leaves
the run `ready`, under no lease, and looks at the next one.
"""

from typing import NamedTuple

from vextir_os.runs.lanes import executes
from vextir_os.runs.record import OUTBOX_DUE_S, Lane


class Wait(NamedTuple):
    """Why a run is not begun by this worker now.

    Attributes:
        look_at: When somebody looks at it again at the latest, in epoch seconds.
        elsewhere: Whether it may be begun now, by a worker of its own lane.
    """

    look_at: float
    elsewhere: bool


def hindrance(*, lane: Lane, worker: Lane | None, now: float) -> Wait | None:
    """Return what keeps a worker from beginning a run now, or None.

    Args:
        lane: Where the run may be executed.
        worker: The lane that the worker serves; None when it serves all.
        now: Epoch seconds.
    """
    if not executes(worker, lane):
        return Wait(look_at=now + OUTBOX_DUE_S, elsewhere=True)
    return None
