"""Which runs of a new event this worker begins, and which it leaves to others or to a later time. Writes nothing."""

from vextir_os.processor.turn import Parts, Turn, pure
from vextir_os.runs.lanes import lane_for
from vextir_os.runs.start import hindrance


@pure
def gate(parts: Parts, turn: Turn) -> None:
    """Find out what keeps this worker from beginning runs; a quick run in the lane of quick runs is let through."""
    drivers = turn.drivers
    if not drivers:
        return
    desk, priority = parts.desk, turn.the_event.priority
    turn.lane = desk.lane_of(turn.delivery.entity)
    for driver in drivers:
        lane = lane_for(timeout_s=driver.timeout_s, priority=priority)
        if lane != turn.lane:
            wait = hindrance(lane=lane, worker=turn.lane, now=desk.clock.time())
            if wait is not None:
                turn.waits[driver.id] = wait
