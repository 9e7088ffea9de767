"""What the store's log says about records and their runs: each change of a run, with who made it and when. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.simulation.documents import Documents
from vextir_os.events import jsonio
from vextir_os.runs.record import EVENTS

Run = Mapping[str, Any]


class Step(NamedTuple):
    """One write to one run; `before` is None where it came into being."""

    at: float
    by: str
    record_id: str
    driver: str
    before: Run | None
    after: Run | None

    @property
    def place(self) -> str:
        """Where it happened, for messages."""
        return f"{self.driver} of {self.record_id}, by {self.by}"


class Removal(NamedTuple):
    """An entry that a write took out of an outbox."""

    at: float
    record_id: str
    entry: Mapping[str, Any]


def steps(documents: Documents) -> Iterator[Step]:
    """Yield every change of every run, in the order of the writes."""
    for write in documents.log:
        if write.key[0] != EVENTS:
            continue
        before, after = _runs(write.before), _runs(write.after)
        for driver in sorted(before.keys() | after.keys()):
            old, new = before.get(driver), after.get(driver)
            if old != new:
                yield Step(write.at, write.by, write.key[2], driver, old, new)


def removals(documents: Documents) -> Iterator[Removal]:
    """Yield what left the outboxes."""
    for write in documents.log:
        if write.key[0] == EVENTS and write.before is not None and write.after is not None:
            left = [_name(entry) for entry in jsonio.loads(write.after)["outbox"]]
            for entry in jsonio.loads(write.before)["outbox"]:
                if _name(entry) not in left:
                    yield Removal(write.at, write.key[2], entry)


def _runs(body: bytes | None) -> Mapping[str, Run]:
    return {} if body is None else jsonio.loads(body)["runs"]


def _name(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    return entry["run"], entry["rerun"], entry["n"]
