"""Globs: `*` inside one segment, `**` for any number of segments. Pure, and linear enough for hostile text.

No regular expressions: a glob costs at most its length times the length of the text.
"""

from collections.abc import Sequence

DEEP = "**"
"""A segment of its own that stands for any number of segments, zero included."""


def matches_text(glob: str, text: str) -> bool:
    """Whether a glob matches a whole text; `*` is any run of characters, the empty one included."""
    if "*" not in glob:
        return glob == text
    first, *middle, last = glob.split("*")
    end = len(text) - len(last)
    if len(first) > end or not text.startswith(first) or not text.endswith(last):
        return False
    at = len(first)
    for part in middle:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def matches_segments(glob: Sequence[str], segments: Sequence[str]) -> bool:
    """Whether globs match segments one by one; `**` takes any number of them, zero included."""
    at = position = 0
    # Only the last `**` needs to be remembered: what an earlier one could take, it can take as well.
    deep, resume = -1, 0
    while position < len(segments):
        if at < len(glob) and glob[at] == DEEP:
            deep, resume = at, position
            at += 1
        elif at < len(glob) and matches_text(glob[at], segments[position]):
            at += 1
            position += 1
        elif deep >= 0:
            resume += 1
            at, position = deep + 1, resume
        else:
            return False
    return all(part == DEEP for part in glob[at:])
