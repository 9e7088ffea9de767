"""What may happen with an event, and who handles it. Nothing is written before both are known."""

from collections.abc import Awaitable

from vextir_os.errors import TooLargeError
from vextir_os.events import ids
from vextir_os.events.identity import user_of
from vextir_os.events.limits import RUNS_PER_RECORD
from vextir_os.policy.model import Request
from vextir_os.processor.choice import choose
from vextir_os.processor.turn import Next, Parts, Settlement, Turn, pure


@pure
def authorize(parts: Parts, turn: Turn) -> None:
    """Ask policy whether the event may be processed, and, when it comes from outside, whether it may enter."""
    if turn.knock is not None:
        # The decision stands on the record already.
        return
    event = turn.the_event
    principal = user_of(event.userid, event.tenantid)
    verbs = ("process",) if turn.ours else ("publish", "process")
    for verb in verbs:
        turn.decision = parts.policy.decide(
            Request(
                verb=verb,
                resource=event.type,
                principal=principal,
                event_type=event.type,
                event=lambda: event,
                clock=parts.desk.clock.time,
                plain=True,
            )
        )
        if turn.decision.effect != "allow":
            return


def route(parts: Parts, turn: Turn, following: Next) -> Awaitable[Settlement]:
    """Find the drivers of an allowed event, the most specific capability first; none leaves it unrouted."""
    if parts.paused.is_stale:
        return _refreshed(parts, turn, following)
    _route(parts, turn)
    return following(turn)


async def _refreshed(parts: Parts, turn: Turn, following: Next) -> Settlement:
    """Hear first of what people have paused and switched; the stages behind this one go by it too."""
    await parts.paused.refresh()
    _route(parts, turn)
    return await following(turn)


def _route(parts: Parts, turn: Turn) -> None:
    if turn.decision is None or turn.decision.effect != "allow":
        return
    event_type = turn.the_event.type
    mode = parts.mode(event_type)
    if parts.paused.now.steers or parts.registry.versions:
        event = turn.the_event
        record = ids.record_id(event.tenantid, event.source, event.id)
        turn.drivers, turn.left_out = choose(parts, parts.registry.route(event_type), record, best=mode == "best")
    else:
        turn.drivers = parts.registry.route(event_type, mode=mode)
    if len(turn.drivers) > RUNS_PER_RECORD:
        raise TooLargeError(
            f"event type {event_type!r} is handled by {len(turn.drivers)} drivers, "
            f"at most {RUNS_PER_RECORD} are allowed",
            hint="Let one driver emit events for the others, or list the type in VEXTIR_BEST_OF",
        )
