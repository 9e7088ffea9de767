"""Runs as lists show them: one row for each driver of an event, the newest events first. Read only.

Takes the tenant, always. Rows are plain JSON values, the same for the HTTP API and the command line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from vextir_os.events.patterns import matches
from vextir_os.ports.store import Store
from vextir_os.runs.paging import Item, Listed, listed
from vextir_os.runs.reading import run_view, view
from vextir_os.runs.record import EVENTS, State

STATES: tuple[str, ...] = get_args(State)
"""States that a run may have."""

_SHOWN = ("status", "state", "attempt", "rerun", "started", "ended", "not_before", "duration_ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs; what is empty asks for nothing.

    Attributes:
        state: One of `STATES`.
        driver: Id of the driver.
        type: Pattern of the type of the event.
    """

    state: str = ""
    driver: str = ""
    type: str = ""

    def rows(self, record: Mapping[str, Any]) -> Sequence[Item]:
        """Return the rows of a record that are wanted."""
        if self.type and not matches(self.type, record["event"]["type"]):
            return ()
        return [
            run_row(record, driver, run)
            for driver, run in record["runs"].items()
            if (not self.state or run["state"] == self.state) and (not self.driver or driver == self.driver)
        ]


async def page(store: Store, tenant: str, wanted: Wanted, *, limit: int, after: str = "") -> Listed:
    """Return one page of rows, those of up to `limit` events. Raises `InvalidRequestError` as `listed` does."""
    own = f"{tenant}~"

    def pick(record: Item) -> Sequence[Item]:
        return wanted.rows(record) if record["id"].startswith(own) else ()

    return await listed(store, EVENTS, pick, limit=limit, after=after)


def run_row(record: Mapping[str, Any], driver: str, run: Mapping[str, Any]) -> Item:
    """Return one run as a row; `error` is the class of what failed last, or empty."""
    shown = run_view(run)
    return {
        "event": record["event_id"],
        "type": record["event"]["type"],
        "driver": driver,
        **{name: shown[name] for name in _SHOWN if name in shown},
        "error": (run["error"] or {}).get("class", ""),
    }


def runs_view(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event with all its runs in full, without its data, and what people did to it."""
    return {name: value for name, value in view(record).items() if name not in ("event", "decision")}
