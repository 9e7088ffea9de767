"""What may happen with an event, and who handles it. Both pure: nothing is written before both are known."""

from vextir_os.errors import TooLargeError
from vextir_os.events.identity import user_of
from vextir_os.events.limits import RUNS_PER_RECORD
from vextir_os.policy.model import Request
from vextir_os.processor.turn import Parts, Turn, pure


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
            Request(verb=verb, resource=event.type, event_type=event.type, principal=principal)
        )
        if turn.decision.effect != "allow":
            return


@pure
def route(parts: Parts, turn: Turn) -> None:
    """Find the drivers of an allowed event, the most specific capability first; none leaves it unrouted."""
    if turn.decision is not None and turn.decision.effect == "allow":
        event_type = turn.the_event.type
        turn.drivers = parts.registry.route(event_type, mode=parts.mode(event_type))
        if len(turn.drivers) > RUNS_PER_RECORD:
            raise TooLargeError(
                f"event type {event_type!r} is handled by {len(turn.drivers)} drivers, "
                f"at most {RUNS_PER_RECORD} are allowed",
                hint="Let one driver emit events for the others, or list the type in VEXTIR_BEST_OF",
            )
