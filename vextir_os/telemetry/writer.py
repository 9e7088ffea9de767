"""The log's own thread: takes lines from a bounded queue, renders and writes them. Nobody ever waits for it.

What it has no room for is dropped, counted and said in the log itself. Lines of a moment are written together.
"""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, Protocol

WAITING = 10_000
"""Lines that wait to be written, at most."""

_LINGER_S = 0.05
_CLOSE_S = 2.0
_BATCH = 1_000
_FILE_BYTES = 64_000_000
_FILES = 5


class Line(NamedTuple):
    """A line that is not made yet: `make(*values)` gives its fields, in the log's thread. `at` in epoch seconds."""

    at: float
    level: int
    event: str
    make: Callable[..., Mapping[str, Any]]
    values: tuple[Any, ...]


class Sink(Protocol):
    """Where lines go."""

    def write(self, data: bytes) -> None:
        """Write whole lines. May raise `OSError`; they are lost then."""
        ...

    def close(self) -> None:
        """Write nothing more."""
        ...


class FileSink:
    """A file that is renamed to `<name>.1` when it is full; the oldest of five goes. Several processes may share it.

    Args:
        path: The file; made with mode 0600, its folder with 0700.
        size_bytes: When it is full.

    Raises:
        OSError: It cannot be opened.
    """

    def __init__(self, path: Path, *, size_bytes: int = _FILE_BYTES) -> None:
        self._path = path
        self._size = size_bytes
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = self._open()

    def write(self, data: bytes) -> None:
        """Write whole lines with one call, so that lines of two processes do not mix."""
        if self._moved():
            self._reopen()
        if os.fstat(self._file).st_size + len(data) > self._size:
            self._rotate()
        while data:
            data = data[os.write(self._file, data) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _reopen(self) -> None:
        new = self._open()
        os.close(self._file)
        self._file = new

    def _moved(self) -> bool:
        # By another process that shares it, or by whoever rotates logs on this machine.
        try:
            there = self._path.stat()
        except OSError:
            return True
        here = os.fstat(self._file)
        return (there.st_ino, there.st_dev) != (here.st_ino, here.st_dev)

    def _rotate(self) -> None:
        for number in range(_FILES - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path.with_name(f"{self._path.name}.{number - 1}") if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        self._reopen()


class StreamSink:
    """A stream that is open already, such as stderr: its file descriptor is written to, and stays open."""

    def __init__(self, number: int) -> None:
        self._number = number

    def write(self, data: bytes) -> None:
        """Write whole lines."""
        while data:
            data = data[os.write(self._number, data) :]

    def close(self) -> None:
        """Leave it as it is."""


class Writer:
    """Takes lines, and writes them in a thread of its own.

    Args:
        sink: Where to.
        render: Makes the bytes of a line, with its end; must not raise.
        dropped: Makes the line that says how many are missing; told of each such number as well.
        waiting: Lines that wait, at most.
    """

    def __init__(
        self, sink: Sink, render: Callable[[Line], bytes], dropped: Callable[[int], Line], *, waiting: int = WAITING
    ) -> None:
        self._sink = sink
        self._render = render
        self._dropped = dropped
        self._waiting = waiting
        self._lines: SimpleQueue[Line | None] = SimpleQueue()
        self._missing = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="vextir-log", daemon=True)
        self._thread.start()

    def put(self, line: Line) -> None:
        """Hand a line over. Never waits, never raises."""
        if self._lines.qsize() < self._waiting:
            self._lines.put(line)
        else:
            with self._lock:
                self._missing += 1

    def close(self) -> None:
        """Write what waits, for two seconds at most. What comes later is not written."""
        self._closing.set()
        self._lines.put(None)
        self._thread.join(_CLOSE_S)

    def _serve(self) -> None:
        going = True
        while going:
            first = self._lines.get()
            # Lines that come close together cost one write, and one change of threads.
            self._closing.wait(_LINGER_S)
            going = first is not None and self._write(first)
        self._sink.close()

    def _write(self, first: Line) -> bool:
        """Write a batch; whether more may come."""
        lines, going = [first], True
        while len(lines) < _BATCH and going:
            try:
                line = self._lines.get_nowait()
            except Empty:
                break
            if line is None:
                going = False
            else:
                lines.append(line)
        with self._lock:
            missing, self._missing = self._missing, 0
        if missing:
            lines.append(self._dropped(missing))
        try:
            self._sink.write(b"".join(map(self._render, lines)))
        except OSError:
            with self._lock:
                self._missing += len(lines) - bool(missing) + missing
        return going
