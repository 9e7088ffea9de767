"""What may stand in a log: no secret, nothing endless, nothing that reads as another line. Pure.

Whatever cannot be shown is shown as what it is: a value under a name that says secret becomes `[redacted]`.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

REDACTED = "[redacted]"
TEXT_CHARS = 4_000
"""Characters of one text, at most."""

_ITEMS = 50
_DEPTH = 6
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_SHORT = frozenset({"token", "pwd", "jwt", "sas", "pin", "otp", "signature"})
"""Words that say secret by themselves; `tokens` are what models count."""
_PARTS = (
    "password", "passwd", "passphrase", "passcode", "secret", "credential", "authorization", "authentication", "cookie",
    "bearer", "apikey", "accesskey", "privatekey", "accountkey", "signingkey", "masterkey", "encryptionkey",
    "connectionstring",
)  # fmt: skip
_NAMED = re.compile(
    r"(?i)((?:authorization|password|passwd|passphrase|secret|token|cookie|credentials?|api[ _-]?key|access[ _-]?key"
    r"|private[ _-]?key|account[ _-]?key|signature)[\"']?\s*[:=]\s*[\"']?)((?:bearer|basic)\s+)?[^\s\"',;&}]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{8,}=*")
_URL = re.compile(r"\b([a-z][a-z0-9+.-]{0,20}://[^\s:/@]*:)[^\s@/]+@", re.IGNORECASE)


@lru_cache(2_048)
def is_secret(name: str) -> bool:
    """Whether a name says that its value is a secret: `password`, `X-API-Key`, `accessToken`; not `max_tokens`."""
    words = [word.lower() for word in _WORDS.findall(name)]
    squeezed = "".join(words)
    return not _SHORT.isdisjoint(words) or any(part in squeezed for part in _PARTS)


def clean_text(text: str) -> str:
    """Return a text that somebody wrote, cut, without the secrets that it names: `password=…`, `Bearer …`."""
    text = text if len(text) <= TEXT_CHARS else f"{text[:TEXT_CHARS]}…"
    if not text.isascii():
        # It may hold half of a surrogate pair, which no JSON can.
        text = text.encode("utf-8", "replace").decode("utf-8")
    text = _NAMED.sub(rf"\1{REDACTED}", text)
    text = _BEARER.sub(rf"\1 {REDACTED}", text)
    return _URL.sub(rf"\1{REDACTED}@", text)


def clean(value: Any, depth: int = 0) -> Any:
    """Return a copy of a value, of JSON's kinds alone, bounded, without secrets. Never raises."""
    if value is None or isinstance(value, (bool, int)):
        return value if not isinstance(value, int) or -(2**63) <= value < 2**63 else str(value)[:40]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return clean_text(value)
    if depth == _DEPTH:
        return "…"
    if isinstance(value, Mapping):
        items = list(value.items())[:_ITEMS]
        return {_name(key): REDACTED if is_secret(_name(key)) else clean(item, depth + 1) for key, item in items}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item, depth + 1) for item in list(value)[:_ITEMS]]
    return clean_text(_shown(value))


def _name(key: object) -> str:
    return _shown(key)[:100]


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - being shown may raise anything, and costs no line
        return f"<{type(value).__name__}>"
