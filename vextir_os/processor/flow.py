"""A driver's limits, asked before a run of it is claimed: may it begin, does it wait, is it another's turn.

Only drivers that declare a limit are asked about. What a run got is noted on its turn; `places` gives it up.
"""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from vextir_os.driverkit.flow import Flow
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import LostRunError, NotFoundError
from vextir_os.processor import places
from vextir_os.processor.turn import Parts, Turn
from vextir_os.runs import debounce, singleton, slots, throttle
from vextir_os.runs.flow import MARGIN_S, Verdict, document, skipped, superseded
from vextir_os.runs.keeper import Change, Keeper
from vextir_os.runs.record import FINAL, OUTBOX_DUE_S, RecordDoc, RunDoc
from vextir_os.runs.slots import Called
from vextir_os.runs.transitions import dropped, lease_s

LONGEST_LOOK_S = 3_600.0
"""What waits for a place is looked at this often, whoever was to call it."""

_SINGLE_LOOK_S = 60.0


class Asker(NamedTuple):
    """One run that asks, as it stands on its record."""

    manifest: Manifest
    flow: Flow
    record: RecordDoc
    run: RunDoc
    owner: str
    now: float

    @property
    def until(self) -> float:
        """How long it wants what it asks for: longer than its lease."""
        return self.now + lease_s(self.manifest.timeout_s) + MARGIN_S

    @property
    def order(self) -> debounce.Order:
        """Its event's place among the others."""
        return [self.record["created"], self.record["id"]]

    def name(self, feature: str, key: str) -> str:
        """Return the name of the document that it asks."""
        tenant = self.record["id"].partition("~")[0]
        return document(feature, self.manifest.id, key, self.record["event"], tenant)

    def goes(self) -> Verdict:
        """Return that it may be claimed."""
        return Verdict(until=self.until)


async def ask(parts: Parts, turn: Turn, manifest: Manifest, flow: Flow) -> Verdict | None:
    """Ask the limits of a run that is claimable here.

    Returns:
        What becomes of it; None when another delivery is at it.

    Raises:
        StoreUnavailableError: The store did not answer; what was got comes free by its time.
    """
    keeper = turn.the_keeper
    asker = Asker(
        manifest, flow, keeper.record, keeper.record["runs"][manifest.id], turn.owner, parts.desk.clock.time()
    )
    verdict: Verdict | None = asker.goes()
    for question in _questions(flow):
        verdict = await question(parts, turn, asker)
        if verdict is None or verdict.until is None:
            await give_back(turn, manifest.id)
            break
    return verdict


async def give_back(turn: Turn, driver: str) -> None:
    """Give up what was got for a run that is not claimed after all."""
    held = turn.places.pop(driver, [])
    await places.leave(held, turn.the_keeper.record["id"], turn.owner, claimed=False)


def _questions(flow: Flow) -> list[Callable[[Parts, Turn, Asker], Awaitable[Verdict | None]]]:
    # Starts are counted last: one that is counted and does not begin would be lost to the others.
    asked = (
        (flow.debounce_s, _debounced), (flow.singleton, _alone), (flow.concurrency, _placed), (flow.throttle, _started)
    )  # fmt: skip
    return [question for limit, question in asked if limit]


async def _debounced(parts: Parts, _turn: Turn, asker: Asker) -> Verdict | None:
    quiet_s = asker.flow.debounce_s or 0.0
    if asker.run["fence"]:
        # Begun before: nothing supersedes it.
        return asker.goes()
    name = asker.name("debounce", asker.flow.debounce_key)
    found = await parts.books.change(
        debounce.no_row(name),
        partial(
            debounce.settle,
            order=asker.order,
            event_id=asker.record["event_id"],
            quiet_s=quiet_s,
            longest_s=asker.flow.debounce_max_s,
            now=asker.now,
        ),
    )
    if found.superseded_by:
        return Verdict(error=superseded(found.superseded_by, what=f"it came within {quiet_s:g} s"))
    if found.go:
        return asker.goes()
    reason = f"driver {asker.manifest.id} runs the last of events that come within {quiet_s:g} s"
    return Verdict(wait={"on": name, "reason": reason}, look_at=found.at + OUTBOX_DUE_S, knock_at=found.at)


