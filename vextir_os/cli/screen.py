"""Where text goes: a terminal with its width and colours, or a file or pipe with neither. Knows no events.

Red is for errors and nothing else; a status is never told by its colour alone.
"""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TextIO

from vextir_os.cli.text import cells, shorten

Style = Literal["plain", "bold", "dim", "good", "warn", "error"]
_CODES: Mapping[Style, str] = {"bold": "1", "dim": "2", "good": "32", "warn": "33", "error": "31"}
_GAP = "  "


class Span(NamedTuple):
    """A piece of a line. Its text must be `visible` already.

    An elastic piece is cut where the line is wider than the terminal; others, such as ids, never are.
    """

    text: str
    style: Style = "plain"
    elastic: bool = False


Line = Sequence[Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """One output stream and what it can show.

    Attributes:
        terminal: Whether a person looks at it.
        colour: Whether it takes colours: a terminal, without `NO_COLOR`.
        width: Cells per line of a terminal; None where lines have any length.
    """

    stream: TextIO
    terminal: bool
    colour: bool
    width: int | None

    def text(self, line: Line, lead: str = "") -> str:
        """Return the pieces with two spaces between, cut to the width and coloured as this stream allows.

        Args:
            line: The pieces.
            lead: What stands before them, dimmed: the branches of a tree.
        """
        pieces = [span for span in line if span.text]
        fixed = sum(cells(span.text) for span in pieces if not span.elastic) + len(_GAP) * (len(pieces) - 1)
        left = None if self.width is None else max(self.width - fixed - cells(lead), 0)
        shown = []
        for span in pieces:
            text = span.text
            if span.elastic and left is not None:
                text = shorten(text, left)
                left -= cells(text)
            if text:
                shown.append(self.paint(text, span.style))
        return (self.paint(lead, "dim" if lead else "plain") + _GAP.join(shown)).rstrip()

    def paint(self, text: str, style: Style) -> str:
        """Return text in a style, where this stream takes colours."""
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and style != "plain" else text

    def write(self, *lines: str) -> None:
        """Write whole lines; they are out when this returns."""
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()


def screen_of(stream: TextIO, environ: Mapping[str, str]) -> Screen:
    """Return the screen of a stream; `NO_COLOR` (no-color.org) and `TERM=dumb` turn colours off."""
    terminal = stream.isatty()
    return Screen(
        stream=stream,
        terminal=terminal,
        colour=terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb",
        width=shutil.get_terminal_size().columns if terminal else None,
    )


def aligned(rows: Sequence[Line]) -> list[Line]:
    """Return rows whose pieces stand in columns; the last column keeps its own length."""
    if not rows:
        return []
    widths = [max(cells(row[column].text) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        [
            *(
                span._replace(text=span.text + " " * (width - cells(span.text)))
                for span, width in zip(row, widths, strict=False)
            ),
            row[-1],
        ]
        for row in rows
    ]


def stdout() -> Screen:
    """Return the screen for data."""
    return screen_of(sys.stdout, os.environ)


def stderr() -> Screen:
    """Return the screen for progress, hints and errors."""
    return screen_of(sys.stderr, os.environ)
