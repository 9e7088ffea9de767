"""From the outcome of an attempt to the write that makes it take effect. Pure but for the signature and the draw."""

from collections.abc import Sequence

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import LostRunError
from vextir_os.processor.attempt import Done
from vextir_os.processor.death import effects_of_death
from vextir_os.processor.turn import Parts
from vextir_os.runs.keeper import Change, Effect, ScheduledMessage
from vextir_os.runs.messages import Knock, knock_message, retry_knock_id
from vextir_os.runs.record import RecordDoc, RunDoc
from vextir_os.runs.transitions import Failure, Hold, done, failed


def change_for(
    parts: Parts, record: RecordDoc, manifest: Manifest, hold: Hold, outcome: Done | Failure, now: float
) -> Change:
    """Return what becomes of a run after an attempt: done with its output, in retry with a knock, or dead.

    Args:
        parts: For the signature of knocks and the draw of delays.
        record: The copy that will be written.
        manifest: The driver.
        hold: The caller's claim on its run.
        outcome: Of the attempt.
        now: Epoch seconds.

    Raises:
        LostRunError: The run is not held any more, on this copy.
    """
    driver = manifest.id
    run = held_run(record, driver)
    if isinstance(outcome, Done):
        after = done(
            run, hold, now=now, output=outcome.output, output_ref=outcome.output_ref, decisions=outcome.decisions
        )
        return _changed(record, driver, after, effects=outcome.emits)
    after = failed(run, hold, outcome, manifest.retry, now=now, draw=parts.draw())
    if after["state"] == "dead":
        return _changed(record, driver, after, effects=effects_of_death(parts, record, driver, after, now=now))
    knock = knock_message(
        parts.desk.signer,
        Knock(record["id"], record["pk"]),
        id=retry_knock_id(record["event_id"], driver, after["rerun"], after["attempt"]),
        flow=record["id"].partition("~")[0],
    )
    lane = after.get("lane", "batch")
    return _changed(record, driver, after, knocks=(ScheduledMessage(knock, after["not_before"], lane),))


def held_run(record: RecordDoc, driver: str) -> RunDoc:
    """Return a driver's run on this copy. Raises `LostRunError` when there is none."""
    run = record["runs"].get(driver)
    if run is None:
        raise LostRunError("the run is gone from its record")
    return run


def _changed(
    record: RecordDoc,
    driver: str,
    run: RunDoc,
    *,
    effects: Sequence[Effect] = (),
    knocks: Sequence[ScheduledMessage] = (),
) -> Change:
    return Change(
        record={**record, "runs": {**record["runs"], driver: run}},
        touched=(driver,),
        effects=effects,
        knocks=knocks,
    )
