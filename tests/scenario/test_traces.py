"""Traces by OpenTelemetry's SDK: one trace from the publisher through every run, told after the fact."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.support.clock import FakeClock
from tests.support.harness import an_os
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.driverkit.failures import TransientError
from vextir_os.driverkit.result import Result
from vextir_os.errors import DeniedError
from vextir_os.events.event import Event
from vextir_os.events.traceparent import TraceParent, read_traceparent
from vextir_os.settings import Settings, load_settings
from vextir_os.telemetry.otel import Tracing
from vextir_os.telemetry.spans import Spans
from vextir_os.telemetry.traces import traced

OUTSIDE = TraceParent("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", True)


@driver("first", capabilities=["order.placed"], permissions=["emit:order.accepted"])
async def first(event: Event, ctx: Context) -> Result:
    return Result(output=ctx.traceparent, events=[Event(type="order.accepted")])


@driver("second", capabilities=["order.accepted"], delivery="idempotent")
async def second(event: Event) -> None:
    return None


@driver("unsteady", capabilities=["job.sent"])
async def unsteady(event: Event, ctx: Context) -> None:
    if ctx.attempt == 1:
        raise TransientError("not now")


@contextlib.contextmanager
def tracing(clock: FakeClock) -> Iterator[tuple[Spans, list[ReadableSpan]]]:
    """Yield what makes spans, and a list that holds them after the block, by their start."""
    exporter, found = InMemorySpanExporter(), list[ReadableSpan]()
    sink = Tracing(exporter)
    yield Spans(sink.export, clock), found
    sink.close()
    found += sorted(exporter.get_finished_spans(), key=lambda span: (span.start_time or 0, span.end_time or 0))


def named(spans: Sequence[ReadableSpan], name: str) -> list[ReadableSpan]:
    return [span for span in spans if span.name == name]


def parent_of(span: ReadableSpan) -> str:
    return f"{span.parent.span_id:016x}" if span.parent else ""


def own(span: ReadableSpan) -> str:
    assert span.context
    return f"{span.context.span_id:016x}"


async def test_one_trace_leads_from_the_publisher_through_all_runs(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    with tracing(clock) as (spans, found):
        async with an_os(tmp_path, first, second, atomic=atomic, clock=clock, working=False, spans=spans) as os:
            await os.publish(Event(id="e-1", type="order.placed", traceparent=str(OUTSIDE)))
            clock.advance(1)
            await os.work()
            seen = read_traceparent((await os.record("e-1"))["runs"]["first"]["output"])
    assert {f"{span.context.trace_id:032x}" for span in found if span.context} == {OUTSIDE.trace_id}
    [sent] = named(found, "send events")
    run, follow_up = named(found, "process events")
    committed, _ = named(found, "commit events")
    assert [parent_of(span) for span in (sent, run, committed, follow_up)] == [
        OUTSIDE.span_id, own(sent), own(run), own(run)
    ]  # fmt: skip
    assert seen == TraceParent(OUTSIDE.trace_id, own(run), True)
    assert [span.kind for span in (sent, run, committed)] == [SpanKind.PRODUCER, SpanKind.CONSUMER, SpanKind.CLIENT]
    assert (run.start_time, run.end_time) == (int((clock.time()) * 1e9),) * 2


async def test_spans_say_what_the_messaging_conventions_ask_for(tmp_path: Path) -> None:
    clock = FakeClock()
    with tracing(clock) as (spans, found):
        async with an_os(tmp_path, second, clock=clock, working=False, spans=spans) as os:
            event = Event(
                id="e-1", type="order.accepted", source="/shop", subject="s", correlationid="c-1", data="DATA"
            )
            await os.publish(event)
            await os.work()
    [sent], [run], [committed] = (named(found, f"{name} events") for name in ("send", "process", "commit"))
    assert dict(run.attributes or {}) == {
        "messaging.system": "vextir",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "events",
        "messaging.message.id": "e-1",
        "messaging.message.conversation_id": "c-1",
        "cloudevents.event_id": "e-1",
        "cloudevents.event_source": "/shop",
        "cloudevents.event_type": "order.accepted",
        "cloudevents.event_subject": "s",
        "cloudevents.event_spec_version": "1.0",
        "vextir.driver": "second",
        "vextir.run.state": "done",
        "vextir.run.attempt": 1,
        "vextir.run.rerun": 0,
        "vextir.tenant": "local",
    }
    assert [(span.attributes or {})["messaging.operation.type"] for span in (sent, committed)] == ["send", "settle"]
    scope = run.instrumentation_scope
    assert scope
    assert (scope.name, scope.schema_url) == ("vextir_os", "https://opentelemetry.io/schemas/1.44.0")
    assert run.resource.attributes["service.name"] == "vextir-os"
    assert "DATA" not in "".join(span.to_json() for span in found)


async def test_a_batch_is_one_send_that_links_what_it_creates(tmp_path: Path) -> None:
    clock = FakeClock()
    with tracing(clock) as (spans, found):
        async with an_os(tmp_path, working=False, clock=clock, spans=spans) as os:
            await os.publish(*(Event(type="un.heard", traceparent=str(OUTSIDE)) for _ in range(3)))
    created, [sent] = named(found, "create events"), named(found, "send events")
    assert (sent.kind, {span.kind for span in created}) == (SpanKind.CLIENT, {SpanKind.PRODUCER})
    assert {parent_of(span) for span in (*created, sent)} == {OUTSIDE.span_id}
    assert sorted(f"{link.context.span_id:016x}" for link in sent.links) == sorted(map(own, created))
    assert (sent.attributes or {})["messaging.batch.message_count"] == 3


async def test_every_attempt_is_a_span_of_its_own_below_the_same_one(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    with tracing(clock) as (spans, found):
        async with an_os(tmp_path, unsteady, atomic=atomic, clock=clock, working=False, draw=0.5, spans=spans) as os:
            await os.publish(Event(id="e-1", type="job.sent"))
            await os.work()
            clock.advance(400)
            await os.sweep()
            await os.work()
    [sent], (failed, done) = named(found, "send events"), named(found, "process events")
    assert [parent_of(failed), parent_of(done)] == [own(sent)] * 2
    assert own(failed) != own(done)
    assert ((failed.attributes or {})["error.type"], failed.status.status_code) == ("TransientError", StatusCode.ERROR)
    assert ((done.attributes or {})["vextir.run.attempt"], done.status.status_code) == (2, StatusCode.UNSET)


async def test_an_event_of_no_trace_begins_one_and_all_that_follows_is_in_it(tmp_path: Path, atomic: bool) -> None:
    clock = FakeClock()
    with tracing(clock) as (spans, found):
        async with an_os(tmp_path, first, second, atomic=atomic, clock=clock, working=False, spans=spans) as os:
            await os.send(b'{"type": "order.placed", "id": "f-1"}')
            await os.work()
    assert len({span.context.trace_id for span in found if span.context}) == 1
    run, follow_up = named(found, "process events")
    assert (parent_of(run), parent_of(follow_up)) == ("", own(run))


async def test_a_trace_that_its_beginner_does_not_record_is_handed_on_and_not_sent(tmp_path: Path) -> None:
    clock = FakeClock()
    with tracing(clock) as (spans, found):
        async with an_os(tmp_path, first, second, clock=clock, working=False, spans=spans) as os:
            quiet = OUTSIDE._replace(sampled=False)
            await os.publish(Event(id="e-1", type="order.placed", traceparent=str(quiet)))
            await os.work()
            [child] = await os.records("order.accepted")
    assert found == []
    handed_on = read_traceparent(child["event"]["traceparent"])
    assert handed_on
    assert (handed_on.trace_id, handed_on.sampled) == (OUTSIDE.trace_id, False)


async def test_a_request_that_is_refused_is_a_span_with_its_error(tmp_path: Path) -> None:
    clock = FakeClock()
    with tracing(clock) as (spans, found):
        async with an_os(tmp_path, policies=(), clock=clock, working=False, spans=spans) as os:
            with contextlib.suppress(DeniedError):
                await os.publish(Event(type="un.heard"))
    [sent] = found
    assert ((sent.attributes or {})["error.type"], sent.status.status_code) == ("DeniedError", StatusCode.ERROR)


class Collector(BaseHTTPRequestHandler):
    """Takes OTLP over HTTP and keeps what it reads."""

    requests: list[tuple[str, ExportTraceServiceRequest]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.requests.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


async def test_a_collector_gets_them_over_http(tmp_path: Path) -> None:
    requests: list[tuple[str, ExportTraceServiceRequest]] = []
    handler = type("Kept", (Collector,), {"requests": requests})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings = load_settings(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.server_port}"})
        with traced(settings) as spans:
            async with an_os(tmp_path, second, working=False, spans=spans) as os:
                await os.publish(Event(id="e-1", type="order.accepted"))
                await os.work()
        server.shutdown()
    assert {path for path, _ in requests} == {"/v1/traces"}
    names = [
        span.name
        for _, request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert sorted(names) == ["commit events", "process events", "send events"]


async def test_a_collector_that_is_down_costs_no_event(tmp_path: Path, atomic: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = Settings(root=tmp_path, data_dir=tmp_path, otlp_endpoint=f"http://127.0.0.1:{port}")
    with traced(settings) as spans:
        async with an_os(tmp_path, second, atomic=atomic, spans=spans) as os:
            records = await os.run(*(Event(type="order.accepted") for _ in range(20)))
    assert [record["runs"]["second"]["state"] for record in records] == ["done"] * 20


def test_a_variable_that_names_no_http_collector_is_not_ours(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317"}).otlp_endpoint == ""


def test_our_own_setting_wins_over_the_common_one(tmp_path: Path) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "VEXTIR_OTLP_ENDPOINT": "http://b"}
    assert load_settings(tmp_path, environ).otlp_endpoint == "http://b"
