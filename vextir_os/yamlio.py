"""YAML in: one document of plain JSON values, with the place of every one of them. Pure.

Stricter than YAML: what could build objects (tags), grow (anchors, depth, size) or be read in two ways (`yes`, `012`,
`12:30`, bidirectional marks) is refused with its line and column. What the values mean is the caller's business.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import yaml

from vextir_os.errors import VextirError, YamlError, YamlProblemsError, shown
from vextir_os.events.limits import JSON_DEPTH

YAML_BYTES = 1_000_000
"""Size of one YAML file, at most."""

PROBLEMS = 50
"""Problems reported of one file, at most; reading stops there."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT64 = 2**63

# What an editor shows as one line must be one line here: line ends that only YAML knows, and marks that reorder
# text on the screen, let a file say something else than a reviewer reads (CVE-2021-42574, "Trojan Source").
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]|\r(?!\n)"
)
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_HEX = re.compile(r"0x[0-9a-fA-F]+", re.ASCII)
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?", re.ASCII)
_CONSTANTS = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")
}
_SWITCHES = frozenset(form for word in ("yes", "no", "on", "off") for form in (word, word.title(), word.upper()))
_TWO_READINGS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?", re.ASCII), "a date"),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", re.ASCII), "a number of base 60"),
    (re.compile(r"[-+]?0[0-9_]+|0o[0-7]+", re.ASCII), "an octal number"),
    (re.compile(r"[-+]?0b[01_]+|[-+]?0x[0-9a-fA-F_]+|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?|[-+]?\.[0-9][0-9_]*", re.ASCII),
     "a number"),
    (re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+", re.ASCII), "a number"),
)  # fmt: skip
_NO_JSON = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)


class _Mark(Protocol):
    line: int
    column: int


