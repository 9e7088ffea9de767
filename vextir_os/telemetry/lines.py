"""How a log line looks: JSON for programs, columns for a person at a terminal. The one module with structlog.

Whatever a line holds, it is one line: signs that do not print are escaped, in either form.
"""

import json
import logging
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

from vextir_os.events import jsonio
from vextir_os.telemetry.writer import Line

_LOG = "vextir.driver"
_NAMES = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


def renderer(form: Literal["json", "console"], *, colors: bool = False) -> Callable[[Line], bytes]:
    """Return what makes the bytes of a line, its end included. It never raises."""
    last = _json() if form == "json" else _console(colors)

    def render(line: Line) -> bytes:
        try:
            return last({**_head(line.at, line.level, line.event), **line.make(*line.values)})
        except Exception as error:  # noqa: BLE001 - one line that cannot be made costs no other
            said = {**_head(line.at, line.level, "a log line could not be made"), "error_class": type(error).__name__}
            return last(said)

    return render


def drivers_may_use_structlog() -> None:
    """Let what drivers write by structlog go to the log like `ctx.log`; by default it would go to stdout."""
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _to_stdlib],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=lambda *_names: logging.getLogger(_LOG),
        cache_logger_on_first_use=False,
    )


def structlog_as_it_was() -> None:
    """Undo that."""
    structlog.reset_defaults()


def _to_stdlib(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> tuple[tuple[str], dict[str, dict[str, Any]]]:
    message = str(event.pop("event", ""))
    return (message,), {"extra": {"vextir": {"fields": dict(event)}}}


def _head(at: float, level: int, event: str) -> dict[str, Any]:
    time = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {"time": time, "level": _NAMES.get(level, "info"), "event": event}


def _json() -> Callable[[dict[str, Any]], bytes]:
    render = structlog.processors.JSONRenderer(serializer=lambda fields, **_: jsonio.dumps(fields).decode())

    def line(fields: dict[str, Any]) -> bytes:
        text = str(render(None, "", fields))
        if not text.isprintable():
            text = "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
        return text.encode() + b"\n"

    return line


def _console(colors: bool) -> Callable[[dict[str, Any]], bytes]:
    render = structlog.dev.ConsoleRenderer(colors=colors, timestamp_key="time", pad_event_to=0, sort_keys=False)

    def line(fields: dict[str, Any]) -> bytes:
        trace = str(fields.pop("exception", ""))
        fields.update(fields.pop("fields", {}))
        shown = {_visible(name): _visible(value) for name, value in fields.items()}
        # Behind a bar, so that no line of a traceback reads as one of ours.
        lines = [str(render(None, "", shown)), *(f"    | {_visible(part)}" for part in trace.splitlines())]
        return "\n".join(lines).encode() + b"\n"

    return line


def _visible(value: Any) -> Any:
    if isinstance(value, Mapping | list):
        value = jsonio.dumps(value).decode()
    if isinstance(value, str) and not value.isprintable():
        return "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in value)
    return value
