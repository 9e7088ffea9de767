"""What people may do to events that are on their way: cancel them. Asks policy, writes, knocks, says who it was.

Every act comes from an edge, with the principal that it has authenticated, and needs `admin:cancel`.
"""

import contextlib
from collections.abc import Sequence

from vextir_os.errors import DeniedError, LostRunError, NotFoundError, RunStateError
from vextir_os.events import ids
from vextir_os.events.attributes import check_prose
from vextir_os.events.identity import Principal
from vextir_os.policy.model import Decision, Request
from vextir_os.processor.turn import Parts
from vextir_os.runs import reading
from vextir_os.runs.acts import UNKNOWN_TYPE, Act, cancelled, is_own, tombstone
from vextir_os.runs.keeper import Change, Keeper, ScheduledMessage
from vextir_os.runs.messages import Knock, knock_message
from vextir_os.runs.record import Lane, RecordDoc


class Control:
    """Cancels events on behalf of a principal.

    Args:
        parts: What the stages work with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def cancel(
        self, event_id: str, who: Principal, *, reason: str = "", source: str = "", correlation: str = ""
    ) -> RecordDoc:
        """Cancel what is left of an event, and return its record; nothing begins and nothing commits after that.

        What was committed before stays, and is still published. Cancelled again, it stays as it is. An event that no
        worker has taken from the queue yet can be cancelled by its source.

        Args:
            event_id: Its id.
            who: Who asks, as the edge authenticated.
            reason: Why, for those who look at it later.
            source: Its source; needed where two events have the id, and where there is no record of it yet.
            correlation: Its correlation id, where it is not its own id; then the source is needed as well.

        Raises:
            DeniedError: No policy allows `admin:cancel`.
            NotFoundError: There is no record, and no source was given.
            RunStateError: It is over already, or several events have the id.
            InvalidEventError: A reason, or a name, that is none.
        """
        for name, value in (("reason", reason), ("id", event_id), ("source", source), ("correlation", correlation)):
            check_prose(name, value)
        act = new_act(who, reason)
        keeper = await self._find(event_id, who, source, correlation)
        if keeper is None:
            keeper = await self._bury(event_id, who, source, correlation, act)
        else:
            allow(self._parts, who, "cancel", keeper.record["event"]["type"])
        await self._write(keeper, act)
        self._parts.stops.end(keeper.record)
        self._parts.observer.recorded(keeper.record)
        return keeper.record

    async def _find(self, event_id: str, who: Principal, source: str, correlation: str) -> Keeper | None:
        desk = self._parts.desk
        if source and correlation:
            with contextlib.suppress(NotFoundError):
                pk = ids.partition(who.tenant, correlation)
                return await Keeper.read(desk, pk, ids.record_id(who.tenant, source, event_id))
            return None
        found = await reading.named(desk.store, who.tenant, event_id, source)
        if len(found) > 1:
            one, two = found[:2]
            raise RunStateError(
                f"several events have the id {event_id[:80]}: from {one['event']['source']} in flow "
                f"{one['event']['correlationid']} and from {two['event']['source']} in {two['event']['correlationid']}",
                hint="Name its source, and its correlation id",
            )
        return await Keeper.read(desk, found[0]["pk"], found[0]["id"]) if found else None

    async def _bury(self, event_id: str, who: Principal, source: str, correlation: str, act: Act) -> Keeper:
        """Create the record of an event that is not there yet, cancelled; or find the one that came in between."""
        if not source:
            raise NotFoundError(
                f"there is no event `{event_id[:128]}`",
                hint="One that still waits on the queue is cancelled with its source: /cli, /api, /drivers/ID",
            )
        desk = self._parts.desk
        decision = allow(self._parts, who, "cancel", UNKNOWN_TYPE)
        flow = correlation or event_id
        pk, id_ = ids.partition(who.tenant, flow), ids.record_id(who.tenant, source, event_id)
        event = {"id": event_id, "source": source, "tenantid": who.tenant, "correlationid": flow}
        record = tombstone(id=id_, pk=pk, event=event, decision=decision.to_json(), act=act, now=desk.clock.time())
        return await Keeper.create(desk, Change(record=record)) or await Keeper.read(desk, pk, id_)

    async def _write(self, keeper: Keeper, act: Act) -> None:
        def change(record: RecordDoc, now: float) -> Change:
            if record["cancel"] is not None or is_own(record, act):
                raise LostRunError(f"event {record['event_id']} is cancelled already")
            after, stopped = cancelled(record, act, now=now)
            return Change(record=after, touched=stopped, knocks=self._knocks(record, stopped, act))

        with contextlib.suppress(LostRunError):
            await keeper.write(change)

    def _knocks(self, record: RecordDoc, stopped: Sequence[str], act: Act) -> tuple[ScheduledMessage, ...]:
        # For the process that runs it; losing one costs the time until that process writes again.
        knock = Knock(record["id"], record["pk"])
        flow = record["id"].partition("~")[0]
        message = knock_message(self._parts.desk.signer, knock, id=f"cancel~{act.id}", flow=flow)
        lanes: set[Lane] = {record["runs"][driver].get("lane", "batch") for driver in stopped}
        return tuple(ScheduledMessage(message, lane=lane) for lane in sorted(lanes))


def new_act(who: Principal, reason: str) -> Act:
    """Return what somebody asks for now, under an id of its own."""
    return Act(id=ids.mint(), by=str(who), reason=reason)


def allow(parts: Parts, who: Principal, verb: str, event_type: str) -> Decision:
    """Return the decision that lets a principal do this to an event of this type.

    Raises:
        DeniedError: No policy allows `admin:<verb>`, or one denies it.
    """
    decision = parts.policy.decide(Request(verb="admin", resource=verb, event_type=event_type, principal=who))
    if not decision.allowed:
        raise DeniedError(
            f"{who} may not {verb} {event_type!r}: {decision.reason}",
            hint=f"Ask who keeps the policies to allow `admin:{verb}`",
            policy_id=decision.policy_id,
        )
    return decision
