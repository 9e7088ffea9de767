"""The signs of life of one turn: how many there were, and what the last one said. Written by the driver's context.

A count and no time: a driver may beat on another thread, or in another process, and whoever watches has the clock.
"""

NOTE_CHARS = 200
"""Characters of a note that are kept."""


class Beats:
    """The beats of one turn."""

    __slots__ = ("count", "note")

    def __init__(self) -> None:
        self.count = 0
        self.note = ""

    def beat(self, note: str) -> None:
        """Count one; a note that is said replaces the one before."""
        self.count += 1
        if note:
            self.note = str(note)[:NOTE_CHARS]
