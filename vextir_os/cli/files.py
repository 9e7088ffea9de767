"""Events out of files: one event, an array of them, or one per line. What is wrong is named by its place."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vextir_os.errors import (
    EventProblemsError,
    ProblemsError,
    TooLargeError,
    UsageError,
    VextirError,
)
from vextir_os.events import jsonio
from vextir_os.events.codec import from_item
from vextir_os.events.event import Event
from vextir_os.events.limits import BLOB_BYTES

SUFFIXES = (".json", ".jsonl")


def read_paths(paths: Sequence[Path]) -> tuple[list[Event], list[VextirError]]:
    """Return the events in files and in the `*.json` and `*.jsonl` files of folders, by name; and what is wrong.

    One file that cannot be read keeps no other from being read, and nothing of it is returned.

    Raises:
        UsageError: A path is not there, or a folder holds no such file.
    """
    events: list[Event] = []
    problems: list[VextirError] = []
    for path in [file for named in paths for file in _files(named)]:
        try:
            events += read_file(path)
        except ProblemsError as error:
            problems += error.problems
        except VextirError as error:
            problems.append(error)
    return events, problems


def read_file(path: Path) -> list[Event]:
    """Return the events of a file: one JSON object, an array of objects, or one object per line.

    Raises:
        EventProblemsError: What is no event, each with the file, and its line or its index in the array.
        UsageError, TooLargeError: As `read_bytes`.
    """
    raw = read_bytes(path)
    if _is_lines(path, raw):
        return _from_lines(str(path), raw)
    try:
        value = jsonio.loads_strict(raw)
    except VextirError as error:
        raise EventProblemsError([_at(error, str(path))]) from None
    if not isinstance(value, list):
        return _collected([(str(path), value)])
    return _collected([(f"{path}, event {index}", item) for index, item in enumerate(value)])


def read_bytes(path: Path) -> bytes:
    """Return what a file holds. Raises `UsageError` when it cannot be read, `TooLargeError` over 64 MB."""
    try:
        with path.open("rb") as file:
            raw = file.read(BLOB_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    if len(raw) > BLOB_BYTES:
        raise TooLargeError(f"{path} has over {BLOB_BYTES} bytes", hint="Send larger files in parts, with --stdin")
    return raw


def event_of_line(raw: bytes, where: str) -> Event:
    """Return the event that one line holds. Raises what `loads_strict` and `from_item` do, with the place."""
    try:
        return from_item(jsonio.loads_strict(raw))
    except VextirError as error:
        raise _at(error, where) from None


def data_of_line(raw: bytes, where: str) -> Any:
    """Return the JSON that one line holds. Raises what `loads_strict` does, with the place."""
    try:
        return jsonio.loads_strict(raw)
    except VextirError as error:
        raise _at(error, where) from None


def _files(named: Path) -> Iterator[Path]:
    if not named.is_dir():
        if not named.exists():
            raise UsageError(f"there is no file or folder {named}")
        yield named
        return
    found = sorted(path for path in named.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not found:
        raise UsageError(f"the folder {named} holds no *.json file")
    yield from found


def _is_lines(path: Path, raw: bytes) -> bool:
    """Whether a file holds one event per line: by its name, or since its first line is a whole object and not all."""
    if path.suffix == ".jsonl":
        return True
    first, _, rest = raw.strip().partition(b"\n")
    if not rest or not first.startswith(b"{"):
        return False
    try:
        jsonio.loads_strict(first)
    except VextirError:
        return False
    return True


def _from_lines(name: str, raw: bytes) -> list[Event]:
    events: list[Event] = []
    problems: list[VextirError] = []
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            events.append(event_of_line(line, f"{name}:{number}"))
        except VextirError as error:
            problems.append(error)
    if problems:
        raise EventProblemsError(problems)
    return events


def _collected(items: Sequence[tuple[str, Any]]) -> list[Event]:
    events: list[Event] = []
    problems: list[VextirError] = []
    for where, item in items:
        try:
            events.append(from_item(item))
        except VextirError as error:
            problems.append(_at(error, where))
    if problems:
        raise EventProblemsError(problems)
    return events


def _at(error: VextirError, where: str) -> VextirError:
    error.where = where
    return error
