"""The log of a process: where its lines go, from which level on, and what becomes of Python's own log records.

`VEXTIR_LOG` says where to; without it there is none, and nothing of it is imported.
"""

import contextlib
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vextir_os.errors import SettingsError
from vextir_os.ports.clock import Clock
from vextir_os.ports.spans import Spans
from vextir_os.processor.observe import Observers
from vextir_os.settings import STDERR, Settings
from vextir_os.telemetry.redact import clean, clean_text
from vextir_os.telemetry.telling import Telling, trace_fields
from vextir_os.telemetry.writer import FileSink, Line, Sink, StreamSink, Writer

_OURS = "vextir"


@contextlib.contextmanager
def logged(settings: Settings, observers: Observers, clock: Clock, spans: Spans | None = None) -> Iterator[None]:
    """Write the log that the settings ask for while the block runs; the lines that wait are written at its end.

    Our own lines are written from `VEXTIR_LOG_LEVEL` on, those of other libraries from WARNING on: they may name what
    ours never do.

    Raises:
        SettingsError: The file cannot be written.
    """
    if not settings.log:
        yield
        return
    from vextir_os.telemetry import lines

    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    to_terminal = settings.log == STDERR and sys.stderr.isatty()
    render = lines.renderer("console" if to_terminal else "json", colors=to_terminal and "NO_COLOR" not in os.environ)
    writer = Writer(_sink(settings.log), render, _dropping(observers, clock))
    telling, handler = Telling(writer, level, clock, spans), Handler(writer)
    root, ours = logging.getLogger(), logging.getLogger(_OURS)
    before = ours.level
    ours.setLevel(level)
    root.addHandler(handler)
    observers.add(telling)
    lines.drivers_may_use_structlog()
    try:
        yield
    finally:
        lines.structlog_as_it_was()
        observers.remove(telling)
        root.removeHandler(handler)
        ours.setLevel(before)
        writer.close()


class Handler(logging.Handler):
    """Takes Python's log records: those of the OS and of drivers, and warnings of other libraries.

    Args:
        writer: Takes the lines.
    """

    def __init__(self, writer: Writer) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        """Hand over one line. What a driver gives is copied here: it may change it the moment after."""
        if record.levelno < logging.WARNING and not record.name.startswith(_OURS):
            return
        bound: Mapping[str, Any] = getattr(record, "vextir", {})
        fields = {name: value for name, value in bound.items() if name not in ("fields", "traceparent")}
        fields |= trace_fields(bound.get("traceparent", ""))
        if record.name != "vextir.driver":
            fields["logger"] = record.name
        if bound.get("fields"):
            fields["fields"] = clean(bound["fields"])
        if record.exc_info:
            fields["exception"] = clean_text("".join(traceback.format_exception(*record.exc_info))[-4_000:])
        self._writer.put(Line(record.created, record.levelno, clean_text(_said(record)), dict, (fields,)))


def _said(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - arguments that do not fit their message cost no line
        return str(record.msg)


def _sink(where: str) -> Sink:
    if where == STDERR:
        return StreamSink(sys.stderr.fileno())
    try:
        return FileSink(Path(where))
    except OSError as error:
        raise SettingsError(
            f"the log {where} cannot be written: {error.strerror}",
            where="VEXTIR_LOG",
            hint="Name a file in a folder of your own, or `stderr`",
        ) from error


def _dropping(observers: Observers, clock: Clock) -> Callable[[int], Line]:
    def dropped(count: int) -> Line:
        observers.unlogged(count)
        return Line(clock.time(), logging.WARNING, "log lines dropped", dict, ({"count": count},))

    return dropped
