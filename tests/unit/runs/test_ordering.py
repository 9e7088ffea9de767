"""Ordered keys, the pure part: the key's document, and what a record does with its place."""

import pytest

from vextir_os.driverkit.manifest import OnPoison
from vextir_os.errors import LostRunError
from vextir_os.events.ids import key_id
from vextir_os.runs import ordering
from vextir_os.runs.record import RecordDoc, State, claimable, halts, new_record, new_run, with_due

NOW = 1_795_200_000.123
KEY = key_id("acme", "acct-7")
ONE, TWO = ordering.Place(id="acme~1", pk="acme~c", turn=0), ordering.Place(id="acme~2", pk="acme~c", turn=0)


def a_record(*states: State, n: int | None = None, on_poison: OnPoison = "skip") -> RecordDoc:
    """Return a record in line, then its runs in these states under a ticket."""
    runs = {f"d{i}": new_run(now=NOW, owner="w", lease_s=45, hashes={}) for i in range(len(states) or 1)}
    record = new_record(
        id="acme~1", pk="acme~c", event_id="e-1", event_json=b"{}", decision={"effect": "allow"}, runs=runs, now=NOW
    )
    record = ordering.in_line(record, KEY, on_poison)
    for driver, state in zip(runs, states, strict=False):
        record["runs"][driver] = {**record["runs"][driver], "state": state}
    record["key"]["n"] = n
    if n is not None:
        record["outbox"] = []
    return record


def test_a_key_of_two_tenants_is_two_keys() -> None:
    assert key_id("acme", "a") != key_id("other", "a")
    assert key_id("acme", "a") != key_id("acme", "b")
    assert len(key_id("t" * 64, "k" * 1_024)) <= 128


def test_tickets_begin_at_the_time_in_milliseconds_and_rise_with_each_that_leaves() -> None:
    doc = ordering.entered(ordering.entered(ordering.new_key(KEY, now=NOW), ONE), TWO)
    assert (doc["head"], doc["list"]) == (1_795_200_000_123, [ONE, TWO])
    doc = ordering.left(doc)
    assert (doc["head"], doc["list"]) == (1_795_200_000_124, [TWO])


def test_a_document_expires_only_while_nobody_is_in_its_list() -> None:
    doc = ordering.new_key(KEY, now=NOW)
    assert doc["ttl"] == 90 * 86_400
    assert "ttl" not in ordering.entered(doc, ONE)
    assert ordering.left(ordering.entered(doc, ONE))["ttl"] == 90 * 86_400


@pytest.mark.parametrize(
    ("head", "length", "older"),
    [(6, 3, True), (7, 0, True), (7, 1, False), (8, 0, False), (5, 2, True)],
    ids=["before-its-turn", "not-entered", "at-the-head", "left", "not-even-entered"],
)
def test_a_document_from_before_the_tickets_turn_is_older(head: int, length: int, older: bool) -> None:
    doc: ordering.KeyDoc = {**ordering.new_key(KEY, now=NOW), "head": head, "list": [ONE] * length}
    assert ordering.is_older(doc, 7) is older


def test_a_record_in_line_is_not_claimable_and_due_for_its_entry_alone() -> None:
    record = with_due(a_record(), now=NOW, retention_s=60)
    run = record["runs"]["d0"]
    assert (run["state"], run["fence"], run["owner"], run["lease_until"]) == ("queued", 0, None, None)
    assert not claimable(run, now=NOW + 1e9)
    assert [entry["do"] for entry in record["outbox"]] == ["enrol"]
    assert record["due"] == NOW + 15
    record["outbox"] = []
    record = with_due(record, now=NOW, retention_s=60)
    assert ("due" in record, "ttl" in record) == (False, False)


def test_at_the_head_a_record_is_ready_under_its_ticket_and_has_enrolled() -> None:
    record = ordering.made_ready(a_record("queued", "cancelled"), 7)
    assert [run["state"] for run in record["runs"].values()] == ["ready", "cancelled"]
    assert (record["key"]["n"], record["outbox"]) == (7, [])


