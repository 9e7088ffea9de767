"""The dead letter of a run that failed for good. Pure."""

from vextir_os.events.ids import derive
from vextir_os.runs.keeper import Put
from vextir_os.runs.record import DEAD_LETTERS, RecordDoc, RunDoc

_RETENTION_S = 90 * 86_400


def dead_run(record: RecordDoc, driver: str, run: RunDoc, *, now: float) -> Put:
    """Return the dead letter that comes into being with the write that makes the run dead; its id is derived.

    Args:
        record: The copy that is written.
        driver: Id of the driver.
        run: The run, dead.
        now: Epoch seconds.
    """
    rerun = run["rerun"]
    return Put(
        run=driver,
        rerun=rerun,
        n=0,
        container=DEAD_LETTERS,
        doc={
            "v": 1,
            "id": derive("dead", record["id"], driver, rerun),
            "pk": record["id"].partition("~")[0],
            "kind": "run",
            "record": {"id": record["id"], "pk": record["pk"]},
            "event_id": record["event_id"],
            "driver": driver,
            "rerun": rerun,
            "attempts": run["attempt"],
            "error": run["error"],
            "at": now,
            "ttl": _RETENTION_S,
        },
    )
