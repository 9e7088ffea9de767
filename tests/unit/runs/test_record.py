"""What can be read from a record."""

from typing import Any

import pytest

from vextir_os.events.jsonio import dumps, loads
from vextir_os.runs.record import (
    RecordDoc,
    RunDoc,
    claimable,
    is_finished,
    new_record,
    new_run,
    remove_applied,
    status,
    with_due,
)

NOW = 1_795_200_000.0


def run_in(**changes: Any) -> RunDoc:
    run: RunDoc = {**new_run(now=NOW, owner="w", lease_s=45, hashes={}), **changes}  # type: ignore[typeddict-item]
    return run


def record_of(**runs: RunDoc) -> RecordDoc:
    record = new_record(
        id="acme~1",
        pk="acme~c",
        event_id="e-1",
        event_json=b'{"id":"e-1"}',
        decision={"effect": "allow"},
        runs=runs,
        now=NOW,
    )
    return with_due(record, now=NOW, retention_s=60)


def test_a_record_is_json_with_the_event_as_it_came() -> None:
    document = loads(dumps(record_of(a=run_in())))
    assert document["event"] == {"id": "e-1"}
    assert document["runs"]["a"]["fence"] == 1
    assert {"v", "id", "pk", "kind", "due", "event", "decision", "cancel", "inbox", "runs", "outbox"} <= set(document)


@pytest.mark.parametrize(
    ("run", "due"),
    [
        (run_in(), NOW + 47),
        (run_in(state="ready"), NOW),
        (run_in(state="retry", not_before=NOW + 9), NOW + 9),
        (run_in(state="parked", wait={"until": NOW + 99}), NOW + 99),
        (run_in(state="held"), None),
        (run_in(state="queued"), None),
    ],
    ids=["running", "ready", "retry", "parked", "held", "queued"],
)
def test_due_is_when_somebody_must_look_again(run: RunDoc, due: float | None) -> None:
    record = record_of(a=run)
    assert record.get("due") == due
    assert "ttl" not in record


def test_due_is_the_earliest_of_all_runs_and_of_the_outbox() -> None:
    record = record_of(a=run_in(), b=run_in(state="retry", not_before=NOW + 20))
    assert record["due"] == NOW + 20
    with_outbox: RecordDoc = {**record, "outbox": [{"n": 0, "run": "a", "rerun": 0, "do": "emit", "event": {}}]}
    assert with_due(with_outbox, now=NOW, retention_s=60)["due"] == NOW + 15


@pytest.mark.parametrize("state", ["done", "dead", "cancelled"])
def test_a_finished_record_has_no_due_and_goes_after_its_retention(state: str) -> None:
    record = record_of(a=run_in(state=state))
    assert is_finished(record)
    assert "due" not in record
    assert record["ttl"] == 60


def test_a_record_with_something_to_publish_is_not_finished() -> None:
    record = record_of(a=run_in(state="done"))
    record["outbox"] = [{"n": 0, "run": "a", "rerun": 0, "do": "emit", "event": {}}]
    assert not is_finished(record)


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (run_in(state="ready"), True),
        (run_in(state="retry", not_before=NOW), True),
        (run_in(state="retry", not_before=NOW + 0.1), False),
        (run_in(lease_until=NOW - 2.1), True),
        (run_in(lease_until=NOW - 1.9), False),
        (run_in(state="held"), False),
        (run_in(state="queued"), False),
        (run_in(state="parked", wait={"until": NOW + 1}), False),
        (run_in(state="parked", wait={"until": NOW}), True),
        (run_in(state="parked", wait=None), False),
        (run_in(state="done"), False),
        (run_in(state="dead"), False),
        (run_in(state="cancelled"), False),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_may_be_claimed(run: RunDoc, expected: bool) -> None:
    assert claimable(run, now=NOW) is expected


@pytest.mark.parametrize(
    ("states", "word"),
    [
        (["done", "done"], "ok"),
        (["done", "dead"], "failed"),
        (["done", "running"], "running"),
        (["done", "retry"], "queued"),
        (["parked"], "waiting"),
        (["done", "cancelled"], "cancelled"),
        ([], "unrouted"),
    ],
)
def test_one_word_says_how_it_stands(states: list[str], word: str) -> None:
    assert status(record_of(**{f"d{n}": run_in(state=state) for n, state in enumerate(states)})) == word


def test_a_denied_record_says_so() -> None:
    assert status({**record_of(), "decision": {"effect": "deny"}}) == "denied"


def test_only_applied_entries_leave_the_outbox() -> None:
    record = record_of(a=run_in(state="done"))
    first, replayed = (
        {"n": 0, "run": "a", "rerun": rerun, "do": "emit", "event": {"rerun": rerun}} for rerun in (0, 1)
    )
    record["outbox"] = [first, replayed]  # type: ignore[list-item]
    left = remove_applied(record, [first])  # type: ignore[list-item]
    assert left["outbox"] == [replayed]
    assert len(record["outbox"]) == 2
