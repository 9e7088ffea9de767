"""What a driver's process writes to standard output and error: log lines, bounded; the rest is read and dropped."""

import os
from collections.abc import Callable

TURN_BYTES = 65_536
"""Output of one turn that goes to the log."""

LINE_CHARS = 2_000
"""Characters of one line that are kept."""

_LAST_BYTES = 4_096
_READ_BYTES = 65_536
_ROUNDS = 16

Tell = Callable[..., None]


class Output:
    """Reads the pipe of one process.

    Args:
        descriptor: The end that is read; does not block.
    """

    __slots__ = ("_descriptor", "_dropped", "_held", "_last", "_taken")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._held = b""
        self._last = b""
        self._taken = 0
        self._dropped = 0

    def read(self, tell: Tell) -> bool:
        """Take what is there, some of it where it is much, and tell each whole line; False at its end."""
        for _ in range(_ROUNDS):
            try:
                data = os.read(self._descriptor, _READ_BYTES)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            self._last = (self._last + data)[-_LAST_BYTES:]
            keep = data[: max(0, TURN_BYTES - self._taken)]
            self._taken += len(keep)
            self._dropped += len(data) - len(keep)
            *lines, self._held = (self._held + keep).split(b"\n")
            for line in lines:
                tell(_shown(line), stream="output")
            if len(data) < _READ_BYTES:
                return True
        return True

    def turn_over(self, tell: Tell) -> None:
        """Tell what is left of the turn, and begin to count anew."""
        if self._held:
            tell(_shown(self._held), stream="output")
        if self._dropped:
            tell(f"{self._dropped} bytes of further output were dropped", stream="output")
        self._held, self._taken, self._dropped = b"", 0, 0

    def last(self) -> str:
        """Return what was written last."""
        return "\n".join(_shown(line) for line in self._last.split(b"\n")).strip()


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")[:LINE_CHARS]
    return text if text.isprintable() else "".join(char if char.isprintable() else "�" for char in text)
