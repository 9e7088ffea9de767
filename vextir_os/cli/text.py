"""Text as a terminal may see it: nothing invisible, durations and times as people read them. Pure.

What events, drivers and errors say comes from outside. A terminal obeys escape sequences and turns letters around at
bidirectional marks, so every character that does not print is shown as its escape: `\\x1b`, `\\u202e`, `\\n`.
"""

import json
from datetime import UTC, datetime
from typing import Any

ELLIPSIS = "…"


def visible(text: str) -> str:
    """Return text on one line in which each character that does not print stands as its escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def visible_lines(text: str) -> list[str]:
    """Return the lines of a text, each as `visible` shows it; tabs become four spaces."""
    return [visible(line.replace("\t", "    ")) for line in text.splitlines()]


def visible_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON that prints: what does not stands as `\\u` escapes, so that it reads back the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    lines = text.split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_json_char, line)) for line in lines)


def shorten(text: str, width: int) -> str:
    """Return text cut to this many terminal cells, an ellipsis at its end when something is missing."""
    if len(text) * 2 <= width or cells(text) <= width:
        return text
    from rich.cells import set_cell_size

    return set_cell_size(text, max(width - 1, 0)).rstrip() + ELLIPSIS if width > 0 else ""


def cells(text: str) -> int:
    """Return how many cells of a terminal a text takes; wide characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def duration(seconds: float) -> str:
    """Return a duration as `0.4 ms`, `22 ms`, `3.6 s`, `4 min` or `2.5 h`."""
    if seconds < 0.0095:
        return f"{max(seconds, 0) * 1_000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1_000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def moment(epoch_s: float) -> str:
    """Return a time in UTC with its milliseconds, `2026-06-15T12:00:00.250Z`; for programs and for details."""
    return datetime.fromtimestamp(epoch_s, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def wall_clock(epoch_s: float, now: float) -> str:
    """Return a time as people here read it: `12:00:00` today, `2026-06-15 12:00:00` on another day."""
    there, here = (datetime.fromtimestamp(each, UTC).astimezone() for each in (epoch_s, now))
    return there.strftime("%H:%M:%S" if there.date() == here.date() else "%Y-%m-%d %H:%M:%S")


def counted(number: int, noun: str) -> str:
    """Return `1 event` or `1,204 events`; for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _json_char(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]
