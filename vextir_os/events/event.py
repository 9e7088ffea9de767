"""The event: one immutable CloudEvents 1.0 record. A value; knows no wire form and no store."""

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

from vextir_os.errors import InvalidEventError
from vextir_os.events.limits import ATTRIBUTE_CHARS, LABELS
from vextir_os.events.names import check_label, check_type

Category = Literal["input", "internal", "output"]
"""Where an event comes from and goes to: in from outside, between drivers, out to the outside."""

_CATEGORIES = frozenset(get_args(Category))
_TEXTS = ("id", "source", "subject", "datacontenttype", "dataschema", "tenantid", "userid", "correlationid",
          "causationid", "partitionkey", "traceparent", "dataref")  # fmt: skip
NO_EXTENSIONS: Mapping[str, str | int | bool] = MappingProxyType({})


class Payload(dict[str, Any]):
    """The data of an event: a dict whose keys also read as attributes, `data.query` and `data["query"]`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(f"the event's data has no {name!r}; it has: {', '.join(sorted(self)) or 'nothing'}") from None
        return Payload(value) if type(value) is dict else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. Attributes as in CloudEvents 1.0 (github.com/cloudevents/spec), our extensions behind them.

    Text that is empty is not set yet: the edge or the commit fills `id`, `source`, `time`, `tenantid` and
    `correlationid`, and what they fill wins over what was written here (identity comes from the edge).

    Attributes:
        type: Dotted lower case, at most 128 characters: `mail.received`.
        data: Any JSON value. A dict becomes a `Payload`. `metadata=` is the same under its older name.
        time: When it happened; aware.
        category: `input`, `internal` or `output`.
        correlationid: One for all that follow from one first event; by default that event's own id.
        causationid: Id of the event whose run emitted this one.
        partitionkey: Events with the same key belong together; ordered when they are sent as ordered.
        priority: 0 to 9, 5 by default; 7 and above go first.
        labels: Marks such as `untrusted` that travel along causation; sorted, each once.
        dataref: Claim check of data that is too large to travel; set and resolved by the OS.
        extensions: Further CloudEvents extension attributes, kept as they came.
        null_data: The payload is JSON `null`, as opposed to no payload.

    Raises:
        InvalidEventError: An attribute has a wrong type, syntax or range; the message names it.
    """

    type: str
    data: Any = None
    id: str = ""
    source: str = ""
    subject: str = ""
    time: datetime | None = None
    datacontenttype: str = ""
    dataschema: str = ""
    category: Category = "input"
    tenantid: str = ""
    userid: str = ""
    correlationid: str = ""
    causationid: str = ""
    partitionkey: str = ""
    traceparent: str = ""
    priority: int = 5
    labels: tuple[str, ...] = ()
    dataref: str = ""
    extensions: Mapping[str, str | int | bool] = field(default_factory=lambda: NO_EXTENSIONS)
    null_data: bool = False
    metadata: InitVar[Mapping[str, Any] | None] = None

    def __post_init__(self, metadata: Mapping[str, Any] | None) -> None:
        if type(self.type) is not str:
            raise InvalidEventError(f"event type is a {type(self.type).__name__}, not text")
        check_type(self.type)
        if metadata is not None:
            if self.data is not None:
                raise InvalidEventError("an event has either data or metadata, not both", hint="Use data")
            object.__setattr__(self, "data", dict(metadata))
        if type(self.data) is dict:
            object.__setattr__(self, "data", Payload(self.data))
        for name in _TEXTS:
            value = getattr(self, name)
            if value and (type(value) is not str or len(value) > ATTRIBUTE_CHARS or not value.isprintable()):
                raise _bad_text(name, value)
        if self.category not in _CATEGORIES:
            raise InvalidEventError(f"category {self.category!r} is not input, internal or output")
        if type(self.priority) is not int or not 0 <= self.priority <= 9:
            raise InvalidEventError(f"priority {self.priority!r} is not a whole number from 0 to 9")
        if self.labels:
            object.__setattr__(self, "labels", merge_labels(self.labels))
        if self.time is not None and self.time.tzinfo is None:
            raise InvalidEventError("time has no zone", hint="Use an aware datetime, such as datetime.now(UTC)")

    def but(self, **changes: Any) -> Self:
        """Return a copy with some attributes changed; checked as a new event is."""
        return replace(self, **changes)


def merge_labels(*groups: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """Return all labels of the groups, sorted, each once: how labels travel from cause to effect.

    Raises:
        InvalidEventError: A label has a wrong syntax, or there are more than 32.
    """
    merged = sorted({check_label(label) for group in groups for label in group})
    if len(merged) > LABELS:
        raise InvalidEventError(f"{len(merged)} labels on one event, at most {LABELS} are allowed")
    return tuple(merged)


def _bad_text(name: str, value: object) -> InvalidEventError:
    if type(value) is not str:
        return InvalidEventError(f"{name} is a {type(value).__name__}, not text")
    if len(value) > ATTRIBUTE_CHARS:
        return InvalidEventError(f"{name} has {len(value)} characters, at most {ATTRIBUTE_CHARS} are allowed")
    return InvalidEventError(f"{name} {value[:40]!r} holds control characters or half a surrogate pair")
