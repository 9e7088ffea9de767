"""Spans of publishing, processing and committing, made after the fact. Knows no tracing library.

The id of a run's span is derived from its claim, so that what the run emits can name it before it is over, nothing is
kept meanwhile, and a run that another worker repeats is another span.
"""

import hashlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from vextir_os.events.event import Event
from vextir_os.events.traceparent import TraceParent, read_traceparent
from vextir_os.ports.clock import Clock
from vextir_os.processor.observe import Observer
from vextir_os.runs.record import RecordDoc
from vextir_os.telemetry import semconv

if TYPE_CHECKING:
    from vextir_os.processor.turn import Turn

QUEUE = "events"
"""Where events are published to, whatever lane takes them on."""

Kind = Literal["producer", "client", "consumer"]


class Span(NamedTuple):
    """One span that is over. `began` and `ended` in epoch seconds; `error` is a class name, empty when it went well."""

    name: str
    kind: Kind
    own: TraceParent
    parent: TraceParent | None
    links: Sequence[TraceParent]
    began: float
    ended: float
    attributes: Mapping[str, str | int]
    error: str = ""


class Spans(Observer):
    """Makes spans and hands them on. Implements `ports.spans.Spans`.

    Args:
        export: Takes each span; must not wait.
        clock: The store's time.
    """

    def __init__(self, export: Callable[[Span], None], clock: Clock) -> None:
        self._export = export
        self._time = clock.time

    def sending(self, events: Sequence[Event]) -> "Sending":
        """Begin to publish events."""
        return Sending(events, self._export, self._time)

    def of_run(self, traceparent: str, record: str, driver: str, rerun: int, fence: int) -> str:
        """Return the `traceparent` of one claim of a run."""
        return str(_of_run(read_traceparent(traceparent), record, driver, rerun, fence, "process"))

    def ended(self, turn: "Turn", record: RecordDoc, driver: str) -> None:
        """Make the spans of an attempt: of its processing and of its commit."""
        run, event = record["runs"][driver], _Named.of(turn, record)
        parent = read_traceparent(event.traceparent)
        if run["started"] is None or run["ended"] is None or (parent is not None and not parent.sampled):
            return
        named = (record["id"], driver, run["rerun"], run["fence"])
        own, commit = _of_run(parent, *named, "process"), _of_run(parent, *named, "commit")
        queue, failed = turn.delivery.entity, run["state"] != "done"
        attributes = _attributes("process", "process", queue) | event.attributes()
        attributes |= {
            semconv.DRIVER: driver,
            semconv.STATE: run["state"],
            # The record counts those that failed.
            semconv.ATTEMPT: run["attempt"] + (not failed),
            semconv.RERUN: run["rerun"],
            semconv.TENANT: record["pk"].partition("~")[0],
            semconv.CONVERSATION: record["pk"].partition("~")[2],
        }
        error = str((run["error"] or {}).get("class", "error")) if failed else ""
        self._export(
            Span(f"process {queue}", "consumer", own, parent, (), run["started"], run["ended"], attributes, error)
        )
        attributes = _attributes("commit", "settle", queue) | {semconv.MESSAGE_ID: record["event_id"]}
        self._export(Span(f"commit {queue}", "client", commit, own, (), run["ended"], self._time(), attributes))


class Sending:
    """One request to publish: a span for a single event; of several, one for each and one for the request."""

    def __init__(self, events: Sequence[Event], export: Callable[[Span], None], time: Callable[[], float]) -> None:
        self._export = export
        self._time = time
        self._began = time()
        self._parents = [read_traceparent(event.traceparent) for event in events]
        self._own = [_new(parent) for parent in self._parents]
        self.events = [event.stamped(traceparent=str(own)) for event, own in zip(events, self._own, strict=True)]

    def ended(self, stamped: Sequence[Event], error: str = "") -> None:
        """Make the spans."""
        now, alone = self._time(), len(stamped) == 1
        word = "send" if alone else "create"
        for event, own, parent in zip(stamped, self._own, self._parents, strict=True):
            attributes = _attributes(word, word, QUEUE) | _Named.of_event(event).attributes()
            attributes |= {semconv.TENANT: event.tenantid, semconv.CONVERSATION: event.correlationid}
            self._give(Span(f"{word} {QUEUE}", "producer", own, parent, (), self._began, now, attributes, error))
        if not alone and stamped:
            # Of one trace only if all events are.
            parent = self._parents[0] if len(set(self._parents)) == 1 else None
            attributes = _attributes("send", "send", QUEUE) | {semconv.BATCH_COUNT: len(stamped)}
            links = tuple(self._own)
            self._give(
                Span(f"send {QUEUE}", "client", _new(parent), parent, links, self._began, now, attributes, error)
            )

    def _give(self, span: Span) -> None:
        if span.own.sampled:
            self._export(span)


class _Named(NamedTuple):
    """What spans say of an event."""

    id: str
    source: str
    type: str
    subject: str
    traceparent: str

    @classmethod
    def of_event(cls, event: Event) -> "_Named":
        return cls(event.id, event.source, event.type, event.subject, event.traceparent)

    @classmethod
    def of(cls, turn: "Turn", record: RecordDoc) -> "_Named":
        if turn.event is not None:
            return cls.of_event(turn.event)
        # A record that was read holds its event decoded.
        event: Mapping[str, Any] = record["event"]
        return cls(event["id"], event["source"], event["type"], event.get("subject", ""), event.get("traceparent", ""))

    def attributes(self) -> dict[str, str | int]:
        named: dict[str, str | int] = {
            semconv.MESSAGE_ID: self.id,
            semconv.EVENT_ID: self.id,
            semconv.EVENT_SOURCE: self.source,
            semconv.EVENT_TYPE: self.type,
            semconv.SPEC_VERSION: "1.0",
        }
        return named | ({semconv.EVENT_SUBJECT: self.subject} if self.subject else {})


def _attributes(name: str, operation: str, queue: str) -> dict[str, str | int]:
    return {
        semconv.SYSTEM: semconv.VEXTIR,
        semconv.OPERATION_NAME: name,
        semconv.OPERATION_TYPE: operation,
        semconv.DESTINATION: queue,
    }


def _of_run(parent: TraceParent | None, record: str, driver: str, rerun: int, fence: int, what: str) -> TraceParent:
    # Of an event of no trace, all that happens with it is one.
    trace = parent.trace_id if parent is not None else _digest(16, record)
    sampled = parent is None or parent.sampled
    return TraceParent(trace, _digest(8, record, driver, str(rerun), str(fence), what), sampled)


def _new(parent: TraceParent | None) -> TraceParent:
    if parent is None:
        return TraceParent(secrets.token_hex(16), secrets.token_hex(8))
    return TraceParent(parent.trace_id, secrets.token_hex(8), parent.sampled)


def _digest(size: int, *parts: str) -> str:
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=size, person=b"vextir-span").hexdigest()
