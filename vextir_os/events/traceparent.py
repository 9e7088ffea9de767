"""W3C Trace Context: which trace an event belongs to, as text and as a value. Pure; knows no tracing library.

Source: www.w3.org/TR/trace-context, sections 3.2 and 4.3: what cannot be read is as if it were not there.
"""

import re
from typing import NamedTuple

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?", re.ASCII)
_FIRST, _NONE = "00", "ff"


class TraceParent(NamedTuple):
    """One span as those after it name it.

    Attributes:
        trace_id: 32 hex digits, in lower case, not all zero.
        span_id: 16 hex digits, likewise.
        sampled: Whether whoever began the trace records it.
    """

    trace_id: str
    span_id: str
    sampled: bool = True

    def __str__(self) -> str:
        return f"{_FIRST}-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def read_traceparent(text: str) -> TraceParent | None:
    """Return what a `traceparent` says, `00-<trace id>-<span id>-01`; None when it is none.

    Of a version after 00 the parts that we know are read, and whatever follows them is dropped.
    """
    found = _FORM.fullmatch(text)
    if found is None or found[1] == _NONE or (found[1] == _FIRST and found[5] is not None):
        return None
    if not int(found[2], 16) or not int(found[3], 16):
        return None
    return TraceParent(found[2], found[3], bool(int(found[4], 16) & 1))


def clean_traceparent(text: str) -> str:
    """Return a `traceparent` from outside as it is handed on, in version 00; empty when it is none."""
    found = read_traceparent(text)
    return "" if found is None else str(found)
