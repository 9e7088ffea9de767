"""Python source as nested pieces, laid out as the formatter of this project lays it out. Pure.

A piece that fits on its line stays there; one that does not is opened, each part on a line of its own with a comma.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 120
"""Characters of a line, at most."""


@dataclass(frozen=True, slots=True)
class Group:
    """Parts between brackets: `Field(min_length=1, max_length=9)` is `Group("Field(", (…), ")")`."""

    before: str
    parts: "Sequence[Piece]"
    after: str


Piece = str | Group


def named(name: str, piece: Piece) -> Piece:
    """Return a piece with text before it: `alias="petId"`, `"a": 1`."""
    return name + piece if isinstance(piece, str) else Group(name + piece.before, piece.parts, piece.after)


def flat(piece: Piece) -> str:
    """Return a piece on one line."""
    if isinstance(piece, str):
        return piece
    return f"{piece.before}{', '.join(map(flat, piece.parts))}{piece.after}"


def laid_out(piece: Piece, *, indent: int = 0, behind: int = 0) -> str:
    """Return a piece on as many lines as it needs; the first is not indented.

    Args:
        piece: What to lay out.
        indent: Columns before it.
        behind: Columns that what follows on its last line takes.
    """
    line = flat(piece)
    if isinstance(piece, str) or not piece.parts or indent + len(line) + behind <= WIDTH:
        return line
    inner = " " * (indent + 4)
    lines = [f"{inner}{laid_out(part, indent=indent + 4, behind=1)}," for part in piece.parts]
    return "\n".join([piece.before, *lines, " " * indent + piece.after])
