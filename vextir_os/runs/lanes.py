"""Lanes: which worker executes a run. Pure.

`batch`: quick runs, many at once. `high`: the same for events of high priority, which do not wait behind the others.
`slow`: runs that may take long, so that neither their neighbours nor their message's lock depend on them. A worker of
the slow lane executes slow runs alone, all others any but those.
"""

from collections.abc import Sequence

from vextir_os.ports.queue import Message, Queue
from vextir_os.runs.record import Lane

HIGH_PRIORITY = 7
"""Events from this priority on go by the lane `high`."""

SLOW_S = 30.0
"""Runs of drivers with a longer time-out go by the lane `slow`."""


def lane_for(*, timeout_s: float, priority: int) -> Lane:
    """Return the lane of a run: by the longest turn that its driver may take, and by the priority of its event."""
    if timeout_s > SLOW_S:
        return "slow"
    return "high" if priority >= HIGH_PRIORITY else "batch"


def executes(worker: Lane | None, lane: Lane) -> bool:
    """Whether a worker of one lane executes the runs of another; None is a worker that serves all lanes."""
    return worker is None or (worker == "slow") == (lane == "slow")


def by_queue(
    messages: Sequence[Message], queue: Queue, *, ordered: Queue, urgent: Queue
) -> Sequence[tuple[Queue, Sequence[Message]]]:
    """Return the messages of events by the queue that they belong to, in their order.

    Args:
        messages: In which order they came.
        queue: Where all others go.
        ordered: Where those go that name a session.
        urgent: Where those of a high priority go.
    """
    if all(message.priority < HIGH_PRIORITY and not message.session for message in messages):
        return [(queue, messages)]
    parts: tuple[tuple[Queue, list[Message]], ...] = ((queue, []), (ordered, []), (urgent, []))
    for message in messages:
        place = 1 if message.session else 2 if message.priority >= HIGH_PRIORITY else 0
        parts[place][1].append(message)
    return [(place, batch) for place, batch in parts if batch]
