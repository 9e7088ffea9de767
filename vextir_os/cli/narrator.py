"""What a running OS tells its operator: one line for each event that is over, failed, or could not be read.

Lines are written by a thread of their own. A terminal that stands still never holds up the OS: what it cannot take in
time is counted and left out. Everything told stands in the store as well.
"""

import logging
import queue
import threading
import time
from collections import deque
from typing import Any

from vextir_os.cli.screen import Line, Screen, Span, Style
from vextir_os.cli.text import duration, visible, visible_lines, wall_clock
from vextir_os.cli.tree import STYLES, took_s
from vextir_os.processor.observe import Observer
from vextir_os.runs.record import RecordDoc, is_finished, status

_WAITING = 2_000
_CLOSE_S = 2.0
_TOLD = 1_000


class Narrator(Observer):
    """An observer that tells what happens.

    Args:
        screen: Where to; stderr.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._lines: queue.Queue[list[Line] | None] = queue.Queue(_WAITING)
        self._left_out = 0
        self._told: deque[tuple[str, str, int]] = deque(maxlen=_TOLD)
        self._thread = threading.Thread(target=self._write, name="vextir-narrator", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write what waits, for two seconds at most."""
        try:
            self._lines.put(None, timeout=_CLOSE_S)
        except queue.Full:
            return
        self._thread.join(_CLOSE_S)

    def recorded(self, record: RecordDoc) -> None:
        """Tell of an event that is over, and of each attempt that failed."""
        if is_finished(record):
            self.tell([_finished(record)])
        for driver, run in record["runs"].items():
            key = (record["id"], driver, run["attempt"])
            if run["state"] == "retry" and key not in self._told:
                self._told.append(key)
                self.tell([_retry(record, driver, run)])

    def quarantined(self, reason: str, document_id: str) -> None:
        """Tell of a message that could not be read."""
        self.tell([[_now(), Span("quarantined", "warn"), Span(visible(document_id)), Span(visible(reason))]])

    def tell(self, lines: list[Line]) -> None:
        """Hand lines over to be written; never waits."""
        try:
            self._lines.put_nowait(lines)
        except queue.Full:
            self._left_out += 1

    def _write(self) -> None:
        while (lines := self._lines.get()) is not None:
            left_out, self._left_out = self._left_out, 0
            if left_out:
                lines = [[_now(), Span(f"{left_out:,} lines left out; see: vextir events", "warn")], *lines]
            try:
                self._screen.write(*(self._screen.text(line) for line in lines))
            except (OSError, ValueError):
                # Nobody reads any more; the OS goes on without being watched.
                return


class NarratorHandler(logging.Handler):
    """Hands the OS's own warnings to a narrator."""

    def __init__(self, narrator: Narrator) -> None:
        super().__init__(logging.WARNING)
        self._narrator = narrator

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one warning; an error comes with its traceback."""
        style: Style = "error" if record.levelno >= logging.ERROR else "warn"
        first: Line = [_now(), Span(record.levelname.lower(), style), Span(visible(record.getMessage()))]
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self._narrator.tell([first, *([Span(line)] for line in visible_lines(trace))])


def _finished(record: RecordDoc) -> Line:
    word = status(record)
    failed = [f"{driver}: {_said(run)}" for driver, run in record["runs"].items() if run["state"] == "dead"]
    why = "; ".join(failed) or record["decision"].get("reason") or ", ".join(record["runs"])
    seconds = took_s(record)
    return [
        *_head(record, word),
        Span(duration(seconds) if seconds is not None and record["runs"] else "", "dim"),
        Span(visible(why), "plain", elastic=True),
    ]


def _retry(record: RecordDoc, driver: str, run: Any) -> Line:
    wait = duration(max((run["not_before"] or 0) - time.time(), 0))
    said = f"{driver}: attempt {run['attempt']} failed, again in {wait}: {_said(run)}"
    return [*_head(record, "retry"), Span(visible(said), "plain", elastic=True)]


def _head(record: RecordDoc, word: str) -> Line:
    event_type = str(record["event"]["type"]) if isinstance(record["event"], dict) else _type_of(record)
    return [
        _now(),
        Span(word.ljust(8), STYLES.get(word, "plain")),
        Span(visible(event_type), "bold"),
        Span(visible(record["event_id"])),
    ]


def _type_of(record: RecordDoc) -> str:
    from vextir_os.events import jsonio

    # A record that was only just created holds its event as the JSON text that it came in.
    return str(jsonio.loads(jsonio.dumps(record["event"]))["type"])


def _said(run: Any) -> str:
    error = run["error"] or {}
    return f"{error.get('code', '')} {error.get('class', '')}: {error.get('message', '')}".strip()


def _now() -> Span:
    now = time.time()
    return Span(wall_clock(now, now), "dim")
