"""What people pause and resume. Asks policy, writes the document of pauses, knocks at what a pause has held back.

Intake stays open: events are accepted and recorded, their runs wait in the store. A resume knocks at them page by page
and at a rate. The pause stands in the document, as ended, until a sweep has knocked at them once more: at what a crash
left out, and at what a process held back that had not heard of the end yet.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast, get_args

from vextir_os.errors import DeniedError, InvalidEventError, did_you_mean
from vextir_os.events import ids
from vextir_os.events.attributes import check_prose
from vextir_os.events.identity import Principal
from vextir_os.events.names import check_pattern, check_tenant
from vextir_os.policy.model import Request
from vextir_os.ports.store import Where
from vextir_os.processor.turn import Parts
from vextir_os.runs import statefile
from vextir_os.runs.knocks import knocks
from vextir_os.runs.pauses import (
    PauseDoc,
    PauseKind,
    PausesDoc,
    forgotten,
    is_over,
    name_of,
    no_pauses,
    paused,
    resumed,
)
from vextir_os.runs.record import EVENTS, RecordDoc

RATE = 200.0
"""Knocks a second, at most, at what a pause has held back."""

LONGEST_S = 366 * 86_400.0
"""A pause with an end ends within this time."""

HEARD_S = 30.0
"""After this time every process has heard of the end of a pause: six times what it may take."""

_PAGE = 100


class Pausing:
    """Pauses and resumes on behalf of a principal.

    Args:
        parts: What the stages work with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def pause(
        self, kind: PauseKind, name: str, who: Principal, *, for_s: float | None = None, reason: str = ""
    ) -> PauseDoc:
        """Hold back the runs of a driver, of events of a type or pattern, or of a tenant; return the pause.

        What runs goes on to its end. Paused again, the newer pause counts. Other processes follow within 5 s.

        Args:
            kind: What is paused.
            name: A driver's id, a type or pattern, a tenant.
            who: Who asks, as the edge authenticated.
            for_s: Seconds after which it ends by itself.
            reason: Why, for those who look at it later.

        Raises:
            DeniedError: No policy allows `admin:pause`.
            InvalidEventError, PatternError: A name, time or reason that is none.
            UnknownDriverError: There is no such driver here.
        """
        self._check(kind, name)
        check_prose("reason", reason)
        if for_s is not None and not 0 < for_s <= LONGEST_S:
            raise InvalidEventError(f"{for_s:g} seconds are no time for a pause", hint="Use more than 0, up to a year")
        if kind == "driver" and self._parts.registry.manifests:
            self._parts.registry.get(name)
        self._allow(who, "pause")
        now = self._parts.desk.clock.time()
        entry: PauseDoc = {
            "kind": kind, "name": name, "by": str(who), "at": now, "until": None if for_s is None else now + for_s,
            "reason": reason, "act": ids.mint(),
        }  # fmt: skip
        await statefile.change(
            self._parts.desk.store, no_pauses(), lambda doc: _plain(paused(cast(PausesDoc, doc), entry))
        )
        await self._parts.paused.refresh()
        return entry

    async def resume(self, kind: PauseKind, name: str, who: Principal) -> int:
        """End a pause, and return how many records were knocked at.

        Raises:
            DeniedError: No policy allows `admin:resume`.
            NotFoundError: It is not paused.
        """
        self._check(kind, name)
        self._allow(who, "resume")
        at, act = self._parts.desk.clock.time(), ids.mint()
        document = await statefile.change(
            self._parts.desk.store,
            no_pauses(),
            lambda doc: _plain(resumed(cast(PausesDoc, doc), kind, name, by=str(who), at=at, act=act)),
        )
        await self._parts.paused.refresh()
        own = [entry for entry in cast(PausesDoc, document)["list"] if entry.get("resumed", {}).get("act") == act]
        # None: it was paused anew, or another's sweep has knocked at all of it already.
        return await self._knock_at_all(own[0]) if own else 0

    async def listed(self) -> list[PauseDoc]:
        """Return what is paused, the newest last."""
        await self._parts.paused.refresh()
        now = self._parts.desk.clock.time()
        return [entry for entry in self._parts.paused.now.entries if not is_over(entry, now=now)]

    async def finish(self) -> None:
        """Knock at what pauses that are over have held back, and forget them."""
        known = self._parts.paused
        if known.is_stale:
            await known.refresh()
        now = self._parts.desk.clock.time()
        for entry in known.now.over(now=now):
            if "resumed" not in entry or entry["resumed"]["at"] + HEARD_S <= now:
                await self._knock_at_all(entry)
                await statefile.change(self._parts.desk.store, no_pauses(), partial(_without, entry))
                await known.refresh()

    async def _knock_at_all(self, entry: PauseDoc) -> int:
        desk, name = self._parts.desk, name_of(entry)
        began, count, continuation = desk.clock.time(), 0, ""
        waiting = [Where("due", ">", 0), Where("waits", "exists", True)]
        while True:
            page = await desk.store.query(EVENTS, waiting, limit=_PAGE, continuation=continuation)
            for stored in page.items:
                record = cast(RecordDoc, stored.document)
                if name in record["waits"]:
                    await self._knock_at(record, name, entry, began + count / RATE)
                    count += 1
            continuation = page.continuation
            if not continuation:
                return count

    async def _knock_at(self, record: RecordDoc, name: str, entry: PauseDoc, at: float) -> None:
        desk = self._parts.desk
        held = [driver for driver, run in record["runs"].items() if (run["wait"] or {}).get("on") == name]
        for knock in knocks(desk, record, held, mark=f"p{entry['act']}", at=at):
            await desk.queue_of(knock.lane).send([knock.message], at=knock.at)

    def _check(self, kind: str, name: str) -> None:
        kinds: tuple[str, ...] = get_args(PauseKind)
        if kind not in kinds:
            hint = did_you_mean(kind, kinds) or f"Use one of: {', '.join(kinds)}"
            raise InvalidEventError(f"{kind[:40]!r} is nothing that can be paused", hint=hint)
        if kind == "tenant":
            check_tenant(name)
        elif kind == "capability":
            check_pattern(name)
        else:
            check_prose("driver", name)

    def _allow(self, who: Principal, verb: str) -> None:
        decision = self._parts.policy.decide(Request(verb="admin", resource=verb, principal=who))
        if not decision.allowed:
            raise DeniedError(
                f"{who} may not {verb} anything: {decision.reason}",
                hint=f"Ask who keeps the policies to allow `admin:{verb}`",
                policy_id=decision.policy_id,
            )


def pause_view(entry: PauseDoc) -> Mapping[str, Any]:
    """Return a pause as people read it."""
    return {name: entry[name] for name in ("kind", "name", "by", "at", "until", "reason")}


def _without(entry: PauseDoc, doc: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return _plain(forgotten(cast(PausesDoc, doc), entry))


def _plain(doc: PausesDoc | None) -> Mapping[str, Any] | None:
    return cast("Mapping[str, Any] | None", doc)
