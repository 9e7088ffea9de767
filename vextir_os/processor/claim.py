"""Claiming: which runs of a record this delivery takes, and how it recognises them afterwards."""

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import LostRunError
from vextir_os.processor.choice import driver_of
from vextir_os.processor.death import effects_of_death
from vextir_os.processor.flow import ask, give_back
from vextir_os.processor.turn import Parts, Turn
from vextir_os.runs.keeper import Change, Effect, ScheduledMessage
from vextir_os.runs.knocks import knocks
from vextir_os.runs.record import RecordDoc, RunDoc, claimable
from vextir_os.runs.start import Wait, hindrance
from vextir_os.runs.transitions import Hold, claim, dropped, lease_s, moved, set_aside


def claimed(parts: Parts, turn: Turn, record: RecordDoc, now: float) -> Change:
    """Return the change that claims all runs of a record that are claimable and may be executed here now.

    Those that may not begin now, here or elsewhere, are set aside with it.

    Raises:
        LostRunError: There are none.
    """
    runs, touched = dict(record["runs"]), list[str]()
    effects, later = list[Effect](), list[ScheduledMessage]()
    for driver, run in record["runs"].items():
        manifest = driver_of(parts, record, driver)
        # A driver that is not installed here waits for a worker, or a version, that has it.
        if manifest is None or not claimable(run, now=now):
            continue
        after = _next(parts, turn, record, manifest, now)
        if after is None:
            continue
        runs[driver] = after
        touched.append(driver)
        if after["state"] == "dead":
            effects.extend(effects_of_death(parts, record, driver, after, now=now))
        elif after["state"] == "ready" and driver in turn.verdicts:
            at = turn.verdicts[driver].knock_at
            later += knocks(parts.desk, record, [driver], mark=f"f{at}", at=at) if at is not None else []
    if not touched:
        raise LostRunError(f"nothing of record {record['id']} is claimable")
    return Change(record={**record, "runs": runs}, touched=touched, effects=effects, knocks=later)


async def ask_limits(parts: Parts, turn: Turn) -> None:
    """Ask the limits of the drivers that have some, for their runs that this delivery could claim now.

    Raises:
        StoreUnavailableError: The store did not answer.
    """
    record, now = turn.the_keeper.record, parts.desk.clock.time()
    for driver, run in record["runs"].items():
        manifest = driver_of(parts, record, driver)
        if manifest is None or manifest.flow is None or not claimable(run, now=now):
            continue
        if _hindrance(parts, turn, record, manifest, now) is None:
            verdict = await ask(parts, turn, manifest, manifest.flow)
            if verdict is not None:
                turn.verdicts[driver] = verdict


async def give_back_unclaimed(turn: Turn) -> None:
    """Give up what was got for runs that this delivery has not claimed."""
    own = own_claims(turn)
    for driver in [driver for driver in turn.places if driver not in own]:
        await give_back(turn, driver)


def _next(parts: Parts, turn: Turn, record: RecordDoc, manifest: Manifest, now: float) -> RunDoc | None:
    """Return a claimable run as it is written: claimed, set aside, cancelled; None when it is left as it is."""
    run, lease = record["runs"][manifest.id], lease_s(manifest.timeout_s)
    wait = _hindrance(parts, turn, record, manifest, now)
    doc, look_at = (wait.doc, wait.look_at) if wait is not None else (None, 0.0)
    if wait is not None and not _is_set_aside(run, wait, now):
        return None
    if wait is None and manifest.flow is not None:
        verdict = turn.verdicts.get(manifest.id)
        if verdict is None or (verdict.until is not None and now + lease > verdict.until):
            return None
        if verdict.error is not None:
            return dropped(run, verdict.error, now=now)
        doc, look_at = verdict.wait, verdict.look_at
        if doc is not None and (run["state"], run["wait"], run["not_before"]) == ("ready", doc, look_at):
            return None
    if run.get("version") != manifest.version:
        run = moved(run, manifest)
    after = claim(run, owner=turn.owner, now=now, lease=lease)
    return after if doc is None or after["state"] == "dead" else set_aside(run, doc, look_at=look_at)


def _hindrance(parts: Parts, turn: Turn, record: RecordDoc, manifest: Manifest, now: float) -> Wait | None:
    return hindrance(
        driver=manifest.id,
        lane=record["runs"][manifest.id].get("lane", "batch"),
        worker=turn.lane,
        pauses=parts.paused.now,
        event_type=record["event"]["type"],
        tenant=record["id"].partition("~")[0],
        now=now,
    )


def _is_set_aside(run: RunDoc, wait: Wait, now: float) -> bool:
    """Whether a run is written that may not begin now; not again before its time, and not while it is parked."""
    if wait.doc is None or run["state"] == "parked":
        return False
    waits_for_it = run["state"] == "ready" and run["wait"] is not None and run["wait"]["on"] == wait.doc["on"]
    return not waits_for_it or (run["not_before"] or 0.0) <= now


def own_claims(turn: Turn) -> dict[str, Hold]:
    """Return the runs that this delivery has claimed, as the newest copy shows them."""
    return {
        driver: Hold(run["fence"], turn.owner)
        for driver, run in turn.the_keeper.record["runs"].items()
        if run["state"] == "running" and run["owner"] == turn.owner
    }
