"""Reading records for people: one event, what followed from it, the newest ones. Read only; takes the tenant, always.

Views are plain JSON values, the same for the HTTP API and the command line.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from vextir_os.events.ids import partition
from vextir_os.ports.store import Store, Where
from vextir_os.runs.record import EVENTS, run_status, status

_PAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """An event's record and the traces of the events that its runs emitted, in the order of their creation."""

    record: Mapping[str, Any]
    caused: tuple["Trace", ...]


async def find(store: Store, tenant: str, event_id: str) -> Mapping[str, Any] | None:
    """Return the record of an event of the tenant, or None.

    The same id from another source or under another correlation id is another event; the oldest one is returned.
    """
    async for record in _all(store, Where("event_id", "=", event_id)):
        if record["id"].startswith(f"{tenant}~"):
            return record
    return None


async def named(store: Store, tenant: str, event_id: str, source: str = "") -> list[Mapping[str, Any]]:
    """Return the records of the tenant's events of this id, and of this source when one is given; two at most."""
    found: list[Mapping[str, Any]] = []
    async for record in _all(store, Where("event_id", "=", event_id)):
        if record["id"].startswith(f"{tenant}~") and source in ("", record["event"]["source"]):
            found.append(record)
            if len(found) > 1:
                break
    return found


async def trace(store: Store, tenant: str, event_id: str) -> Trace | None:
    """Return an event with all that followed from it, or None when the tenant has no such event."""
    root = await find(store, tenant, event_id)
    if root is None:
        return None
    children: dict[str, list[Mapping[str, Any]]] = {}
    async for record in _all(store, Where("pk", "=", partition(tenant, root["event"]["correlationid"]))):
        cause = record["event"].get("causationid")
        if cause:
            children.setdefault(cause, []).append(record)
    return _tree(root, children)


async def newest(store: Store, tenant: str) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the records of the tenant, the newest first."""
    continuation = ""
    while True:
        page = await store.query(EVENTS, order="newest", limit=_PAGE, continuation=continuation)
        for item in page.items:
            if item.document["id"].startswith(f"{tenant}~"):
                yield item.document
        continuation = page.continuation
        if not continuation:
            return


def view(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as people and programs read it: the event, its status, decision, runs; nothing of leases."""
    shown = {
        "id": record["event_id"],
        "type": record["event"]["type"],
        "source": record["event"]["source"],
        "status": status(record),
        "created": record["created"],
        "event": record["event"],
        "decision": record["decision"],
        "runs": {driver: run_view(run) for driver, run in record["runs"].items()},
    }
    if "left_out" in record:
        shown["left_out"] = record["left_out"]
    if record["cancel"] is not None:
        shown["cancel"] = record["cancel"]
    if "acts" in record:
        shown["acts"] = [{name: value for name, value in act.items() if name != "id"} for act in record["acts"]]
    return shown


def run_view(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run as people read it; times are epoch seconds, `duration_ms` is there once it ended."""
    shown: dict[str, Any] = {
        "status": run_status(run),
        "state": run["state"],
        "attempt": run["attempt"],
        "rerun": run["rerun"],
        "output": run["output"],
        "error": run["error"],
        "decisions": run["decisions"],
        "started": run["started"],
        "ended": run["ended"],
        "not_before": run["not_before"],
    }
    shown |= {name: run[name] for name in ("version", "began_with") if name in run}
    if run["state"] == "ready" and run["wait"] is not None:
        shown["wait"] = run["wait"]
    if run["output_ref"] is not None:
        shown["output_ref"] = run["output_ref"]
    if run["started"] is not None and run["ended"] is not None:
        shown["duration_ms"] = round((run["ended"] - run["started"]) * 1_000, 3)
    return shown


def row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as one row that event filters are matched against and lists show."""
    event = record["event"]
    return {
        "id": record["event_id"],
        "type": event["type"],
        "source": event["source"],
        "status": status(record),
        "driver": sorted(record["runs"]),
        "tenant": event["tenantid"],
        "user": event.get("userid", ""),
        "category": event.get("category", ""),
        "label": [label for label in event.get("labels", "").split(",") if label],
        "priority": event.get("priority", 5),
        "correlation": event["correlationid"],
        "time": record["created"],
        "data": event.get("data"),
    }


def _tree(root: Mapping[str, Any], children: Mapping[str, list[Mapping[str, Any]]]) -> Trace:
    # Built without recursion: a chain of causes may be longer than Python's stack.
    order, stack, seen = [], [root], set()
    while stack:
        record = stack.pop()
        if record["id"] in seen:
            continue
        seen.add(record["id"])
        order.append(record)
        stack.extend(children.get(record["event_id"], ()))
    built: dict[str, Trace] = {}
    for record in reversed(order):
        caused = tuple(built[child["id"]] for child in children.get(record["event_id"], ()) if child["id"] in built)
        built[record["id"]] = Trace(record=record, caused=caused)
    return built[root["id"]]


async def _all(store: Store, where: Where) -> AsyncIterator[Mapping[str, Any]]:
    continuation = ""
    while True:
        page = await store.query(EVENTS, [where], limit=_PAGE, continuation=continuation)
        for item in page.items:
            yield item.document
        continuation = page.continuation
        if not continuation:
            return
