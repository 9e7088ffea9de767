"""What takes effect with the write that makes a run dead, whoever makes it: its dead letter, and the event of it."""

from vextir_os.events import jsonio
from vextir_os.events.codec import decode_one, encode
from vextir_os.events.event import Event
from vextir_os.processor.turn import Parts
from vextir_os.runs.deadletter import dead_run, dead_run_id
from vextir_os.runs.errorevent import error_event
from vextir_os.runs.keeper import Effect, Emit
from vextir_os.runs.lineage import beside, emitters
from vextir_os.runs.messages import event_message
from vextir_os.runs.record import RecordDoc, RunDoc


def effects_of_death(parts: Parts, record: RecordDoc, driver: str, run: RunDoc, *, now: float) -> tuple[Effect, ...]:
    """Return the effects of the write that makes this run dead.

    Args:
        parts: For the signature, the registry and the limits.
        record: The copy that is written.
        driver: Id of the driver.
        run: The run, dead.
        now: Epoch seconds.
    """
    letter = dead_run(record, driver, run, now=now, ttl_s=parts.desk.letters_s)
    event = _event(parts, record, driver, run)
    if event is None:
        return (letter,)
    message = event_message(parts.desk.signer, event, encode(event, checked=True))
    return letter, Emit(run=driver, rerun=run["rerun"], n=letter.n + 1, message=message)


def tell_of_death(parts: Parts, record: RecordDoc, driver: str) -> None:
    """Let the observers know of the event that came of a run's death; nothing when the run is not dead."""
    run = record["runs"][driver]
    event = _event(parts, record, driver, run) if run["state"] == "dead" else None
    if event is not None:
        parts.observer.emitted(event)


def _event(parts: Parts, record: RecordDoc, driver: str, run: RunDoc) -> Event | None:
    event = decode_one(jsonio.dumps(record["event"]))
    letter = dead_run_id(record["id"], driver, run["rerun"])
    runs = record["runs"].items()
    able = emitters(parts.registry.find(name, each.get("version", "")) for name, each in runs)
    lineage = beside(event.lineage, driver, event.type, able, parts.limits)
    return error_event(event, driver, run, lineage=lineage, dead_letter=letter)
