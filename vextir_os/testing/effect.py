"""The effect of events on an OS, and how that of one run differs from that of another. Pure, but for reading.

Ids of emitted events are derived from what caused them, so the same event has the same id in every run.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from vextir_os.driverkit.manifest import Manifest
from vextir_os.events import jsonio
from vextir_os.testing.trouble import Journal
from vextir_os.testing.views import DeadLetter, Record, shown

Effect = dict[str, dict[str, Any]]
"""By event id: `{"type", "cause", "data", "status", "runs": {driver: {"state", "output", "error", "dead letters"}}}`"""


def effect_of(records: Sequence[Record], letters: Sequence[DeadLetter]) -> Effect:
    """Return the effect that stands in the records and the dead letters."""
    dead = Counter((letter.event_id, letter.driver) for letter in letters)
    return {
        record.event.id: {
            "type": record.event.type,
            "cause": record.event.causationid,
            "data": jsonio.loads(jsonio.dumps(record.event.data)),
            "status": record.status,
            "runs": {
                run.driver: {
                    "state": run.state,
                    "output": run.output,
                    "error": "" if run.error is None else run.error.name,
                    "dead letters": dead[run.event.id, run.driver],
                }
                for run in record.runs
            },
        }
        for record in records
    }


def differences(expected: Effect, found: Effect, *, exact: bool) -> list[str]:
    """Return one sentence for each way in which an effect is not the one without trouble.

    Args:
        expected: Without trouble.
        found: With it.
        exact: Whether outputs and data have to be equal; else only what there is, and how it ended.
    """
    said = [f"event {id_} ({one['type']}) is lost" for id_, one in expected.items() if id_ not in found]
    said += [
        f"event {id_} ({one['type']}) came into being, which nothing emitted without trouble"
        for id_, one in found.items()
        if id_ not in expected
    ]
    for id_ in expected.keys() & found.keys():
        said += _changed(id_, expected[id_], found[id_], exact)
    return sorted(said)


def unsettled(records: Sequence[Record]) -> list[str]:
    """Return one sentence for each record that is not finished, and each id that has two."""
    said = [f"event {record.event.id} is not finished: {record!r}" for record in records if "due" in record.raw]
    ids = [record.event.id for record in records]
    return said + [f"event {id_} has {ids.count(id_)} records" for id_ in sorted(set(ids)) if ids.count(id_) > 1]


def out_of_order(records: Sequence[Record], published: Sequence[str]) -> list[str]:
    """Return one sentence for each ordered event that began before the one ahead of it in its key was over."""
    by_id = {record.event.id: record for record in records}
    lines: dict[str, list[Record]] = defaultdict(list)
    for id_ in published:
        record = by_id.get(id_)
        if record is not None and record.event.ordered:
            lines[record.event.partitionkey].append(record)
    return [
        f"event {after.event.id} began before {before.event.id} was over, which comes before it in key `{key}`"
        for key, line in lines.items()
        for before, after in pairwise(line)
        if _began(after) < _ended(before)
    ]


def unfounded(records: Sequence[Record], journal: Journal) -> list[str]:
    """Return one sentence for each output on record that no call of the driver has returned."""
    returned = defaultdict(list)
    for driver, event_id, output, _ in journal.returned:
        returned[driver, event_id].append(output)
    return [
        f"{run.driver} of {run.event.id} holds {shown(run.output)}, which no call returned"
        for record in records
        for run in record.runs
        if run.state == "done" and run.output not in returned[run.driver, run.event.id]
    ]


def not_idempotent(journal: Journal, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return one sentence for each driver that says it is idempotent, and whose calls for one event differ."""
    said = []
    first: dict[tuple[str, str], tuple[Any, list[Any]]] = {}
    for driver, event_id, output, events in journal.returned:
        before = first.setdefault((driver, event_id), (output, events))
        if before != (output, events) and manifests[driver].delivery == "idempotent":
            said.append(
                f'{driver} says delivery="idempotent", and returned {shown(before[0])} for {event_id} at first, '
                f"then {shown(output)}"
            )
    return said


def _changed(id_: str, expected: Mapping[str, Any], found: Mapping[str, Any], exact: bool) -> Iterator[str]:
    for name in ("type", "cause", "status", *(("data",) if exact else ())):
        if expected[name] != found[name]:
            yield f"event {id_}: {name} {shown(found[name])}, without trouble {shown(expected[name])}"
    for driver in sorted(expected["runs"].keys() | found["runs"].keys()):
        mine, theirs = found["runs"].get(driver), expected["runs"].get(driver)
        if mine is None or theirs is None:
            yield f"{driver} of {id_}: {'no run' if mine is None else 'a run that there was not without trouble'}"
            continue
        for name in ("state", "error", "dead letters", *(("output",) if exact else ())):
            if mine[name] != theirs[name]:
                yield f"{driver} of {id_}: {name} {shown(mine[name])}, without trouble {shown(theirs[name])}"


def _began(record: Record) -> float:
    return min((run["started"] or 0.0 for run in record.raw["runs"].values()), default=0.0)


def _ended(record: Record) -> float:
    return max((run["ended"] or 0.0 for run in record.raw["runs"].values()), default=0.0)
