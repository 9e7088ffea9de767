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
    yield pair(to, "id", visible(event["id"]))
    yield pair(to, "type", visible(event["type"]))
    yield pair(to, "source", visible(event["source"]))
    yield pair(to, "status", to.paint(word, STYLES.get(word, "plain")))
    yield pair(to, "admitted", moment(event["created"]))
    for name, value in event["event"].items():
        if name not in _SHOWN_APART:
            yield pair(to, visible(name), visible(str(value)))
    decision = event["decision"]
    yield pair(to, "decision", f"{decision['effect']} by {visible(decision['policy_id'] or 'no policy')}")
    if decision.get("reason"):
        yield pair(to, "reason", visible(decision["reason"]))
    for reason in event.get("left_out", {}).values():
        yield pair(to, "left out", visible(reason))
    yield from _block(to, "data", event["event"].get("data"))
    for driver, run in event["runs"].items():
        yield from run_lines(to, driver, run)
    yield from act_lines(to, event)


def act_lines(to: Screen, event: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for what people did to an event."""
    for act in event.get("acts", ()):
        of = f" {visible(act['run'])}, rerun {act['rerun']}," if "run" in act else ""
        made = f", event {visible(act['event'])}" if "event" in act else ""
        why = f": {visible(act['reason'])}" if act["reason"] else ""
        yield pair(to, act["do"], f"{of} by {visible(act['by'])} at {moment(act['at'])}{made}{why}".strip())
    for step in (event.get("cancel") or {}).get("in_doubt", ()):
        yield pair(to, "in doubt", f"{visible(step['run'])}, step {step['n']} {visible(step['name'])}")


def run_lines(to: Screen, driver: str, run: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for one run as `reading.run_view` gives it."""
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
    if run.get("version", "1") != "1" or "began_with" in run:
        began = f", it began with {visible(run['began_with'])}" if "began_with" in run else ""
        yield pair(to, "version", f"{visible(run['version'])}{began}")
    if "wait" in run:
        yield pair(to, "waits", visible(run["wait"]["reason"]))
    for decision in run["decisions"]:
        action = visible(str(decision.get("action", "")))
        yield pair(to, "decision", f"{decision['effect']} {action} by {visible(decision['policy_id'] or 'no policy')}")
    if run.get("output_ref"):
        yield pair(to, "output", f"kept apart: {visible(run['output_ref'])}")
    yield from _block(to, "output", run["output"])
    error = run["error"]
    if error:
        yield pair(to, "error", f"{error.get('code', '')} {visible(str(error.get('class', '')))}")
        yield from (f"  {line}" for line in visible_lines(str(error.get("traceback") or error.get("message", ""))))


def pair(to: Screen, name: str, value: str) -> str:
    """Return a line of a name and a value, which must be `visible`."""
    return f"{to.paint(name.ljust(_NAME_WIDTH), 'dim')} {value}"


def _block(to: Screen, name: str, value: Any) -> Iterator[str]:
    if value is None:
        return
    yield to.paint(name, "dim")
    yield from (f"  {line}" for line in visible_json(value, indent=2).split("\n"))
