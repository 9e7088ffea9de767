"""The event that tells of a run which failed for good, for drivers that handle failures. Pure.

    {"type": "vextir.error", "source": "/drivers/shop.desk", "causationid": "<the failed event>", "data": {
     "driver": "shop.desk", "event": {"id": "…", "type": "order.placed", "source": "/cli"}, "attempts": 5, "rerun": 0,
     "error": {"class": "TransientError", "code": "VX410", "kind": "transient", "message": "…"}, "dead_letter": "…"}}

It holds no traceback: that stands on the record and in the dead letter, for those who may read them.
"""

from datetime import UTC, datetime

from vextir_os.events import ids
from vextir_os.events.event import Event
from vextir_os.events.names import ERROR
from vextir_os.runs.record import RunDoc

MESSAGE_CHARS = 1_000
"""Characters of the error's message that travel, at most."""


def error_event(event: Event, driver: str, run: RunDoc, *, lineage: str, dead_letter: str) -> Event | None:
    """Return the event, caused by the one that failed; None when that one tells of a failure itself, so that it ends.

    Its id is derived, and all of it is read off the record: whoever makes it again makes the same.

    Args:
        event: The failed event, as its record has it.
        driver: Id of the driver.
        run: Its run, dead.
        lineage: From `lineage.beside`.
        dead_letter: Id of the run's dead letter.
    """
    if event.type == ERROR:
        return None
    error = run["error"] or {}
    return Event(type=ERROR).stamped(
        id=ids.emitted_id(event.tenantid, event.source, event.id, driver, run["rerun"], "error", 0),
        source=f"/drivers/{driver}",
        time=datetime.fromtimestamp(run["ended"] or 0.0, UTC),
        category="internal",
        tenantid=event.tenantid,
        userid=event.userid,
        correlationid=event.correlationid,
        causationid=event.id,
        traceparent=event.traceparent,
        labels=event.labels,
        lineage=lineage,
        data={
            "driver": driver,
            "event": {"id": event.id, "type": event.type, "source": event.source},
            "attempts": run["attempt"],
            "rerun": run["rerun"],
            "error": {
                "class": str(error.get("class", ""))[:MESSAGE_CHARS],
                "code": error.get("code", ""),
                "kind": error.get("kind", ""),
                "message": str(error.get("message", ""))[:MESSAGE_CHARS],
            },
            "dead_letter": dead_letter,
        },
    )
