"""What conditions are told of a request: the roots, as plain data that has passed the data gate. Pure.

Made only for a request that a policy with a condition concerns. A root, or a field of the event, is looked at when the
first condition speaks of it, and once for all of them.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from vextir_os.events.event import Event
from vextir_os.policy.conditions.condition import Condition, check_roots
from vextir_os.policy.conditions.gate import check_data
from vextir_os.policy.conditions.state import MISSING, State
from vextir_os.policy.model import Request

_ATTRIBUTES = ("id", "source", "type", "category", "tenantid", "userid", "correlationid", "priority", "ordered")
_OPTIONAL = ("subject", "causationid", "partitionkey", "datacontenttype", "dataschema", "dataref")


class Facts:
    """The roots of one request."""

    __slots__ = ("_event", "_fields", "_known", "_request", "state")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._known: dict[str, Any] = {}
        self._event: Event | None = None
        self._fields: dict[str, Any] = {}
        self.state = State()
        """What the answer of one condition after the other is worked out with."""

    def of(self, condition: Condition) -> list[Any]:
        """Return the values of a condition's roots, `MISSING` for one that does not apply.

        Raises:
            ConditionError: One holds what is no plain data.
        """
        return [self._event_with(condition.fields) if root == "event" else self._root(root) for root in condition.roots]

    def _root(self, root: str) -> Any:
        if root in self._known:
            return self._known[root]
        value = _ROOTS[root](self._request)
        if not (root == "args" and self._request.plain):
            check_roots((root,), [value])
        self._known[root] = value
        return value

    def _event_with(self, fields: frozenset[str] | None) -> Any:
        """Return the event as a dict with these fields, or with all, as far as there are such."""
        if self._event is None:
            if self._request.event is None:
                return MISSING
            self._event = self._request.event()
        known = self._fields
        for field in fields if fields is not None else (*_FIELDS, *self._event.extensions):
            if field not in known:
                value = self._field(self._event, field)
                if value is not MISSING:
                    known[field] = value
        return known

    def _field(self, event: Event, field: str) -> Any:
        read = _FIELDS.get(field)
        value = event.extensions.get(field, MISSING) if read is None else read(event)
        # The attributes of an event were checked when it was made.
        if value is not MISSING and (read is None or (field == "data" and not self._request.plain)):
            check_data(value, f"`event.{field}`")
        return value


def plain(value: Any) -> Any:
    """Return data whose outermost value is a plain dict, as the gate wants it: an event's own is a `Payload`."""
    return dict(value) if isinstance(value, dict) and type(value) is not dict else value


def _data(event: Event) -> Any:
    # Where the data is kept elsewhere, whatever rests on it is missing, and grants nothing.
    return MISSING if event.dataref or (event.data is None and not event.null_data) else plain(event.data)


def _user(request: Request) -> dict[str, Any]:
    principal = request.principal
    return {"kind": principal.kind, "id": principal.id, "tenant": principal.tenant, "roles": [*principal.roles]}


def _there(value: Any, make: Callable[[Any], Any]) -> Any:
    return MISSING if value is None else make(value)


def _attribute(name: str) -> Callable[[Event], Any]:
    return lambda event: getattr(event, name)


def _optional(name: str) -> Callable[[Event], Any]:
    return lambda event: getattr(event, name) or MISSING


_FIELDS: Mapping[str, Callable[[Event], Any]] = {
    **{name: _attribute(name) for name in _ATTRIBUTES},
    **{name: _optional(name) for name in _OPTIONAL},
    "labels": lambda event: [*event.labels],
    "time": lambda event: _there(event.time, datetime.isoformat),
    "data": _data,
}
"""What there is of an event, beside its extensions; the name of an attribute no extension can take."""

_ROOTS: Mapping[str, Callable[[Request], Any]] = {
    "user": _user,
    "tenant": lambda request: request.principal.tenant,
    "driver": lambda request: _there(request.driver, lambda driver: {"id": driver, "kind": request.driver_kind}),
    "capability": lambda request: request.event_type or MISSING,
    "action": lambda request: request.action,
    "resource": lambda request: request.resource,
    "args": lambda request: _there(request.args, plain),
    "run": lambda request: _there(request.run, dict),
    "context": lambda _request: MISSING,
    "now": lambda request: _there(request.clock, lambda clock: datetime.fromtimestamp(clock(), UTC)),
}
