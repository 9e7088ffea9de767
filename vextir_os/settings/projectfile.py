"""The settings that a project's `vextir.toml` holds, as text and with their line. Reads one file; knows no setting.

port = 8400
min_free_disk = "2GB"
trusted_sources = ["/cli", "/mail/*"]
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vextir_os.errors import SettingsError

NAME = "vextir.toml"
MOST_BYTES = 100_000

_KEY = re.compile(r"""\s*\[*\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z0-9_-]+))\s*[].=]""")
_PLACE = re.compile(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)")
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class Entry(NamedTuple):
    """One key of the file; `value` is what TOML says, `line` counts from 1."""

    key: str
    value: Any
    line: int


def read_file(root: Path) -> list[Entry]:
    """Return what the file of a project holds, in its order; nothing where there is none.

    Raises:
        SettingsError: It cannot be read, or is no TOML; with `vextir.toml:3` where a line is to blame.
    """
    raw = _read(root / NAME)
    if not raw:
        return []
    import tomllib

    try:
        text = raw.decode("utf-8")
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise SettingsError("is not UTF-8", where=f"{NAME}:{line}", hint="Save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        # Also a number with more digits than Python reads.
        raise _no_toml(str(error), text) from None
    lines = dict(_lines(text))
    return [Entry(key, value, lines.get(key, 1)) for key, value in document.items()]


def _read(path: Path) -> bytes:
    try:
        # Opened without waiting: a pipe in its place would hold up every command for ever.
        with open(path, "rb", opener=lambda name, _flags: os.open(name, _OPEN)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SettingsError("is no file", where=NAME, hint="Remove it")
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise SettingsError(f"cannot be read: {error.strerror or error}", where=NAME) from error
    if len(raw) > MOST_BYTES:
        raise SettingsError(f"is over {MOST_BYTES:,} bytes", where=NAME, hint="It holds settings and nothing else")
    return raw


def _no_toml(message: str, text: str) -> SettingsError:
    found = _PLACE.search(message)
    line = (found and found[1]) or len(text.splitlines())
    what = _PLACE.sub("", message) or "nested too deep"
    return SettingsError(f"is no TOML: {what[:1].lower()}{what[1:]}", where=f"{NAME}:{line}")


def _lines(text: str) -> Iterator[tuple[str, int]]:
    # The last first: of several lines that look like the key, one inside a text perhaps, the first wins.
    for number, line in reversed(list(enumerate(text.splitlines(), 1))):
        found = _KEY.match(line)
        if found:
            yield found[1] or found[2] or found[3], number
