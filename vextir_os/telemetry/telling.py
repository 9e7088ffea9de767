"""Which lines the OS itself writes: one for each run that ended, and for each decision that is not `allow`.

An observer that hands over ids and words; the line is made in the log's thread. No data of an event is among them, and
no text that an error quotes: both stand on the record, which the line names. At level DEBUG the error's text is there.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vextir_os.errors import ConflictError, DeniedError, StoreError, VextirError
from vextir_os.events.names import is_reserved
from vextir_os.events.traceparent import read_traceparent
from vextir_os.ports.clock import Clock
from vextir_os.ports.spans import Spans
from vextir_os.processor.observe import Observer
from vextir_os.runs.record import RecordDoc
from vextir_os.telemetry.redact import clean_text
from vextir_os.telemetry.writer import Line, Writer

if TYPE_CHECKING:
    from vextir_os.processor.sweep import Swept
    from vextir_os.processor.turn import Turn

_WORDS = {
    "done": (logging.INFO, "run done"),
    "retry": (logging.WARNING, "run failed and is tried again"),
    "dead": (logging.ERROR, "run dead"),
}


class Telling(Observer):
    """Writes lines of what took effect.

    Args:
        writer: Takes them.
        level: The lowest that is written: `logging.INFO`.
        clock: The store's time.
        spans: Where traces are collected: names the spans of runs.
    """

    def __init__(self, writer: Writer, level: int, clock: Clock, spans: Spans | None = None) -> None:
        self._put = writer.put
        self._level = level
        self._time = clock.time
        self._spans = spans

    def ended(self, turn: "Turn", record: RecordDoc, driver: str) -> None:
        """Tell of an attempt: done, to be tried again, dead."""
        run = record["runs"][driver]
        level, word = _WORDS.get(run["state"], (logging.INFO, f"run {run['state']}"))
        if level < self._level:
            return
        error = run["error"] if run["state"] != "done" else None
        named = _of(turn, record)
        if self._spans is not None:
            own = self._spans.of_run(named[4], record["id"], driver, run["rerun"], run["fence"])
            named = (*named[:4], own)
        values = (
            *named, driver, run["rerun"], run["attempt"], run["started"], run["ended"], run["not_before"],
            error, self._level <= logging.DEBUG,
        )  # fmt: skip
        self._put(Line(self._time(), level, word, _run, values))

    def admitted(self, turn: "Turn", record: RecordDoc) -> None:
        """Tell of an event that may not be processed now, or that nobody handles."""
        effect = record["decision"]["effect"]
        if effect != "allow":
            if self._level <= logging.INFO:
                values = (*_of(turn, record), record["decision"])
                self._put(Line(self._time(), logging.INFO, f"event decided: {effect}", _decision, values))
        elif not record["runs"] and self._level <= logging.WARNING:
            named = _of(turn, record)
            # What the OS itself tells may interest nobody.
            if not is_reserved(named[3]):
                self._put(Line(self._time(), logging.WARNING, "event unrouted", _event, named))

    def refused(self, error: VextirError) -> None:
        """Tell of a request to publish that was not accepted."""
        if self._level <= logging.INFO:
            self._put(Line(self._time(), logging.INFO, "publish refused", _refusal, (error,)))

    def quarantined(self, reason: str, document_id: str) -> None:
        """Tell of a message that could not be read; not of what stands in it, which the reason may quote."""
        values = (document_id, reason, self._level <= logging.DEBUG)
        self._put(Line(self._time(), logging.ERROR, "message dead-lettered", _message, values))

    def lost(self, driver: str) -> None:
        """Tell of a run that another worker took."""
        if self._level <= logging.WARNING:
            self._put(Line(self._time(), logging.WARNING, "run lost to another worker", _driver, (driver,)))

    def missed(self, error: StoreError) -> None:
        """Tell of a store that did not answer; that another was first is daily business."""
        level = logging.DEBUG if isinstance(error, ConflictError) else logging.WARNING
        if self._level <= level:
            self._put(Line(self._time(), level, "write to a record is looked at again", _error, (error,)))

    def swept(self, swept: "Swept") -> None:
        """Tell of a sweep that found something."""
        if self._level <= logging.INFO and (swept.knocked or swept.drained):
            self._put(Line(self._time(), logging.INFO, "sweep", _sweep, (swept.knocked, swept.drained, swept.purged)))


def trace_fields(traceparent: str) -> dict[str, str]:
    """Return `trace_id` and `span_id`, or nothing."""
    found = read_traceparent(traceparent) if traceparent else None
    return {} if found is None else {"trace_id": found.trace_id, "span_id": found.span_id}


def _of(turn: "Turn", record: RecordDoc) -> tuple[str, str, str, str, str]:
    """Return what names an event: record, partition, event id, type, traceparent."""
    event = turn.event
    if event is not None:
        return record["id"], record["pk"], record["event_id"], event.type, event.traceparent
    # A record that was read holds its event decoded.
    stored = record["event"]
    return record["id"], record["pk"], record["event_id"], stored["type"], stored.get("traceparent", "")


# What follows runs in the log's thread.


def _event(record: str, pk: str, event_id: str, type_: str, traceparent: str) -> dict[str, Any]:
    tenant, _, correlation = pk.partition("~")
    fields = {"event_id": event_id, "type": type_, "record": record, "correlation_id": correlation, "tenant": tenant}
    return fields | trace_fields(traceparent)


def _run(
    record: str, pk: str, event_id: str, type_: str, traceparent: str, driver: str, rerun: int, attempt: int,
    started: float | None, ended: float | None, not_before: float | None, error: Mapping[str, Any] | None, quotes: bool,
) -> dict[str, Any]:  # fmt: skip
    tenant, _, correlation = pk.partition("~")
    fields: dict[str, Any] = {
        "event_id": event_id,
        "type": type_,
        "run": f"{record}/{driver}/{rerun}",
        "driver": driver,
        "correlation_id": correlation,
        "tenant": tenant,
        # The record counts those that failed.
        "attempt": attempt + (error is None),
    }
    if started is not None and ended is not None:
        fields["duration_ms"] = round((ended - started) * 1_000, 3)
    if error is not None:
        fields |= {f"error_{name}": error.get(name) for name in ("code", "class", "kind")}
        if not_before is not None and ended is not None:
            fields["again_in_s"] = round(not_before - ended, 3)
        if quotes:
            fields["error"] = clean_text(str(error.get("message", "")))
    return fields | trace_fields(traceparent)


def _decision(
    record: str, pk: str, event_id: str, type_: str, traceparent: str, decision: Mapping[str, Any]
) -> dict[str, Any]:
    said = {"effect": decision["effect"], "policy_id": decision.get("policy_id"), "reason": decision.get("reason")}
    return _event(record, pk, event_id, type_, traceparent) | said


def _refusal(error: VextirError) -> dict[str, Any]:
    # A denial names type, principal and policy; other refusals may quote what was sent.
    said = {"error": clean_text(error.what), "policy_id": error.policy_id} if isinstance(error, DeniedError) else {}
    return {"error_code": error.code, "error_class": type(error).__name__, **said}


def _message(document: str, reason: str, quotes: bool) -> dict[str, Any]:
    return {"dead_letter": document, **({"error": clean_text(reason)} if quotes else {})}


def _driver(driver: str) -> dict[str, Any]:
    return {"driver": driver}


def _error(error: VextirError) -> dict[str, Any]:
    return {"error_code": error.code, "error": clean_text(error.what)}


def _sweep(knocked: int, drained: int, purged: int) -> dict[str, Any]:
    return {"knocked": knocked, "drained": drained, "purged": purged}
