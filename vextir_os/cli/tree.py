"""What happened with an event and with all that it caused, as a tree of lines. Pure.

email.received  0192…  ok  12 ms
├─ policy  allow  development-allows-everything
└─ mail.triage  ok  3 ms  {"kind": "research", …}
   └─ research.request  0192…  ok  5 ms
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vextir_os.cli.screen import Line, Span, Style
from vextir_os.cli.text import counted, duration, moment, visible, visible_json
from vextir_os.events.names import ERROR
from vextir_os.runs.reading import Trace, run_view
from vextir_os.runs.record import FINAL, status

STYLES: Mapping[str, Style] = {
    "ok": "good",
    "failed": "error",
    "denied": "warn",
    "unrouted": "warn",
    "waiting": "warn",
}
"""How a status looks; all others look like any text."""

DEPTH = 24
"""Events below each other in one tree; what is deeper is counted, and has a tree of its own."""


@dataclass(frozen=True, slots=True)
class _Node:
    line: Line
    below: tuple["_Node | Trace", ...] = ()


def tree_lines(trace: Trace) -> Iterator[tuple[str, Line]]:
    """Yield the lines of a trace, each as its branches and its pieces.

    Built without recursion: a chain of causes may be longer than Python's stack.
    """
    stack: list[tuple[_Node | Trace, str, str, int]] = [(trace, "", "", 0)]
    while stack:
        item, first, rest, depth = stack.pop()
        if isinstance(item, Trace):
            item = _cut(item) if depth >= DEPTH else _event(item)
            depth += 1
        yield first, item.line
        last = len(item.below) - 1
        stack.extend(
            (child, rest + ("└─ " if index == last else "├─ "), rest + ("   " if index == last else "│  "), depth)
            for index, child in reversed([*enumerate(item.below)])
        )


def every_record(trace: Trace) -> Iterator[Mapping[str, Any]]:
    """Yield the records of a trace: an event before those that it caused."""
    stack = [trace]
    while stack:
        item = stack.pop()
        yield item.record
        stack.extend(reversed(item.caused))


def is_echo(record: Mapping[str, Any]) -> bool:
    """Whether a record only repeats a failure that stands above it: the event of an error that no driver handles."""
    return record["event"]["type"] == ERROR and not record["runs"]


def took_s(record: Mapping[str, Any]) -> float | None:
    """Return the seconds from the admission of an event to the end of its last run; None while it is not over."""
    runs = record["runs"].values()
    if any(run["state"] not in FINAL for run in runs):
        return None
    created: float = record["created"]
    return max((run["ended"] or created for run in runs), default=created) - created


def _event(trace: Trace) -> _Node:
    record = trace.record
    word, seconds = status(record), took_s(record)
    line = [
        Span(visible(record["event"]["type"]), "bold"),
        Span(visible(record["event_id"])),
        Span(word, STYLES.get(word, "plain")),
        Span("" if seconds is None or not record["runs"] else duration(seconds), "dim"),
    ]
    below: list[_Node | Trace] = [_Node(_decision(record["decision"]))]
    by_source: dict[str, list[Trace]] = {}
    for caused in (one for one in trace.caused if not is_echo(one.record)):
        by_source.setdefault(caused.record["event"]["source"], []).append(caused)
    for driver, run in record["runs"].items():
        below.append(_run(driver, run, by_source.pop(f"/drivers/{driver}", [])))
    left_out = record.get("left_out", {})
    below.extend(_Node([Span(visible(reason), "warn")]) for reason in left_out.values())
    if word == "unrouted" and not left_out:
        below.append(_Node([Span("no driver handles this type", "warn")]))
    below.extend(caused for left in by_source.values() for caused in left)
    return _Node(line, tuple(below))


def _cut(trace: Trace) -> _Node:
    number = sum(1 for _ in every_record(trace))
    return _Node(
        [Span(f"{counted(number, 'event')} more below. Run: vextir trace {visible(trace.record['event_id'])}", "dim")]
    )


def _decision(decision: Mapping[str, Any]) -> Line:
    effect = decision["effect"]
    policy = decision["policy_id"]
    return [
        Span("policy"),
        Span(effect, "plain" if effect == "allow" else "warn"),
        Span(visible(policy) if policy else "no policy", "dim"),
        Span(visible(decision.get("reason") or ""), "plain", elastic=True),
    ]


def _run(driver: str, run: Mapping[str, Any], caused: Sequence[Trace]) -> _Node:
    shown = run_view(run)
    word = shown["status"]
    final = run["state"] in FINAL
    tried = counted(run["attempt"], "attempt") if run["attempt"] else ""
    waits = f"again at {moment(run['not_before'])}" if run["state"] == "retry" and run["not_before"] else ""
    line = [
        Span(visible(driver)),
        Span(word, STYLES.get(word, "plain")),
        Span(duration(shown["duration_ms"] / 1_000) if final and "duration_ms" in shown else "", "dim"),
        Span(tried, "dim"),
        Span(waits),
        Span(_output(run), "plain", elastic=True),
    ]
    errors = [_Node(_error(run["error"]))] if run["error"] else []
    return _Node(line, (*errors, *caused))


def _output(run: Mapping[str, Any]) -> str:
    if run["output_ref"]:
        return f"output kept apart: {visible(run['output_ref'])}"
    return "" if run["output"] is None else visible_json(run["output"])


def _error(error: Mapping[str, Any]) -> Line:
    message = visible(str(error.get("message", "")))
    return [
        Span(visible(str(error.get("code", ""))), "error"),
        Span(visible(str(error.get("class", "error"))), "error"),
        Span(message, "plain", elastic=True),
    ]
