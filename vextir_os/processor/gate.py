"""Which runs of a new event this worker begins, and which it leaves to others or to a later time. Writes nothing."""

from vextir_os.processor.turn import Parts, Turn, pure
from vextir_os.runs.lanes import lane_for
from vextir_os.runs.record import OUTBOX_DUE_S
from vextir_os.runs.start import Wait, hindrance


@pure
def gate(parts: Parts, turn: Turn) -> None:
    """Find out what keeps this worker from beginning runs; a quick run in the lane of quick runs is let through."""
    turn.lane = parts.desk.lane_of(turn.delivery.entity)
    if turn.knock is not None:
        return
    pauses = parts.paused.now
    for driver in turn.drivers:
        event = turn.the_event
        lane = lane_for(timeout_s=driver.timeout_s, priority=event.priority)
        if lane != turn.lane or pauses or driver.flow is not None:
            wait = hindrance(
                driver=driver.id,
                lane=lane,
                worker=turn.lane,
                pauses=pauses,
                event_type=event.type,
                tenant=event.tenantid,
                now=parts.desk.clock.time(),
            )
            if wait is None and driver.flow is not None:
                wait = Wait(parts.desk.clock.time() + OUTBOX_DUE_S, asks=True)
            if wait is not None:
                turn.waits[driver.id] = wait
