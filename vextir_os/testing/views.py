"""What a test looks at: runs, decisions, dead letters and log lines as values. Read from the records; never changed."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from vextir_os.events import jsonio
from vextir_os.events.codec import decode_one
from vextir_os.events.event import Event
from vextir_os.runs.record import State, Status, run_status, status

_SHOWN_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What policy answered for one action.

    Attributes:
        effect: `allow`, `deny`, …
        action: `process:guest.arrived`, `emit:greeting.said`.
        policy_id: Who decided; None when no policy matched.
        reason: Why not, where it is not allowed.
        event_id: Of the event that was processed.
        driver: Who asked; empty for the processing itself.
    """

    effect: str
    action: str
    policy_id: str | None
    reason: str = ""
    event_id: str = ""
    driver: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Why an attempt failed.

    Attributes:
        name: Class of the exception.
        code: Such as `VX410`.
        kind: `transient`, `throttled`, `invalid`, `permission` or `bug`.
    """

    name: str
    code: str
    kind: str
    message: str
    traceback: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"{self.name}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """One driver's run for one event.

    Attributes:
        state: `done`, `dead`, `retry`, `running`, `ready`, `queued`, `cancelled`, …
        status: The word that people read for it: `ok`, `failed`, `queued`, …
        attempts: How many attempts there were, the one at work included.
        rerun: How often a person has replayed it.
        output: What the driver returned; None before.
        error: Of its last failed attempt; None when it is done.
        next_at: When it is tried again, or looked at again.
        waits_for: What a run that is `ready` waits for.
    """

    driver: str
    event: Event
    state: State
    status: Status
    attempts: int
    rerun: int
    output: Any
    error: Failed | None
    decisions: tuple[Decision, ...]
    next_at: datetime | None
    waits_for: str

    def __repr__(self) -> str:
        more = f" {shown(self.output)}" if self.state == "done" else ""
        more += f" {self.error}" if self.error is not None else ""
        more += f" (next {self.next_at:%Y-%m-%d %H:%M:%S})" if self.next_at is not None else ""
        more += f" ({self.waits_for})" if self.waits_for else ""
        return f"<run {self.driver} of {self.event.id} ({self.event.type}): {self.state}{more}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Record:
    """One event and what became of it.

    Attributes:
        status: The word that people read: `ok`, `failed`, `denied`, `unrouted`, …
        raw: The document as it is stored.
    """

    event: Event
    status: Status
    decision: Decision
    runs: tuple[Run, ...]
    raw: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<record {self.event.id} ({self.event.type}): {self.status}; {', '.join(map(repr, self.runs)) or '-'}>"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DeadLetter:
    """A run that failed for good, or a message that nobody can read.

    Attributes:
        kind: `run` or `message`.
        state: `open`, `replayed`, `edited`, `discarded`.
        driver: Of a run.
        event_id: Of a run.
    """

    id: str
    kind: str
    state: str
    driver: str
    event_id: str
    error: Failed

    def __repr__(self) -> str:
        of = f"{self.driver} of {self.event_id}" if self.kind == "run" else "a message"
        return f"<dead letter of {of}, {self.state}: {self.error}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a driver, or a library that it uses, has logged."""

    message: str
    level: str = "INFO"
    driver: str = ""
    event_id: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)


class Logs:
    """Log lines, the oldest first. `"greeted" in os.logs`: whether a message has this text in it."""

    def __init__(self, lines: Sequence[LogLine] = ()) -> None:
        self._lines = tuple(lines)

    def __getitem__(self, index: int) -> LogLine:
        return self._lines[index]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[LogLine]:
        return iter(self._lines)

    def __contains__(self, text: object) -> bool:
        if isinstance(text, str):
            return any(text in line.message for line in self._lines)
        return text in self._lines

    def __repr__(self) -> str:
        lines = "\n".join(f"  {line.level} {line.driver}: {line.message}" for line in self._lines)
        return f"<{len(self._lines)} log lines\n{lines}>" if lines else "<no log lines>"


def line_of(record: logging.LogRecord) -> LogLine:
    """Return a log record as a line."""
    bound = record.__dict__.get("vextir") or {}
    return LogLine(
        message=record.getMessage(),
        level=record.levelname,
        driver=bound.get("driver", "") or record.name,
        event_id=bound.get("event_id", ""),
        fields=dict(bound.get("fields") or {}),
    )


def record_of(raw: Mapping[str, Any], outputs: Mapping[str, Any]) -> Record:
    """Return a stored record as a value.

    Args:
        raw: The document.
        outputs: The outputs that lie in the blobs, by driver.
    """
    event = decode_one(jsonio.dumps(raw["event"]))
    return Record(
        event=event,
        status=status(raw),
        decision=_decision(raw["decision"], event_id=event.id, action=f"process:{event.type}"),
        runs=tuple(_run(name, run, event, outputs) for name, run in raw["runs"].items()),
        raw=raw,
    )


def letter_of(raw: Mapping[str, Any], error: Mapping[str, Any]) -> DeadLetter:
    """Return a stored dead letter as a value."""
    return DeadLetter(
        id=raw["id"],
        kind=raw["kind"],
        state=raw.get("state", "open"),
        driver=raw.get("driver", ""),
        event_id=raw.get("event_id", ""),
        error=_failed(error),
    )


def shown(value: Any) -> str:
    """Return a value as messages show it: cut."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _run(driver: str, run: Mapping[str, Any], event: Event, outputs: Mapping[str, Any]) -> Run:
    wait, at = run["wait"], run["not_before"]
    waits_for = f"{wait['on']}: {wait['reason']}" if run["state"] == "ready" and wait is not None else ""
    return Run(
        driver=driver,
        event=event,
        state=run["state"],
        status=run_status(run),
        attempts=run["attempt"] + (run["state"] in ("running", "done")),
        rerun=run["rerun"],
        output=outputs.get(driver, run["output"]),
        error=None if run["error"] is None or run["state"] == "done" else _failed(run["error"]),
        decisions=tuple(_decision(one, event_id=event.id, driver=driver) for one in run["decisions"]),
        next_at=None if at is None or run["state"] not in ("retry", "ready") else datetime.fromtimestamp(at, UTC),
        waits_for=waits_for,
    )


def _failed(error: Mapping[str, Any]) -> Failed:
    return Failed(
        name=str(error.get("class", "")),
        code=str(error.get("code", "")),
        kind=str(error.get("kind", "")),
        message=str(error.get("message", "")),
        traceback=str(error.get("traceback", "")),
    )


def _decision(raw: Mapping[str, Any], *, event_id: str, driver: str = "", action: str = "") -> Decision:
    return Decision(
        effect=raw["effect"],
        action=raw.get("action", action),
        policy_id=raw["policy_id"],
        reason=raw.get("reason", ""),
        event_id=event_id,
        driver=driver,
    )
