"""Spans to a collector, by OpenTelemetry's SDK. The one module with it; imported when an endpoint is set.

Spans are queued, at most 2048, and sent in batches by a thread of the SDK: while the collector is down, the oldest are
dropped and nothing else happens.
"""

import threading

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

import vextir_os
from vextir_os.events.traceparent import TraceParent
from vextir_os.telemetry.semconv import ERROR_TYPE, SCHEMA_URL
from vextir_os.telemetry.spans import Span

_KINDS = {"producer": trace.SpanKind.PRODUCER, "client": trace.SpanKind.CLIENT, "consumer": trace.SpanKind.CONSUMER}
_TRACES = "/v1/traces"
_CLOSE_S = 2.0
_TIMEOUT_S = 5.0


class Tracing:
    """Takes spans and sends them. Used from one thread.

    Args:
        exporter: Where to.
        service: Name of this service for whoever looks at the traces, unless `OTEL_SERVICE_NAME` says another.
    """

    def __init__(self, exporter: SpanExporter, *, service: str = "vextir-os") -> None:
        self._ids = _Given()
        resource = Resource({"service.name": service, "service.version": vextir_os.__version__}).merge(
            Resource.create({})
        )
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=_named(resource, service),
            id_generator=self._ids,
            span_limits=SpanLimits(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("vextir_os", vextir_os.__version__, schema_url=SCHEMA_URL)

    def export(self, span: Span) -> None:
        """Take one span. Never waits."""
        self._ids.own = span.own
        # Never that of whoever happens to be at work on this thread.
        context = Context()
        if span.parent is not None:
            context = trace.set_span_in_context(trace.NonRecordingSpan(_context(span.parent)), context)
        made = self._tracer.start_span(
            span.name,
            context,
            kind=_KINDS[span.kind],
            attributes=span.attributes,
            links=[trace.Link(_context(link)) for link in span.links],
            start_time=int(span.began * 1e9),
        )
        if span.error:
            made.set_attribute(ERROR_TYPE, span.error)
            made.set_status(trace.StatusCode.ERROR)
        made.end(int(span.ended * 1e9))

    def close(self) -> None:
        """Send what waits, for two seconds at most."""
        # The SDK's own end would wait half a minute for a collector that does not answer.
        closing = threading.Thread(target=self._provider.shutdown, name="vextir-spans-close", daemon=True)
        closing.start()
        closing.join(_CLOSE_S)


def exporter_to(endpoint: str) -> SpanExporter:
    """Return the exporter to a collector that speaks OTLP over HTTP: `http://localhost:4318`."""
    url = endpoint if endpoint.endswith(_TRACES) else endpoint.rstrip("/") + _TRACES
    return OTLPSpanExporter(endpoint=url, timeout=_TIMEOUT_S)


class _Given(IdGenerator):
    """Gives the ids of the span that is made next: ours are known before."""

    own: TraceParent

    def generate_span_id(self) -> int:
        return int(self.own.span_id, 16)

    def generate_trace_id(self) -> int:
        return int(self.own.trace_id, 16)


def _context(of: TraceParent) -> trace.SpanContext:
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if of.sampled else trace.TraceFlags.DEFAULT)
    return trace.SpanContext(int(of.trace_id, 16), int(of.span_id, 16), is_remote=True, trace_flags=flags)


def _named(resource: Resource, service: str) -> Resource:
    # The SDK names a service that nobody named after the program: `unknown_service:python`.
    if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
        return resource.merge(Resource({"service.name": service}))
    return resource
