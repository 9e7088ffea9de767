"""What conditions are told of a request: the roots, as plain data that has passed the data gate. Pure.

Made only for a request that a policy with a condition concerns, and once for all of them.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from vextir_os.events.event import Event
from vextir_os.policy.conditions.condition import check_roots
from vextir_os.policy.conditions.state import MISSING
from vextir_os.policy.model import Request


class Facts:
    """The roots of one request. Each is made, and looked at, when the first condition speaks of it."""

    __slots__ = ("_known", "_request")

    def __init__(self, request: Request) -> None:
        self._request = request
        self._known: dict[str, Any] = {}

    def of(self, roots: tuple[str, ...]) -> list[Any]:
        """Return the values of these roots, `MISSING` for one that does not apply.

        Raises:
            ConditionError: One holds what is no plain data.
        """
        known = self._known
        return [known[root] if root in known else self._learn(root) for root in roots]

    def _learn(self, root: str) -> Any:
        value = _value(self._request, root)
        check_roots((root,), [value])
        self._known[root] = value
        return value


def _value(request: Request, root: str) -> Any:
    """Return one root of a request; `MISSING` where it does not apply."""
    return _ROOTS[root](request)


def _user(request: Request) -> dict[str, Any]:
    principal = request.principal
    return {"kind": principal.kind, "id": principal.id, "tenant": principal.tenant, "roles": [*principal.roles]}


def _there(value: Any, make: Callable[[Any], Any]) -> Any:
    return MISSING if value is None else make(value)


_ROOTS: Mapping[str, Callable[[Request], Any]] = {
    "event": lambda request: _there(request.event, lambda give: event_facts(give())),
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


def event_facts(event: Event) -> dict[str, Any]:
    """Return an event as conditions see it: its attributes under their names, its extensions beside them, its data."""
    facts: dict[str, Any] = {
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "category": event.category,
        "tenantid": event.tenantid,
        "userid": event.userid,
        "correlationid": event.correlationid,
        "priority": event.priority,
        "labels": [*event.labels],
        "ordered": event.ordered,
    }
    optional = ("subject", "causationid", "partitionkey", "datacontenttype", "dataschema")
    facts |= {name: getattr(event, name) for name in optional if getattr(event, name)}
    if event.time is not None:
        facts["time"] = event.time.isoformat()
    facts |= event.extensions
    if event.dataref:
        # The data is elsewhere: whatever rests on it is missing, and grants nothing.
        facts["dataref"] = event.dataref
    elif event.data is not None or event.null_data:
        facts["data"] = plain(event.data)
    return facts


def plain(value: Any) -> Any:
    """Return data whose outermost value is a plain dict, as the gate wants it: an event's own is a `Payload`."""
    return dict(value) if isinstance(value, dict) and type(value) is not dict else value
