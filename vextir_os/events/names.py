"""What a type, a pattern, an id, a tenant and a label may look like. Pure."""

import re
from functools import lru_cache

from vextir_os.errors import InvalidEventError, PatternError
from vextir_os.events.limits import TYPE_CHARS

RESERVED = "vextir"
"""First segment of the types that only the OS may publish."""

ERROR = "vextir.error"
"""Type of the event that tells of a run which failed for good."""

_TYPE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9][a-z0-9_-]*)*", re.ASCII)
PATTERN = re.compile(r"(?:\*\*|\*|[a-z][a-z0-9_-]*)(?:\.(?:\*\*|\*|[a-z0-9][a-z0-9_-]*))*", re.ASCII)
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?", re.ASCII)
_LABEL = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)


@lru_cache(4096)
def check_type(type_: str) -> str:
    """Return the type when it is dotted lower case of at most 128 characters. Raises `InvalidEventError`."""
    if len(type_) <= TYPE_CHARS and _TYPE.fullmatch(type_):
        return type_
    shown = repr(type_[:60] + ("…" if len(type_) > 60 else ""))
    lower = type_.lower()
    near = f"Did you mean {lower!r}?" if len(lower) <= TYPE_CHARS and _TYPE.fullmatch(lower) else ""
    raise InvalidEventError(
        f"event type {shown} is not dotted lower case of at most {TYPE_CHARS} characters",
        hint=near or "Write it as `mail.received`: segments of a-z, 0-9, `_`, `-`, with dots between",
    )


@lru_cache(4096)
def check_pattern(pattern: str) -> str:
    """Return the pattern when it is a type with `*` or `**` for whole segments. Raises `PatternError`."""
    if len(pattern) <= TYPE_CHARS and PATTERN.fullmatch(pattern):
        return pattern
    raise PatternError(
        f"pattern {pattern[:60]!r} is not a dotted lower-case type with `*` or `**` for whole segments",
        hint="Write `github.issue.*` for one more segment, `github.**` for any number",
    )


def is_reserved(type_: str) -> bool:
    """Whether the type is one of `vextir.**`, which only the OS itself may publish."""
    return type_ == RESERVED or type_.startswith(RESERVED + ".")


@lru_cache(1024)
def check_tenant(tenant: str) -> str:
    """Return the tenant when it is a name of 1 to 64 characters a-z 0-9 . _ -. Raises `InvalidEventError`."""
    if _NAME.fullmatch(tenant):
        return tenant
    raise InvalidEventError(f"tenant {tenant[:60]!r} is not a lower-case name of 1 to 64 characters a-z 0-9 . _ -")


@lru_cache(1024)
def check_label(label: str) -> str:
    """Return the label when it is a lower-case name of 1 to 64 characters. Raises `InvalidEventError`."""
    if _LABEL.fullmatch(label):
        return label
    raise InvalidEventError(f"label {label[:60]!r} is not a lower-case name of 1 to 64 characters a-z 0-9 . _ -")