async def _alone(parts: Parts, turn: Turn, asker: Asker) -> Verdict | None:
    name, record = asker.name("singleton", asker.flow.singleton_key), asker.record
    me: singleton.Holder = {
        "id": record["id"], "pk": record["pk"], "event_id": record["event_id"], "order": asker.order,
        "owner": asker.owner, "until": asker.until,
    }  # fmt: skip
    found = await parts.books.change(
        singleton.nobody(name),
        partial(
            singleton.hold,
            me=me,
            instead_of=asker.run["owner"],
            mode=asker.flow.singleton,
            begun=asker.run["fence"] > 0,
            now=asker.now,
        ),
    )
    match found.answer:
        case "taken":
            return None
        case "skip":
            return Verdict(error=skipped(found.by))
        case "superseded":
            return Verdict(error=superseded(found.by, what="it came later, and the driver is a singleton"))
        case "wait":
            reason = f"{found.by} runs, and driver {asker.manifest.id} is a singleton"
            again = asker.now + _SINGLE_LOOK_S
            return Verdict(wait={"on": name, "reason": reason}, look_at=again)
    turn.places.setdefault(asker.manifest.id, []).append(places.Alone(parts.books, name))
    for id_, pk in found.evicting:
        await _supersede(parts, id_, pk, asker)
        await parts.books.change(singleton.nobody(name), partial(_evicted, record=id_))
    return asker.goes()


def _evicted(doc: singleton.SingletonDoc, record: str) -> tuple[singleton.SingletonDoc, None]:
    return singleton.evicted(doc, record), None


async def _placed(parts: Parts, turn: Turn, asker: Asker) -> Verdict | None:
    count = asker.flow.concurrency or 1
    name, record = asker.name("slots", asker.flow.concurrency_key), asker.record
    found = await parts.books.change(
        slots.no_slots(name),
        partial(
            slots.enter,
            who=Called(record["id"], record["pk"], asker.run.get("lane", "batch")),
            owner=asker.owner,
            instead_of=asker.run["owner"],
            places=count,
            until=asker.until,
            now=asker.now,
        ),
    )
    await places.call(parts.desk, found.called)
    match found.answer:
        case "taken":
            return None
        case "go":
            slot = places.Slot(parts.desk, parts.books, name, count, found.back)
            turn.places.setdefault(asker.manifest.id, []).append(slot)
            return asker.goes()
    look_at = asker.now + min(LONGEST_LOOK_S, lease_s(asker.manifest.timeout_s) * (1 + found.before // count))
    return Verdict(wait={"on": name, "reason": f"driver {asker.manifest.id} runs {count} at once"}, look_at=look_at)


async def _started(parts: Parts, _turn: Turn, asker: Asker) -> Verdict | None:
    rate = asker.flow.throttle
    if rate is None:
        return asker.goes()
    name = asker.name("throttle", asker.flow.throttle_key)
    waited = (asker.run["wait"] or {}).get("on") == name
    found = await parts.books.change(
        throttle.no_starts(name, rate), partial(throttle.start, rate=rate, waited=waited, now=asker.now)
    )
    if found.go:
        return asker.goes()
    reason = f"driver {asker.manifest.id} starts {rate.starts} times in {rate.period_s:g} s"
    return Verdict(wait={"on": name, "reason": reason}, look_at=found.at + OUTBOX_DUE_S, knock_at=found.at)


async def _supersede(parts: Parts, record_id: str, pk: str, asker: Asker) -> None:
    """Cancel the run of another event, in whose place this one goes on; one that is over stays as it is."""
    driver, by = asker.manifest.id, asker.record["event_id"]
    try:
        keeper = await Keeper.read(parts.desk, pk, record_id)
    except NotFoundError:
        return

    def change(record: RecordDoc, now: float) -> Change:
        run = record["runs"].get(driver)
        if run is None or run["state"] in FINAL:
            raise LostRunError(f"record {record['id']} has no run of {driver} that goes on")
        error = superseded(by, what="the driver is a singleton")
        return Change(
            record={**record, "runs": {**record["runs"], driver: dropped(run, error, now=now)}}, touched=(driver,)
        )

    with contextlib.suppress(LostRunError):
        await keeper.write(change)
    parts.stops.end(keeper.record)
    parts.observer.recorded(keeper.record)
