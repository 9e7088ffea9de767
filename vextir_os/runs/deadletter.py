"""Dead letters: of a run that failed for good, and what becomes of any once a person has dealt with it. Pure.

    {"v": 1, "id": "…", "pk": "acme", "kind": "run", "state": "open", "fingerprint": "944fa9780a0c",
     "record": {"id": "acme~9f2c…", "pk": "acme~…"}, "event_id": "e-1", "type": "order.placed", "driver": "shop.desk",
     "rerun": 0, "attempts": 5, "error": {"class": "KeyError", "code": "VX400", …}, "at": 1795200000.2}

Of a run its record is the truth: `state` here is what lists show, and is put right by whoever next acts on it.
"""

from collections.abc import Mapping
from typing import Any

from vextir_os.events import jsonio
from vextir_os.events.ids import derive
from vextir_os.runs.fingerprint import fingerprint
from vextir_os.runs.keeper import Put
from vextir_os.runs.record import DEAD_LETTERS, ActDoc, Do, RecordDoc, RunDoc

OPEN = "open"
"""State of a dead letter that nobody has dealt with."""

STATES: Mapping[Do, str] = {"replay": "replayed", "edit": "edited", "discard": "discarded"}
"""What becomes of one by what a person does."""


def dead_run(record: RecordDoc, driver: str, run: RunDoc, *, now: float, ttl_s: int) -> Put:
    """Return the dead letter that comes into being with the write that makes the run dead; its id is derived.

    Args:
        record: The copy that is written.
        driver: Id of the driver.
        run: The run, dead.
        now: Epoch seconds.
        ttl_s: How long it is kept.
    """
    rerun = run["rerun"]
    return Put(
        run=driver,
        rerun=rerun,
        n=0,
        container=DEAD_LETTERS,
        doc={
            "v": 1,
            "id": dead_run_id(record["id"], driver, rerun),
            "pk": record["id"].partition("~")[0],
            "kind": "run",
            "state": OPEN,
            "fingerprint": fingerprint(run["error"] or {}),
            "record": {"id": record["id"], "pk": record["pk"]},
            "event_id": record["event_id"],
            "type": _type(record),
            "driver": driver,
            "rerun": rerun,
            "attempts": run["attempt"],
            "error": run["error"],
            "at": now,
            "ttl": ttl_s,
        },
    )


def dead_run_id(record_id: str, driver: str, rerun: int) -> str:
    """Return the id of the dead letter of a run; each rerun has its own."""
    return derive("dead", record_id, driver, rerun)


def state_of(letter: Mapping[str, Any]) -> str:
    """Return what has become of a dead letter; one that an older version wrote is open."""
    state: str = letter.get("state", OPEN)
    return state


def closed(letter: Mapping[str, Any], act: ActDoc) -> dict[str, Any]:
    """Return the dead letter with what a person did."""
    said = {name: act[name] for name in ("id", "by", "at", "reason", "event") if name in act}
    return {**letter, "state": STATES[act["do"]], "closed": said}


def error_of(letter: Mapping[str, Any]) -> dict[str, Any]:
    """Return the error of a dead letter of any kind: `class`, `code`, `message`, of a run the traceback as well."""
    found = letter["error"]
    if isinstance(found, dict):
        return found
    return {"class": letter.get("class", letter["reason"]), "code": letter["code"], "message": found}


def fingerprint_of(letter: Mapping[str, Any]) -> str:
    """Return the fingerprint of a dead letter's error."""
    return letter.get("fingerprint") or fingerprint(error_of(letter))


def _type(record: RecordDoc) -> str:
    # In the process that created the record its event is still the text that came in.
    event = record["event"]
    found: str = (event if isinstance(event, dict) else jsonio.loads(jsonio.dumps(event)))["type"]
    return found
