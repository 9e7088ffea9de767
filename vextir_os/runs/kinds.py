"""Every kind of document that the OS keeps, and its version: what this release writes, and what it reads. Pure.

A document says both itself: `{"v": 1, "kind": "event", …}`. When the layout of a kind changes its version rises by one,
and readers go on taking the one before, so that two releases can work side by side.
"""

from collections.abc import Mapping
from typing import Any

KINDS: Mapping[str, int] = {
    "event": 1,
    "run": 1,
    "message": 1,
    "key": 1,
    "pauses": 1,
    "slots": 1,
    "throttle": 1,
    "debounce": 1,
    "singleton": 1,
    "http-key": 1,
}
"""Version that is written, by kind."""


def unreadable(document: Mapping[str, Any]) -> str:
    """Return why this release cannot read a document, in a few words; empty when it can."""
    kind, version = document.get("kind"), document.get("v")
    written = KINDS.get(kind) if isinstance(kind, str) else None
    if written is None:
        return f"a document of the kind {str(kind)[:40]!r}"
    if version not in (written, written - 1) or version == 0:
        return f"a document {kind!r} of version {str(version)[:20]}"
    return ""
