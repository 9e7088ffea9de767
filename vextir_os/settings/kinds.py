"""Kinds of settings: what text each takes, as which value it is read, and how it is shown again. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vextir_os.events.names import check_pattern, check_tenant

STDERR = "stderr"
"""As the place of the log: the standard error of the process."""

HTTP_URL = re.compile(r"https?://[!-~]+")
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_CREDENTIALS = re.compile(r"(?<=://)[^/?#]*@|\?.*")


def _plain(value: Any) -> str:
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What a setting takes.

    Attributes:
        name: In a word: `whole number`.
        takes: What of it, in Markdown: `1 to 300`.
        read: From the text, and the folder that relative paths start from, to the value. Raises `ValueError`, or one
            of our errors, that says what it takes.
        many: Whether it is several texts with commas between them; a file may write them as an array.
        show: From the value to a text that reads back as it, without what is secret in it.
        private: Whether its text may hold a secret, and so stands in no message.
    """

    name: str
    takes: str
    read: Callable[[str, Path], Any]
    many: bool = False
    show: Callable[[Any], str] = _plain
    private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What is said of a setting beside its name and its default.

    Attributes:
        kind: What it takes.
        does: What it does, in Markdown.
        risks: What may go wrong with another value than the default, in Markdown; may be empty.
        unset: What the default is called where it is no text.
    """

    kind: Kind
    does: str
    risks: str
    unset: str


def setting(kind: Kind, does: str, *, risks: str = "", unset: str = "none") -> Mapping[str, Meaning]:
    """Return the metadata of a field of `Settings`."""
    return {"meaning": Meaning(kind=kind, does=does, risks=risks, unset=unset)}


def whole(low: int, high: int) -> Kind:
    """Return the kind of whole numbers in a range, both ends included."""

    def read(text: str, _base: Path) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not low <= int(text) <= high:
            raise ValueError(f"it takes a whole number from {low} to {high}")
        return int(text)

    return Kind(name="whole number", takes=f"{low:,} to {high:,}", read=read)


def seconds(low: float, high: float) -> Kind:
    """Return the kind of durations in seconds in a range, both ends included."""

    def read(text: str, _base: Path) -> float:
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text) or not low <= float(text) <= high:
            raise ValueError(f"it takes seconds from {low:g} to {high:g}")
        return float(text)

    return Kind(name="seconds", takes=f"{low:g} to {high:,g}", read=read, show=lambda value: f"{value:g}")


def one_of(*words: str) -> Kind:
    """Return the kind of one of these words, in any case."""

    def read(text: str, _base: Path) -> str:
        for word in words:
            if text.lower() == word.lower():
                return word
        raise ValueError(f"it takes {' or '.join(words)}")

    return Kind(name="word", takes=" or ".join(f"`{word}`" for word in words), read=read)


def _read_size(text: str, _base: Path) -> int:
    found = re.fullmatch(r"([0-9]{1,15})(B|KB|MB|GB|TB|)", text.strip().upper(), re.ASCII)
    if not found:
        raise ValueError('it takes a size such as "500MB" or "2GB", or 0')
    return int(found[1]) * _UNITS[found[2]]


def _show_size(value: int) -> str:
    for unit in ("TB", "GB", "MB", "KB"):
        if value and value % _UNITS[unit] == 0:
            return f"{value // _UNITS[unit]}{unit}"
    return str(value)


def _read_name(text: str, _base: Path) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", text):
        raise ValueError("it takes a name of 1 to 64 characters a-z A-Z 0-9 . _ @ -")
    return text


def _read_url(text: str, _base: Path) -> str:
    if text and not HTTP_URL.fullmatch(text):
        raise ValueError("it takes an http or https URL")
    return text


def _read_list(text: str, _base: Path) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_patterns(text: str, base: Path) -> tuple[str, ...]:
    return tuple(check_pattern(part) for part in _read_list(text, base))


def _read_path(text: str, base: Path) -> Path:
    if not text:
        raise ValueError("it takes a path")
    try:
        return base / Path(text).expanduser()
    except RuntimeError as error:
        raise ValueError(f"it takes a path: {error}") from None


def _read_log(text: str, base: Path) -> str:
    return text if text in ("", STDERR) else str(_read_path(text, base))


TENANT = Kind(name="name", takes="of a tenant", read=lambda text, _base: check_tenant(text))
USER = Kind(name="name", takes="1 to 64 of `a-z A-Z 0-9 . _ @ -`", read=_read_name)
HOST = Kind(name="address", takes="an IP address or `localhost`", read=lambda text, _base: text)
SIZE = Kind(name="size", takes="`500MB`, `2GB`; 0 is no bound", read=_read_size, show=_show_size)
FOLDER = Kind(name="path", takes="a folder", read=_read_path)
LOG = Kind(name="path", takes=f"a file, or `{STDERR}`", read=_read_log)
URL = Kind(
    name="URL",
    takes="http or https",
    read=_read_url,
    show=lambda value: _CREDENTIALS.sub(lambda found: "***@" if found[0].endswith("@") else "?***", value),
    private=True,
)
TEXTS = Kind(name="texts", takes="with commas between them", read=_read_list, many=True, show=",".join)
PATTERNS = Kind(
    name="patterns", takes="of event types, with commas between them", read=_read_patterns, many=True, show=",".join
)
