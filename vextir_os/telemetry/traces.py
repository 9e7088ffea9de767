"""Whether traces are collected: only where an endpoint is set, and only then is the SDK imported."""

import contextlib
from collections.abc import Iterator

from vextir_os.errors import SettingsError
from vextir_os.ports.clock import Clock, SystemClock
from vextir_os.settings import Settings
from vextir_os.telemetry.spans import Spans


@contextlib.contextmanager
def traced(settings: Settings, clock: Clock | None = None) -> Iterator[Spans | None]:
    """Yield what makes spans and sends them to the collector of the settings; None when there is none.

    Raises:
        SettingsError: A collector is set, and the extra `otel` is not installed.
    """
    if not settings.otlp_endpoint:
        yield None
        return
    try:
        from vextir_os.telemetry import otel
    except ImportError as error:
        raise SettingsError(
            "opentelemetry is needed to send traces and is not installed",
            where="VEXTIR_OTLP_ENDPOINT",
            hint="Run: pip install 'vextir-os[otel]'",
        ) from error
    tracing = otel.Tracing(otel.exporter_to(settings.otlp_endpoint))
    try:
        yield Spans(tracing.export, clock or SystemClock())
    finally:
        tracing.close()
