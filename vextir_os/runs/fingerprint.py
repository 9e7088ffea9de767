"""Which errors are the same one: a short hash over class, message and frames without what changes each time. Pure.

Numbers, hex digits, ids, quoted values and paths leave the message; of the traceback the innermost own frames count, by
the names of their functions. So it stays the same over events, restarts and edits elsewhere in the file. It groups for
people and decides nothing: whoever writes the message of an error can choose its group.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

MESSAGE_CHARS = 2_000
TRACEBACK_CHARS = 8_000
"""Characters that are looked at, from the beginning of the message and the end of the traceback."""

FRAMES = 3
"""Innermost own frames that count."""

DIGITS = 12
"""Hex digits of a fingerprint."""

# Each alternative is linear: no quantifier stands within another over the same characters.
_CHANGING = re.compile(
    r"""(?P<value>(?<![^\W_])'[^'\n]*'|"[^"\n]*"|`[^`\n]*`|“[^“”\n]*”)"""
    r"|(?P<url>\b[a-z][a-z0-9+.-]{0,20}://[^\s]+)"
    r"|(?P<id>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)"
    r"|(?P<path>(?<![\w.])(?:[A-Za-z]:|~|\.{1,2})?[\\/][^\s:,;'\"()\[\]{}<>]+)"
    r"|(?P<hex>\b0x[0-9a-f]+\b|\b(?=[a-f]*[0-9])[0-9a-f]{8,}\b)"
    r"|(?P<n>[0-9]+(?:[.,:][0-9]+)*)",
    re.IGNORECASE,
)
_FRAME = re.compile(r'^ *(?:[|+] *)*File "([^"\n]*)", line [0-9]+, in (.*)$', re.MULTILINE)
_FOREIGN = re.compile(r"[\\/](?:site-packages|dist-packages|vextir_os|lib[\\/]python3[^\\/]*)[\\/]|^<frozen ")


def fingerprint(error: Mapping[str, Any]) -> str:
    """Return the fingerprint of an error as it stands on a record, twelve hex digits.

    Args:
        error: `{"class": "ValueError", "message": "…", "traceback": "…"}`; what is missing counts as empty.
    """
    parts = (_text(error, "class"), normal(_text(error, "message")), *frames(_text(error, "traceback")))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:DIGITS]


def normal(message: str) -> str:
    """Return a message with a mark in the place of all that changes from one time to the next, in one line."""
    marked = _CHANGING.sub(lambda found: f"<{found.lastgroup}>", message[:MESSAGE_CHARS])
    return " ".join(marked.split())


def frames(traceback: str) -> tuple[str, ...]:
    """Return the function names of the innermost own frames, the outer one first; of all frames where none is own."""
    found = _FRAME.findall(traceback[-TRACEBACK_CHARS:])
    own = [function for path, function in found if not _FOREIGN.search(path)]
    return tuple((own or [function for _, function in found])[-FRAMES:])


def _text(error: Mapping[str, Any], name: str) -> str:
    return str(error.get(name) or "")