@dataclass(slots=True)
class _Place:
    """Where a value begins, where its key does, and the places inside it; line and column from 0."""

    at: tuple[int, int]
    key: tuple[int, int]
    inner: "dict[str | int, _Place]" = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlDocument:
    """One YAML document.

    Attributes:
        name: How the file is called in messages: `policies/mail.yaml`.
        value: Exact JSON types: dict with text keys, list, str, int of 64 bits, finite float, bool, None.
    """

    name: str
    value: Any
    root: _Place

    def place(self, path: Sequence[str | int]) -> str:
        """Return `file:line:column` of the value at a path of keys and indexes, or of the nearest one around it."""
        return _text(self.name, self._find(path).at)

    def key_place(self, path: Sequence[str | int]) -> str:
        """Return `file:line:column` of the key that leads to the value; for an item of a list, of the item."""
        return _text(self.name, self._find(path).key)

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of the value, from 1."""
        return self._find(path).at[0] + 1

    def _find(self, path: Sequence[str | int]) -> _Place:
        place = self.root
        for step in path:
            if step not in place.inner:
                break
            place = place.inner[step]
        return place


def load_yaml(text: str | bytes, name: str, *, lenient: bool = False) -> YamlDocument:
    """Read one YAML document; an empty one has the value None.

    Scalars are read where YAML 1.1 and YAML 1.2 agree and refused where they differ. Keys are text, each once.

    Args:
        text: The file's content, at most `YAML_BYTES`; bytes are UTF-8, with or without a byte order mark.
        name: How the file is called in messages.
        lenient: For files of others: what the versions read differently, and a key that is no text, is text as written.

    Raises:
        YamlProblemsError: The text is no such YAML; all problems up to the first one that ends the reading.
    """
    try:
        source = decoded(text, name)
    except YamlError as error:
        raise YamlProblemsError([error]) from error
    builder = _Builder(name, lenient)
    try:
        for event in yaml.parse(source, _LOADER):
            if not builder.take(event):
                break
    except yaml.MarkedYAMLError as error:
        builder.problems.append(_syntax(error, source, name))
    if builder.problems:
        raise YamlProblemsError(builder.problems)
    return YamlDocument(name=name, value=builder.value, root=builder.root)


def decoded(text: str | bytes, name: str) -> str:
    """Return the text of a file, without a byte order mark.

    Raises:
        YamlError: It is over `YAML_BYTES`, not UTF-8, or holds a character that an editor does not show as it is.
    """
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > YAML_BYTES:
        raise YamlError(f"more than {YAML_BYTES} bytes of YAML", hint="Split the file", where=name)
    if isinstance(text, bytes):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            place = f"{name}:{raw.count(10, 0, error.start) + 1}"
            what = f"not UTF-8: byte {error.start} cannot be decoded"
            raise YamlError(what, hint="Save the file as UTF-8", where=place) from error
    text = text.removeprefix("\ufeff")
    hidden = _HIDDEN.search(text)
    if hidden:
        before = text[: hidden.start()]
        at = (before.count("\n"), hidden.start() - before.rfind("\n") - 1)
        raise YamlError(
            f"the character U+{ord(hidden[0][0]):04X} is not allowed in a file",
            hint="Remove it; in double quotes it can be written as an escape",
            where=_text(name, at),
        )
    return text


def _text(name: str, at: tuple[int, int]) -> str:
    return f"{name}:{at[0] + 1}:{at[1] + 1}"


def _syntax(error: yaml.MarkedYAMLError, source: str, name: str) -> VextirError:
    mark = error.problem_mark or error.context_mark
    at = (mark.line, mark.column) if mark else (0, 0)
    found = "".join(source.split("\n")[at[0] : at[0] + 1])[at[1] : at[1] + 1]
    hint = ""
    if "alias" in (error.context or ""):
        hint = "Quote text that begins with `*`"
    elif found == "\t":
        hint = "Indent with spaces"
    elif found in ("%", "@", "`"):
        hint = "Quote text that begins with `%`, `@` or a backtick"
    what = f"not YAML: {error.problem}" + (f" {error.context}" if error.context else "")
    return YamlError(what, hint=hint, where=_text(name, at))


@dataclass(slots=True)
class _Frame:
    """One mapping or list that is still open; `key` is the key whose value comes next."""

    value: dict[str, Any] | list[Any]
    place: _Place
    key: str | None = None
    key_at: tuple[int, int] = (0, 0)


class _Builder:
    """Takes the parser's events one by one; no recursion, so no text can exhaust the stack."""

    def __init__(self, name: str, lenient: bool) -> None:
        self.name = name
        self._lenient = lenient
        self.problems: list[VextirError] = []
        self.value: Any = None
        self.root = _Place((0, 0), (0, 0))
        self._open: list[_Frame] = []
        self._documents = 0

    def take(self, event: Any) -> bool:
        """Take one event; False when nothing more may be read."""
        going = True
        if isinstance(event, yaml.DocumentStartEvent):
            going = self._document(event)
        elif isinstance(event, yaml.AliasEvent):
            going = self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            self._check_node(event)
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check_node(event)
            going = self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._open.pop()
        return going and len(self.problems) < PROBLEMS

    def _refuse(self, mark: _Mark, what: str, hint: str) -> None:
        self.problems.append(YamlError(what, hint=hint, where=_text(self.name, (mark.line, mark.column))))

    def _document(self, event: Any) -> bool:
        self._documents += 1
        if self._documents == 1:
            return True
        self._refuse(event.start_mark, "a second document begins here", "Keep one document in a file")
        return False

    def _alias(self, event: Any) -> bool:
        self._refuse(
            event.start_mark,
            f"{shown('*' + event.anchor)} is an alias, which is not read here",
            "Quote it to mean text, or write it out",
        )
        return False

    def _check_node(self, event: Any) -> None:
        if event.anchor is not None:
            self._refuse(
                event.start_mark,
                f"{shown('&' + event.anchor)} is an anchor, which is not read here",
                "Quote it to mean text",
            )
        if event.tag is not None:
            tag = shown(event.tag.replace("tag:yaml.org,2002:", "!!"))
            self._refuse(event.start_mark, f"the tag {tag} is not read here", "Remove it; quotes make a value text")

    def _begin(self, event: Any) -> bool:
        if self._open and isinstance(self._open[-1].value, dict) and self._open[-1].key is None:
            self._refuse(
                event.start_mark,
                "a key is a mapping or a list",
                "Use text as the key, and quote text that begins with `{`",
            )
            return False
        if len(self._open) == JSON_DEPTH:
            self._refuse(event.start_mark, f"nested deeper than {JSON_DEPTH} levels", "Flatten the file")
            return False
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Frame(value, self._add(value, event.start_mark)))
        return True

    def _scalar(self, event: Any) -> None:
        plain = event.implicit[0] and event.tag is None
        frame = self._open[-1] if self._open else None
        if frame and isinstance(frame.value, dict) and frame.key is None:
            self._key(frame, frame.value, event, plain)
        else:
            self._add(self._read(event) if plain else event.value, event.start_mark)

    def _key(self, frame: _Frame, mapping: Mapping[str, Any], event: Any, plain: bool) -> None:
        mark = event.start_mark
        found = len(self.problems)
        if plain and not self._lenient and not isinstance(self._read(event), str) and len(self.problems) == found:
            self._refuse(mark, f"the key {shown(event.value)} is no text", "Quote it")
        if event.value in mapping:
            first = _text(self.name, frame.place.inner[event.value].key)
            self._refuse(mark, f"the key {shown(event.value)} stands twice; first at {first}", "Keep one of them")
        frame.key = event.value
        frame.key_at = (mark.line, mark.column)

    def _add(self, value: Any, mark: _Mark) -> _Place:
        at = (mark.line, mark.column)
        place = _Place(at, at)
        if not self._open:
            self.value, self.root = value, place
            return place
        frame = self._open[-1]
        if isinstance(frame.value, list):
            frame.place.inner[len(frame.value)] = place
            frame.value.append(value)
        elif frame.key is not None:
            place.key = frame.key_at
            frame.place.inner[frame.key] = place
            frame.value[frame.key] = value
            frame.key = None
        return place

    def _read(self, event: Any) -> str | int | float | bool | None:
        text: str = event.value
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        problem = _problem_of(text)
        if problem:
            if not self._lenient:
                self._refuse(event.start_mark, *problem)
            return text
        if _INT.fullmatch(text):
            return int(text)
        if _HEX.fullmatch(text):
            return int(text, 16)
        return float(text) if _FLOAT.fullmatch(text) else text


