"""The event: one immutable CloudEvents 1.0 record. A value; knows no wire form and no store."""

from collections.abc import Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

from vextir_os.errors import InvalidEventError
from vextir_os.events.attributes import Extension, check_extensions, check_name, check_prose
from vextir_os.events.limits import ATTRIBUTE_CHARS, LABELS
from vextir_os.events.names import check_label, check_tenant, check_type

Category = Literal["input", "internal", "output"]
"""Where an event comes from and goes to: in from outside, between drivers, out to the outside."""

_CATEGORIES = frozenset(get_args(Category))
_NAMES = ("id", "source", "datacontenttype", "dataschema", "tenantid", "userid", "correlationid", "causationid",
          "partitionkey", "traceparent", "dataref", "lineage")  # fmt: skip
_values_of_names = attrgetter(*_NAMES)
_TEXT = {str}
NO_EXTENSIONS: Mapping[str, Extension] = MappingProxyType({})


class Payload(dict[str, Any]):
    """The data of an event: a dict whose keys also read as attributes, `data.query` and `data["query"]`.

    A key that is named like a method of dicts, `items` or `keys`, reads as `data["items"]` alone.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(_no_such(name, self)) from None
        return Payload(value) if type(value) is dict else value


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event. Attributes as in CloudEvents 1.0 (github.com/cloudevents/spec), our extensions behind them.

    Text that is empty is not set yet: the edge or the commit fills `id`, `source`, `time`, `tenantid` and
    `correlationid`, and what they fill wins over what was written here (identity comes from the edge).

    Attributes:
        type: Dotted lower case, at most 128 characters: `mail.received`.
        data: Any JSON value. A dict becomes a `Payload`. `metadata=` is the same under its older name.
        time: When it happened; aware, kept in UTC.
        category: `input`, `internal` or `output`.
        correlationid: One for all that follow from one first event; by default that event's own id.
        causationid: Id of the event whose run emitted this one.
        partitionkey: Events with the same key belong together.
        priority: 0 to 9, 5 by default; 7 and above go first.
        labels: Marks such as `untrusted` that travel along causation; sorted, each once.
        dataref: Claim check of data that is too large to travel; set and resolved by the OS.
        ordered: It takes effect after all that were sent as ordered before it with the same `partitionkey`.
        lineage: Where it stands in what follows from one first event; written by the OS alone, empty from outside.
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
    ordered: bool = False
    lineage: str = ""
    extensions: Mapping[str, Extension] = field(default_factory=lambda: NO_EXTENSIONS)
    null_data: bool = False
    metadata: InitVar[Mapping[str, Any] | None] = None

    def __post_init__(self, metadata: Mapping[str, Any] | None) -> None:
        if metadata is not None:
            if self.data is not None:
                raise InvalidEventError("an event has either data or metadata, not both", hint="Use data")
            object.__setattr__(self, "data", dict(metadata))
        self._check()

    def _check(self) -> None:
        if type(self.data) is dict:
            object.__setattr__(self, "data", Payload(self.data))
        self._check_attributes()
        if self.labels != ():
            object.__setattr__(self, "labels", merge_labels(self.labels))
        if self.time is not None and getattr(self.time, "tzinfo", None) is not UTC:
            object.__setattr__(self, "time", _in_utc(self.time))
        if self.extensions:
            object.__setattr__(self, "extensions", check_extensions(self.extensions))
        if self.null_data and self.data is not None:
            object.__setattr__(self, "null_data", False)

    def _check_attributes(self) -> None:
        if type(self.type) is not str:
            raise InvalidEventError(f"event type is a {type(self.type).__name__}, not text")
        check_type(self.type)
        values: tuple[str, ...] = _values_of_names(self)
        # All at once is the common case and five times as fast; one by one finds out which is wrong.
        if (
            {*map(type, values)} != _TEXT
            or not (joined := "".join(values)).isprintable()
            or len(joined) > ATTRIBUTE_CHARS
            or not joined.isascii()
        ):
            for name, value in zip(_NAMES, values, strict=True):
                check_name(name, value)
        if self.subject != "":
            check_prose("subject", self.subject)
        if self.tenantid:
            check_tenant(self.tenantid)
        category: object = self.category
        if type(category) is not str or category not in _CATEGORIES:
            raise InvalidEventError(f"category {str(category)[:40]!r} is not input, internal or output")
        if type(self.priority) is not int or not 0 <= self.priority <= 9:
            raise InvalidEventError(f"priority {str(self.priority)[:40]!r} is not a whole number from 0 to 9")
        if self.ordered is not False:
            self._check_order()

    def _check_order(self) -> None:
        if type(self.ordered) is not bool:
            raise InvalidEventError(f"ordered {str(self.ordered)[:40]!r} is not true or false")
        if not self.partitionkey:
            raise InvalidEventError(
                f"an event of type {self.type} is sent as ordered, and has no partitionkey",
                hint="Name the key whose order is kept",
            )

    def but(self, **changes: Any) -> Self:
        """Return a copy with some attributes changed; checked as a new event is."""
        if not changes.keys() <= _DEFAULTS.keys():
            raise TypeError(f"an event has no attribute {', '.join(sorted(changes.keys() - _DEFAULTS.keys()))}")
        copy = self._rebuilt(vars(self), changes)
        copy._check()  # noqa: SLF001 - another instance of this very class
        return copy

    def stamped(self, **values: Any) -> Self:
        """Return a copy with attributes that the OS itself has made or checked; nothing is checked again."""
        return self._rebuilt(vars(self), values)

    @classmethod
    def of_signed(cls, attributes: Mapping[str, Any]) -> Self:
        """Return an event of attributes that were those of a checked event; nothing is checked again.

        Args:
            attributes: By field name, with Python's types; those that are missing have their defaults.
        """
        return cls._rebuilt(_DEFAULTS, attributes)

    @classmethod
    def _rebuilt(cls, values: Mapping[str, Any], changes: Mapping[str, Any]) -> Self:
        event = object.__new__(cls)
        # Frozen to the outside; here all attributes are set at once, which costs a tenth of one by one.
        event.__dict__.update(values)
        event.__dict__.update(changes)
        return event


_DEFAULTS: Mapping[str, Any] = vars(Event(type="a"))


def merge_labels(*groups: Sequence[str]) -> tuple[str, ...]:
    """Return all labels of the groups, sorted, each once: how labels travel from cause to effect.

    Raises:
        InvalidEventError: A label has a wrong syntax, or there are more than 32.
    """
    for group in groups:
        if not isinstance(group, (tuple, list)):
            raise InvalidEventError(
                f"labels are a {type(group).__name__}, not a list of text", hint="Write labels=('untrusted',)"
            )
        for label in group:
            if type(label) is not str:
                raise InvalidEventError(f"label {str(label)[:40]!r} is a {type(label).__name__}, not text")
    merged = sorted({check_label(label) for group in groups for label in group})
    if len(merged) > LABELS:
        raise InvalidEventError(f"{len(merged)} labels on one event, at most {LABELS} are allowed")
    return tuple(merged)


def _in_utc(time: object) -> datetime:
    if not isinstance(time, datetime):
        raise InvalidEventError(f"time is a {type(time).__name__}, not a datetime")
    if time.utcoffset() is None:
        raise InvalidEventError("time has no zone", hint="Use an aware datetime, such as datetime.now(UTC)")
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise InvalidEventError(f"time {time.isoformat()} is outside of the years 1 to 9999 in UTC") from error


def _no_such(name: str, data: Mapping[str, Any]) -> str:
    known = [str(key)[:40] for key in islice(data, 12)]
    more = f" and {len(data) - len(known)} more" if len(data) > len(known) else ""
    return f"the event's data has no {name!r}; it has: {', '.join(known) or 'nothing'}{more}"