def test_only_a_record_that_waits_is_made_ready() -> None:
    with pytest.raises(LostRunError, match="record acme~1 does not wait for its turn"):
        ordering.made_ready(a_record("running", n=7), 8)


@pytest.mark.parametrize("state", ["done", "dead", "cancelled"])
def test_the_write_that_ends_the_last_run_adds_a_move_entry_behind_all_others(state: State) -> None:
    before, after = a_record("done", "running", n=7), a_record("done", state, n=7)
    after["outbox"] = [{"n": 0, "run": "d1", "rerun": 0, "do": "emit", "event": {}}]
    written = ordering.with_move(before, after)
    assert [entry["do"] for entry in written["outbox"]] == ["emit", "move"]
    assert ordering.moves(written) == [{"n": 7, "run": "", "rerun": 0, "do": "move"}]
    assert ordering.with_move(written, written) is written


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(a_record("running", "running", n=7), a_record("done", "running", n=7), id="one-still-runs"),
        pytest.param(a_record("running", n=7), a_record("retry", n=7), id="tried-again"),
        pytest.param(a_record("queued"), a_record("cancelled"), id="cancelled-in-line"),
    ],
)
def test_no_other_write_adds_a_move_entry(before: RecordDoc, after: RecordDoc) -> None:
    assert ordering.with_move(before, after) is after


def test_a_cancelled_record_taken_out_has_a_move_entry_where_its_enrol_entry_was() -> None:
    record = ordering.taken_out(a_record("cancelled"), 9)
    assert record["outbox"] == [{"n": 9, "run": "", "rerun": 0, "do": "move"}]
    with pytest.raises(LostRunError, match="record acme~1 has nothing to be taken out"):
        ordering.taken_out(record, 9)
    with pytest.raises(LostRunError, match="record acme~1 has nothing to be taken out"):
        ordering.taken_out(a_record("queued"), 9)


def test_a_dead_head_halts_its_key_only_where_a_driver_says_so() -> None:
    assert not halts(a_record("dead", n=7))
    assert halts(a_record("done", "dead", n=7, on_poison="halt"))
    assert not halts(a_record("done", n=7, on_poison="halt"))
    assert not halts(a_record("running", "dead", n=7, on_poison="halt"))
    assert not halts(a_record("dead", on_poison="halt"))


def test_a_record_that_halts_its_key_is_neither_due_nor_forgotten() -> None:
    record = with_due(a_record("dead", n=7, on_poison="halt"), now=NOW, retention_s=60)
    assert ("due" in record, "ttl" in record) == (False, False)


def test_a_person_who_skips_a_dead_head_lets_the_key_move_on() -> None:
    halted = a_record("dead", n=7, on_poison="halt")
    assert ordering.with_move(a_record("running", n=7, on_poison="halt"), halted) is halted
    assert ordering.moves(ordering.with_move(halted, ordering.skipped(halted)))[0]["n"] == 7


def test_a_replayed_record_goes_to_the_end_of_its_key_under_its_next_turn() -> None:
    before = a_record("dead", "done", n=7)
    before["outbox"] = [{"n": 7, "run": "", "rerun": 0, "do": "move"}]
    ready = {**before["runs"], "d0": {**before["runs"]["d0"], "state": "ready"}}
    after = ordering.replayed(before, ready)  # type: ignore[arg-type]
    assert [run["state"] for run in after["runs"].values()] == ["queued", "done"]
    assert (after["key"]["turn"], after["key"]["n"]) == (1, None)
    assert [(entry["do"], entry["rerun"]) for entry in after["outbox"]] == [("move", 0), ("enrol", 1)]


def test_a_replayed_head_that_halts_its_key_keeps_its_place() -> None:
    before = a_record("dead", n=7, on_poison="halt")
    after = ordering.replayed(before, {"d0": {**before["runs"]["d0"], "state": "ready"}})
    assert (after["runs"]["d0"]["state"], after["key"], after["outbox"]) == ("ready", before["key"], [])