def _problem_of(text: str) -> tuple[str, str] | None:
    """Return what speaks against reading this plain scalar, two versions of YAML or no number of JSON, and a hint."""
    scalar = shown(text)
    if text in _SWITCHES:
        value = "true" if text.lower() in ("yes", "on") else "false"
        return f"{scalar} is a boolean in YAML 1.1 and text in YAML 1.2", f"Quote it to mean text, or write {value}"
    if text in ("<<", "="):
        return f"{scalar} has a meaning of its own in YAML 1.1", "Quote it to mean text, or write the keys out"
    what = _number_problem(text) if text[0] in "+-.0123456789" else ""
    return (f"{scalar} {what}", "Quote it to mean text") if what else None


def _number_problem(text: str) -> str:
    if _INT.fullmatch(text) or _HEX.fullmatch(text):
        # Longer texts are over 64 bits anyway, and int() of them takes quadratic time.
        return "" if len(text) <= 20 and -_INT64 <= int(text, 0) < _INT64 else "is a number over 64 bits"
    if _FLOAT.fullmatch(text):
        return "" if math.isfinite(float(text)) else "is too large a number"
    if _NO_JSON.fullmatch(text):
        return "is no number of JSON"
    kind = next((kind for pattern, kind in _TWO_READINGS if pattern.fullmatch(text)), "")
    return f"is {kind} in one version of YAML and not in another" if kind else ""
