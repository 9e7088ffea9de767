"""What must hold of every world once it has come to rest, whatever went wrong before (docs/architecture.md).

Read from the store, from the log of its writes, from what was sent, and from the journal that the drivers kept outside
of the OS. Each function yields one sentence for each thing that is wrong.
"""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tests.simulation.cast import REGISTRY, Call
from tests.simulation.history import Step, removals, steps
from tests.simulation.world import World
from vextir_os.events.ids import derive
from vextir_os.events.names import ERROR
from vextir_os.runs.record import CLOCK_SKEW_S, DEAD_LETTERS, EVENTS, FINAL, STATE

Record = Mapping[str, Any]
Told = Sequence[Step]
"""What the log of the store tells of the runs."""


def violations(world: World) -> list[str]:
    """Return all that is wrong with a world that has come to rest."""
    told = tuple(steps(world.documents))
    return [sentence for check in CHECKS for sentence in check(world, told)]


def every_acknowledged_event_is_over(world: World, told: Told) -> Iterator[str]:
    """Acknowledged events have one record; every record is final, empty-handed, and due no more."""
    by_event = Counter(record["event_id"] for record in _records(world))
    for event in world.acknowledged:
        if by_event[event.id] != 1:
            yield f"event {event.id} was acknowledged and has {by_event[event.id]} records"
    for record in _records(world):
        states = {driver: run["state"] for driver, run in record["runs"].items()}
        if not set(states.values()) <= FINAL or record["outbox"] or "due" in record or "ttl" not in record:
            yield f"record {record['id']} is not over: {states}, {len(record['outbox'])} in its outbox"


def final_is_final(world: World, told: Told) -> Iterator[str]:
    """A run that is over is never written again, so it commits at most once."""
    for step in told:
        if step.before is not None and step.before["state"] in FINAL:
            yield f"{step.place}: was {step.before['state']} and was written again"


def fences_hold(world: World, told: Told) -> Iterator[str]:
    """A claim raises the fence by one; who commits, fails or renews is who claimed."""
    owners: dict[tuple[str, str], str] = {}
    for step in told:
        name = (step.record_id, step.driver)
        old, new = step.before, step.after
        if new is None:
            yield f"{step.place}: the run is gone"
        elif old is None or new["fence"] != old["fence"]:
            owners[name] = step.by
            if old is not None and new["fence"] != old["fence"] + 1:
                yield f"{step.place}: fence {old['fence']} became {new['fence']}"
        elif old["state"] == "running" and owners[name] != step.by and not _is_lease_ended(old, new):
            yield f"{step.place}: wrote a run that {owners[name]} had claimed"


def claims_are_in_time(world: World, told: Told) -> Iterator[str]:
    """Nothing is claimed before its time, nor from an owner whose lease lives, as far as clocks agree."""
    slack = 2 * world.weather.skew_s + 1e-3
    for step in told:
        old, new = step.before, step.after
        if old is None or new is None or new["fence"] == old["fence"] or new["state"] == "cancelled":
            continue
        if old["state"] == "retry" and step.at + slack < old["not_before"]:
            yield f"{step.place}: began {old['not_before'] - step.at:.3f} s before its time"
        if old["state"] == "running" and step.at + slack < old["lease_until"] + CLOCK_SKEW_S:
            yield f"{step.place}: was taken from a live owner"


def nothing_commits_after_a_cancel(world: World, told: Told) -> Iterator[str]:
    """Once a cancel was acknowledged, no run of the event is written to."""
    event_of = {record["id"]: record["event_id"] for record in _records(world)}
    for step in told:
        at = world.cancelled.get(event_of[step.record_id])
        if at is not None and step.at > at:
            yield f"{step.place}: was written to after its event was cancelled"


def outputs_are_what_a_call_returned(world: World, told: Told) -> Iterator[str]:
    """What a run holds is what its driver returned to the worker that committed it."""
    for step in told:
        if step.after is None or step.after["state"] != "done":
            continue
        call = _call(world, step.after)
        if call is None or call.driver != step.driver or call.returned is None:
            yield f"{step.place}: holds {step.after['output']}, which nothing returned"
        elif call.by != step.by:
            yield f"{step.place}: holds what {call.by} computed"


def emitted_is_what_was_committed(world: World, told: Told) -> Iterator[str]:
    """Each event of a committed run has one record with its data, each dead run one that tells of it; no other has."""
    expected: Counter[tuple[str, str, str]] = Counter()
    for record in _records(world):
        for driver, run in record["runs"].items():
            source = f"/drivers/{driver}"
            call = _call(world, run) if run["state"] == "done" else None
            for data in (call.returned or []) if call is not None else []:
                expected[record["event_id"], source, str(data)] += 1
            if run["state"] == "dead":
                expected[record["event_id"], source, ERROR] += 1
    found = Counter(
        (event["causationid"], event["source"], ERROR if event["type"] == ERROR else str(event["data"]))
        for event in (record["event"] for record in _records(world))
        if event["source"].startswith("/drivers/")
    )
    for what in sorted((expected | found).keys()):
        if expected[what] != found[what]:
            yield f"emitted by {what[1]} for {what[0]}: {what[2]}, {expected[what]} times, recorded {found[what]} times"


