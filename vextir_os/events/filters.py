"""The filter grammar of the console, the CLI and the event bus: text in, a frozen `EventFilter` out. Pure.

| term | what it keeps |
| --- | --- |
| `invoice` `"two words"` | rows that hold the text anywhere, in any case of letters |
| `mail.received` `task.*` `github.**` | events of this type; quote it to search for it as text |
| `status:failed` `driver:mail,chat` `source:*/cli` | rows where the key has one of the values; `*` is any text |
| `-user:ann` `-draft` | rows without |
| `priority>=7` `data.total>100` | numbers above or below |
| `data.order.id:42` `data.to.0:"a b"` | what lies at a path in the data; of a list, any part of it |
| `since:2h` `until:2026-06-15` `since:2026-06-15T12:00Z` | by time: s m h d w ago, a day, a moment |

All terms of a filter must hold. Which rows somebody may see is not decided here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from vextir_os.errors import FilterError, PatternError, did_you_mean
from vextir_os.events.event import Event
from vextir_os.events.filter_terms import (
    Test,
    Value,
    number,
    order_test,
    text_test,
    time_test,
    type_test,
    value_test,
)
from vextir_os.events.names import check_pattern

FILTER_CHARS = 1_024
FILTER_TERMS = 32
KEYS = ("type", "source", "id", "status", "driver", "tenant", "user", "category", "label", "priority", "correlation",
        "since", "until", "text")  # fmt: skip
"""Keys of the grammar, beside `data.<path>`. A row has them as columns; `driver` and `label` may be lists."""

_CATEGORIES = ("input", "internal", "output")
_KEY = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)(:|>=|<=|>|<)")
_PATH = re.compile(r"data(?:\.[A-Za-z0-9_-]{1,64}){1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term: as it was written, where it begins (from 1), and what it asks."""

    text: str
    at: int
    negated: bool
    test: Test = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """A parsed filter. Without terms it keeps every row."""

    text: str
    terms: tuple[Term, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the filter that a text writes.

        Raises:
            FilterError: An unknown key, a value that does not fit its key, an open quote, over 1,024 characters or
                32 terms; the message names the place.
        """
        if len(text) > FILTER_CHARS:
            raise FilterError(f"a filter of {len(text)} characters, at most {FILTER_CHARS} are read")
        scanner = _Scanner(text)
        terms: list[Term] = []
        while scanner.skip_space():
            if len(terms) == FILTER_TERMS:
                raise _error(scanner.at, f"more than {FILTER_TERMS} terms")
            terms.append(scanner.term())
        return cls(text=text, terms=tuple(terms))

    def matches(self, row: Mapping[str, Any], now: float) -> bool:
        """Whether a row holds all terms.

        Args:
            row: Columns by name: `KEYS`, `subject`, `time` (epoch seconds) and `data`; see `event_row`. What is missing
                fits no term, and every negated one.
            now: Epoch seconds, for `since:2h`.
        """
        return all(term.test(row, now) is not term.negated for term in self.terms)


def event_row(event: Event) -> dict[str, Any]:
    """Return the row that filters read of an event; `status` and `driver` are known to records alone."""
    return {
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "tenant": event.tenantid,
        "user": event.userid,
        "category": event.category,
        "label": event.labels,
        "priority": event.priority,
        "correlation": event.correlationid or event.id,
        "time": event.time.timestamp() if event.time else None,
        "data": event.data,
    }


class _Scanner:
    """Reads one term after the other; `at` is the index of the next character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def skip_space(self) -> bool:
        while self.at < len(self._text) and self._text[self.at].isspace():
            self.at += 1
        return self.at < len(self._text)

    def term(self) -> Term:
        start = self.at
        negated = self._text[start] == "-" and start + 1 < len(self._text) and not self._text[start + 1].isspace()
        self.at += negated
        key = _KEY.match(self._text, self.at)
        if key is None:
            value = self._value(stop="")
            test = _word_test(value)
        else:
            self.at = key.end()
            values = [self._value(stop=",")]
            while self._text[self.at : self.at + 1] == ",":
                self.at += 1
                values.append(self._value(stop=","))
            test = _key_test(key[1], key[2], values, key.start())
        if self.at < len(self._text) and not self._text[self.at].isspace():
            raise _error(self.at, "text behind a closing quote", "Put a space between")
        return Term(text=self._text[start : self.at], at=start + 1, negated=negated, test=test)

    def _value(self, *, stop: str) -> Value:
        start = self.at
        if self._text[start : start + 1] == '"':
            return Value(self._quoted(), quoted=True)
        while self.at < len(self._text) and not self._text[self.at].isspace() and self._text[self.at] != stop:
            self.at += 1
        if self.at == start:
            raise _error(start, "a value is missing", 'Write `key:value`, or `key:""` for an empty one')
        return Value(self._text[start : self.at])

    def _quoted(self) -> str:
        start = self.at
        found: list[str] = []
        self.at += 1
        while self.at < len(self._text):
            char = self._text[self.at]
            if char == '"':
                self.at += 1
                return "".join(found)
            if char == "\\" and self._text[self.at + 1 : self.at + 2] in ('"', "\\"):
                self.at += 1
                char = self._text[self.at]
            found.append(char)
            self.at += 1
        raise _error(start, "a quote is not closed", 'End it with `"`')


def _word_test(value: Value) -> Test:
    if not value.quoted and ("*" in value.text or "." in value.text) and _is_pattern(value.text):
        return type_test([value], patterns=[True])
    return text_test([value])


def _key_test(key: str, sign: str, values: list[Value], at: int) -> Test:
    column, *path = key.split(".") if _PATH.fullmatch(key) else [key]
    if not path and key not in KEYS:
        raise _error(at, f"unknown key `{key[:40]}`", _known_keys(key))
    if sign != ":":
        return _order_test(key, sign, values, at, column, path)
    if key in ("since", "until"):
        return _time_test(key, values, at)
    if key == "type":
        return type_test(values, patterns=[not value.quoted and _is_pattern(value.text) for value in values])
    if key == "text":
        return text_test(values)
    if key == "category":
        for value in values:
            if "*" not in value.text and value.text not in _CATEGORIES:
                raise _error(at, f"category {value.text[:40]!r} is not input, internal or output")
    return value_test(column, path, values)


def _known_keys(key: str) -> str:
    if key == "data" or key.startswith("data."):
        return "Write `data.path:value`, names of a-z A-Z 0-9 _ - with dots between"
    keys = ", ".join(KEYS)
    return did_you_mean(key, KEYS) or f"Keys are {keys} and data.<path>; quote text with `:`, `<`, `>`"


def _order_test(key: str, sign: str, values: list[Value], at: int, column: str, path: list[str]) -> Test:
    if not path and key != "priority":
        raise _error(at, f"`{key}` has no order", f"Write `{key}:value`; `{sign}` is for priority and data.<path>")
    bound = number(values[0].text)
    if len(values) > 1 or bound is None:
        raise _error(at, f"`{key}{sign}` wants one number", f"Write `{key}{sign}7`")
    return order_test(column, path, sign, bound)


def _time_test(key: str, values: list[Value], at: int) -> Test:
    test = time_test(values[0], since=key == "since") if len(values) == 1 else None
    if test is None:
        raise _error(
            at, f"`{key}` wants one time", f"Write `{key}:2h`, `{key}:2026-06-15` or `{key}:2026-06-15T12:00Z`"
        )
    return test


def _is_pattern(text: str) -> bool:
    try:
        check_pattern(text)
    except PatternError:
        return False
    return True


def _error(at: int, what: str, hint: str = "") -> FilterError:
    return FilterError(what, hint=hint, where=f"filter, character {at + 1}")
