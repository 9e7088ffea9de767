"""Claiming: which runs of a record this delivery takes, and how it recognises them afterwards."""

from vextir_os.errors import LostRunError
from vextir_os.processor.death import effects_of_death
from vextir_os.processor.turn import Parts, Turn
from vextir_os.runs.keeper import Change, Effect
from vextir_os.runs.record import RecordDoc, RunDoc, claimable
from vextir_os.runs.start import Wait, hindrance
from vextir_os.runs.transitions import Hold, claim, lease_s, set_aside


def claimed(parts: Parts, turn: Turn, record: RecordDoc, now: float) -> Change:
    """Return the change that claims all runs of a record that are claimable and may be executed here now.

    Those that may not begin now, here or elsewhere, are set aside with it.

    Raises:
        LostRunError: There are none.
    """
    runs, touched, effects = dict(record["runs"]), [], list[Effect]()
    for driver, run in record["runs"].items():
        manifest = parts.registry.find(driver)
        # A driver that is not installed here waits for a worker, or a version, that has it.
        if manifest is None or not claimable(run, now=now):
            continue
        wait = hindrance(
            driver=driver,
            lane=run.get("lane", "batch"),
            worker=turn.lane,
            pauses=parts.paused.now,
            event_type=record["event"]["type"],
            tenant=record["id"].partition("~")[0],
            now=now,
        )
        if wait is not None and not _is_set_aside(run, wait, now):
            continue
        runs[driver] = claim(run, owner=turn.owner, now=now, lease=lease_s(manifest.timeout_s))
        if wait is not None and wait.doc is not None and runs[driver]["state"] != "dead":
            runs[driver] = set_aside(run, wait.doc, look_at=wait.look_at)
        touched.append(driver)
        if runs[driver]["state"] == "dead":
            effects.extend(effects_of_death(parts, record, driver, runs[driver], now=now))
    if not touched:
        raise LostRunError(f"nothing of record {record['id']} is claimable")
    return Change(record={**record, "runs": runs}, touched=touched, effects=effects)


def _is_set_aside(run: RunDoc, wait: Wait, now: float) -> bool:
    """Whether a run is written that may not begin now; not again before its time, and not while it is parked."""
    if wait.doc is None or run["state"] == "parked":
        return False
    return (
        run["state"] != "ready"
        or run["wait"] is None
        or run["wait"]["on"] != wait.doc["on"]
        or ((run["not_before"] or 0.0) <= now)
    )


def own_claims(turn: Turn) -> dict[str, Hold]:
    """Return the runs that this delivery has claimed, as the newest copy shows them."""
    return {
        driver: Hold(run["fence"], turn.owner)
        for driver, run in turn.the_keeper.record["runs"].items()
        if run["state"] == "running" and run["owner"] == turn.owner
    }