def only_what_was_sent_left_an_outbox(world: World, told: Told) -> Iterator[str]:
    """An entry is taken out of an outbox only once its event is on the queue, or its document in the store."""
    first_sent: dict[str, float] = {}
    for sent in world.broker.sent:
        first_sent.setdefault(sent.message.id, sent.at)
    created = {write.key[2]: write.at for write in reversed(world.documents.log) if write.before is None}
    for removal in removals(world.documents):
        if removal.entry["do"] == "emit":
            done = first_sent.get(removal.entry["event"]["id"])
        elif removal.entry["do"] == "put":
            done = created.get(removal.entry["doc"]["id"])
        else:
            # A place in the line of a key: what came of it, the order shows.
            continue
        if done is None or done > removal.at:
            yield f"record {removal.record_id}: {removal.entry['do']} {removal.entry['n']} left the outbox unsent"


def each_dead_run_has_its_dead_letter(world: World, told: Told) -> Iterator[str]:
    """One dead letter for each dead run and each message that nobody can read, and no other."""
    letters = Counter(
        document["id"] if document["kind"] == "run" else document["reason"]
        for document in world.documents.all_in(DEAD_LETTERS)
    )
    expected = Counter(
        derive("dead", record["id"], driver, run["rerun"])
        for record in _records(world)
        for driver, run in record["runs"].items()
        if run["state"] == "dead"
    )
    # What was sent without an answer may have arrived, or not.
    expected["undecodable"] = {"": 0, "sent": min(letters["undecodable"], 1), "acknowledged": 1}[world.garbage]
    for name in sorted((letters | expected).keys()):
        if letters[name] != expected[name]:
            yield f"dead letter {name}: {letters[name]} found, {expected[name]} expected"


def attempts_are_counted(world: World, told: Told) -> Iterator[str]:
    """A driver in default mode begins once per claim at most; failed attempts count, and there are not too many."""
    calls = Counter((call.event_id, call.driver) for call in world.journal.calls)
    failed = Counter((step.record_id, step.driver) for step in told if _is_failed_attempt(step))
    for record in _records(world):
        for driver, run in record["runs"].items():
            manifest, place = REGISTRY.get(driver), f"{driver} of {record['id']}"
            if not run["attempt"] == failed[record["id"], driver] <= manifest.retry.max_attempts:
                yield f"{place}: {run['attempt']} attempts counted, {failed[record['id'], driver]} failed"
            if manifest.delivery == "default" and calls[record["event_id"], driver] > run["fence"]:
                yield f"{place}: {calls[record['event_id'], driver]} calls, {run['fence']} claims"


def a_key_keeps_its_order(world: World, told: Told) -> Iterator[str]:
    """Of one key the events take effect one by one, in the order of their sending, and the key is free in the end."""
    # What was cancelled before it came has no runs, and takes no place.
    record_of = {record["event_id"]: record["id"] for record in _records(world) if record["runs"]}
    began: dict[str, float] = {}
    ended: dict[str, float] = {}
    for step in told:
        state = "" if step.after is None else step.after["state"]
        if state == "running":
            began.setdefault(step.record_id, step.at)
        elif state in FINAL:
            ended[step.record_id] = step.at
    line = [record_of[event.id] for event in world.acknowledged if event.ordered and event.id in record_of]
    for before, after in itertools.pairwise(line):
        if after in began and began[after] < ended.get(before, math.inf):
            yield f"record {after} began before {before} was over, and was sent after it"
    for key in world.documents.all_in(STATE):
        if key["kind"] == "key" and key["list"]:
            yield f"key {key['id']} is held by {key['list']}"


def in_fair_weather_nothing_is_done_twice(world: World, told: Told) -> Iterator[str]:
    """Where nothing goes wrong, every driver in default mode is called once, and keeps its run to the end."""
    if not world.weather.fair:
        return
    for (event_id, driver), count in Counter((call.event_id, call.driver) for call in world.journal.calls).items():
        if count > 1 and REGISTRY.get(driver).delivery == "default":
            yield f"{driver} was called {count} times for {event_id}, and nothing had gone wrong"


CHECKS: tuple[Callable[[World, Told], Iterator[str]], ...] = (
    every_acknowledged_event_is_over,
    final_is_final,
    fences_hold,
    claims_are_in_time,
    nothing_commits_after_a_cancel,
    outputs_are_what_a_call_returned,
    emitted_is_what_was_committed,
    only_what_was_sent_left_an_outbox,
    each_dead_run_has_its_dead_letter,
    attempts_are_counted,
    a_key_keeps_its_order,
    in_fair_weather_nothing_is_done_twice,
)


def _is_failed_attempt(step: Step) -> bool:
    new = step.after
    if new is None or (step.before is not None and step.before["state"] != "running"):
        return False
    return bool(new["state"] == "retry" or (new["state"] == "dead" and new["error"]["class"] != "WorkerLost"))


def _is_lease_ended(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a write did nothing but end a lease, which anybody may at any moment."""
    return {**old, "lease_until": None} == {**new, "lease_until": None} and new["lease_until"] < old["lease_until"]


def _records(world: World) -> list[dict[str, Any]]:
    return world.documents.all_in(EVENTS)


def _call(world: World, run: Mapping[str, Any]) -> Call | None:
    output = run["output"]
    number = output.get("call") if isinstance(output, dict) else None
    return world.journal.calls[number] if isinstance(number, int) and number < len(world.journal.calls) else None
