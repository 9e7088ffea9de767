"""One event in full, as lines. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from vextir_os.cli.screen import Screen, Span
from vextir_os.cli.text import counted, duration, moment, visible, visible_json, visible_lines
from vextir_os.cli.tree import STYLES

_SHOWN_APART = {"id", "type", "source", "data", "specversion"}
_NAME_WIDTH = 15


def detail_lines(to: Screen, event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for an event as `reading.view` gives it."""
    word = event["status"]
    yield _pair(to, "id", visible(event["id"]))
    yield _pair(to, "type", visible(event["type"]))
    yield _pair(to, "source", visible(event["source"]))
    yield _pair(to, "status", to.paint(word, STYLES.get(word, "plain")))
    yield _pair(to, "admitted", moment(event["created"]))
    for name, value in event["event"].items():
        if name not in _SHOWN_APART:
            yield _pair(to, visible(name), visible(str(value)))
    decision = event["decision"]
    yield _pair(to, "decision", f"{decision['effect']} by {visible(decision['policy_id'] or 'no policy')}")
    if decision.get("reason"):
        yield _pair(to, "reason", visible(decision["reason"]))
    yield from _block(to, "data", event["event"].get("data"))
    for driver, run in event["runs"].items():
        yield from _run(to, driver, run)


def _run(to: Screen, driver: str, run: Mapping[str, Any]) -> Iterator[str]:
    word = run["status"]
    yield ""
    yield to.text(
        [
            Span(f"driver {visible(driver)}", "bold"),
            Span(word, STYLES.get(word, "plain")),
            Span(duration(run["duration_ms"] / 1_000) if "duration_ms" in run else "", "dim"),
            Span(counted(run["attempt"], "failed attempt") if run["attempt"] else "", "dim"),
            Span(f"again at {moment(run['not_before'])}" if run["state"] == "retry" and run["not_before"] else ""),
        ]
    )
    if "wait" in run:
        yield _pair(to, "waits", visible(run["wait"]["reason"]))
    for decision in run["decisions"]:
        action = visible(str(decision.get("action", "")))
        yield _pair(to, "decision", f"{decision['effect']} {action} by {visible(decision['policy_id'] or 'no policy')}")
    if run.get("output_ref"):
        yield _pair(to, "output", f"kept apart: {visible(run['output_ref'])}")
    yield from _block(to, "output", run["output"])
    error = run["error"]
    if error:
        yield _pair(to, "error", f"{error.get('code', '')} {visible(str(error.get('class', '')))}")
        yield from (f"  {line}" for line in visible_lines(str(error.get("traceback") or error.get("message", ""))))


def _pair(to: Screen, name: str, value: str) -> str:
    return f"{to.paint(name.ljust(_NAME_WIDTH), 'dim')} {value}"


def _block(to: Screen, name: str, value: Any) -> Iterator[str]:
    if value is None:
        return
    yield to.paint(name, "dim")
    yield from (f"  {line}" for line in visible_json(value, indent=2).split("\n"))
