"""Claiming: which runs of a record this delivery takes, and how it recognises them afterwards."""

from vextir_os.errors import LostRunError
from vextir_os.processor.death import effects_of_death
from vextir_os.processor.turn import Parts, Turn
from vextir_os.runs.keeper import Change, Effect
from vextir_os.runs.record import RecordDoc, claimable
from vextir_os.runs.start import hindrance
from vextir_os.runs.transitions import Hold, claim, lease_s


def claimed(parts: Parts, turn: Turn, record: RecordDoc, now: float) -> Change:
    """Return the change that claims all runs of a record that are claimable and may be executed here.

    Raises:
        LostRunError: There are none.
    """
    runs, touched, effects = dict(record["runs"]), [], list[Effect]()
    for driver, run in record["runs"].items():
        manifest = parts.registry.find(driver)
        # A driver that is not installed here waits for a worker, or a version, that has it.
        if manifest is None or not claimable(run, now=now):
            continue
        if hindrance(lane=run.get("lane", "batch"), worker=turn.lane, now=now) is not None:
            continue
        runs[driver] = claim(run, owner=turn.owner, now=now, lease=lease_s(manifest.timeout_s))
        touched.append(driver)
        if runs[driver]["state"] == "dead":
            effects.extend(effects_of_death(parts, record, driver, runs[driver], now=now))
    if not touched:
        raise LostRunError(f"nothing of record {record['id']} is claimable")
    return Change(record={**record, "runs": runs}, touched=touched, effects=effects)


def own_claims(turn: Turn) -> dict[str, Hold]:
    """Return the runs that this delivery has claimed, as the newest copy shows them."""
    return {
        driver: Hold(run["fence"], turn.owner)
        for driver, run in turn.the_keeper.record["runs"].items()
        if run["state"] == "running" and run["owner"] == turn.owner
    }
