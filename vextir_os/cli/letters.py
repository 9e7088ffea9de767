"""One dead letter in full, as lines. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from vextir_os.cli.details import pair
from vextir_os.cli.screen import Screen
from vextir_os.cli.text import duration, moment, visible, visible_lines

_NAMES = ("id", "kind", "state", "type", "event", "driver", "rerun", "attempts", "reason", "queue", "message_id")


def letter_lines(to: Screen, letter: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for a dead letter as `letters.letter_view` gives it."""
    yield pair(to, "at", moment(letter["at"]))
    for name in _NAMES:
        if name in letter:
            yield pair(to, name, visible(str(letter[name])))
    yield pair(to, "fingerprint", letter["fingerprint"])
    yield pair(to, "error", f"{letter['code']} {visible(letter['class'])}")
    closed = letter.get("closed")
    if closed:
        why = f": {visible(closed['reason'])}" if closed["reason"] else ""
        made = f", event {visible(closed['event'])}" if "event" in closed else ""
        yield pair(to, letter["state"], f"by {visible(closed['by'])} at {moment(closed['at'])}{made}{why}")
    error = letter.get("error", {})
    for tried in error.get("tried", ()):
        again = "" if tried["delay_s"] is None else f"; again after {duration(tried['delay_s'])}"
        said = f"{moment(tried['at'])} {visible(tried['class'])}: {visible(tried['message'])}{again}"
        yield pair(to, f"attempt {tried['attempt']}", said)
    yield from (f"  {line}" for line in visible_lines(str(error.get("traceback") or letter["message"])))
    if "body" in letter:
        yield pair(to, "body", f"{letter['body']['size_bytes']:,} bytes")
        yield from (f"  {line}" for line in visible_lines(_body(letter["body"])))


def _body(body: Mapping[str, Any]) -> str:
    return str(body.get("text") or body.get("base64") or f"kept apart, sha256 {body.get('sha256', '')}")
