"""What people may do to a record: the assertion of each act, and all that it changes."""

from typing import Any, cast

import pytest

from vextir_os.errors import RunStateError
from vextir_os.runs.acts import ACTS_KEPT, Act, cancelled, discarded, edited, is_own, replayed, settled_by, with_act
from vextir_os.runs.record import FINAL, RecordDoc, RunDoc, State, new_record, new_run, status, with_due

NOW = 1_795_200_000.0
ACT = Act(id="a-1", by="user:ann", reason="why not")
STATES: tuple[State, ...] = ("ready", "running", "retry", "parked", "held", "queued", "done", "dead", "cancelled")


def a_run(state: State, **members: Any) -> RunDoc:
    run = new_run(now=NOW, owner="w1", lease_s=45, hashes={"code": "sha256:1a"})
    return cast(RunDoc, {**run, "state": state, "fence": 4, "rerun": 2, **members})


def a_record(**runs: RunDoc) -> RecordDoc:
    decision = {"effect": "allow", "policy_id": "p", "bundle_hash": "sha256:1"}
    return new_record(id="acme~1", pk="acme~1", event_id="e-1", event_json=b"{}", decision=decision, runs=runs, now=NOW)


@pytest.mark.parametrize("state", [state for state in STATES if state not in FINAL])
def test_a_cancel_ends_every_run_that_is_not_over(state: State) -> None:
    after, stopped = cancelled(a_record(one=a_run(state), two=a_run("done")), ACT, now=NOW + 1)
    run = after["runs"]["one"]
    assert (run["state"], run["fence"], run["owner"], run["lease_until"]) == ("cancelled", 5, None, None)
    assert (stopped, after["runs"]["two"]) == (("one",), a_run("done"))
    assert after["cancel"] == {"by": "user:ann", "at": NOW + 1, "reason": "why not", "runs": ["one"], "in_doubt": []}
    assert "due" not in with_due(after, now=NOW, retention_s=60)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_over_cannot_be_cancelled(state: State) -> None:
    with pytest.raises(RunStateError, match=f"event e-1 is over already: one is {state}"):
        cancelled(a_record(one=a_run(state)), ACT, now=NOW)


def test_a_cancel_lists_the_steps_of_which_nobody_knows_whether_they_happened() -> None:
    steps = [{"n": 0, "name": "search", "state": "done"}, {"n": 1, "name": "send", "state": "open"}]
    after, _ = cancelled(a_record(one=a_run("running", steps=steps), two=a_run("dead", steps=steps)), ACT, now=NOW)
    assert after["cancel"] is not None
    assert after["cancel"]["in_doubt"] == [{"run": "one", "n": 1, "name": "send"}]


def test_a_cancel_keeps_what_is_still_to_be_published() -> None:
    record = a_record(one=a_run("running"))
    record["outbox"] = [{"n": 0, "run": "two", "rerun": 0, "do": "emit", "event": {}}]
    assert cancelled(record, ACT, now=NOW)[0]["outbox"] == record["outbox"]


def test_a_replay_begins_anew_under_the_next_rerun_and_fence() -> None:
    steps = [{"n": 0, "name": "search", "state": "done"}]
    dead = a_run("dead", attempt=3, takeovers=5, steps=steps, output={"x": 1}, output_ref="r", error={"class": "E"})
    record: RecordDoc = {**a_record(one=dead, two=a_run("done")), "ttl": 60, "cancel": {"by": "user:bob"}}
    record["outbox"] = [{"n": 0, "run": "one", "rerun": 2, "do": "put", "container": "deadletters", "doc": {}}]
    record["inbox"] = [{"id": "s-1"}]
    after = with_due(replayed(record, "one", ACT, rerun=2, now=NOW), now=NOW, retention_s=60)
    run = after["runs"]["one"]
    assert (run["state"], run["rerun"], run["fence"], run["attempt"], run["takeovers"]) == ("ready", 3, 5, 0, 0)
    assert (run["steps"], run["output"], run["output_ref"], run["error"], run["owner"]) == ([], None, None, None, None)
    assert run["hashes"] == dead["hashes"]
    assert (after["runs"]["two"], after["outbox"]) == (record["runs"]["two"], record["outbox"])
    assert (after["due"], "ttl" in after, after["cancel"], after["inbox"]) == (NOW, False, None, [])
    entry = {"id": "a-1", "do": "replay", "by": "user:ann", "at": NOW, "reason": "why not", "run": "one", "rerun": 2}
    assert after["acts"] == [entry]


def test_signals_stay_while_another_run_may_wait_for_them() -> None:
    record = a_record(one=a_run("dead"), two=a_run("parked"))
    record["inbox"] = [{"id": "s-1"}]
    assert replayed(record, "one", ACT, rerun=2, now=NOW)["inbox"] == [{"id": "s-1"}]


@pytest.mark.parametrize("state", [state for state in STATES if state not in FINAL])
def test_a_run_that_goes_on_is_not_replayed(state: State) -> None:
    with pytest.raises(RunStateError, match=f"driver one still goes on with event e-1: it is {state}"):
        replayed(a_record(one=a_run(state)), "one", ACT, rerun=2, now=NOW)


def test_a_rerun_that_the_person_did_not_see_is_left_alone() -> None:
    record = a_record(one=a_run("dead"))
    with pytest.raises(RunStateError, match="driver one of event e-1 was replayed already: it is at rerun 2"):
        replayed(record, "one", ACT, rerun=1, now=NOW)
    with pytest.raises(RunStateError, match="event e-1 has no rerun 3 of driver one"):
        replayed(record, "one", ACT, rerun=3, now=NOW)
    with pytest.raises(RunStateError, match="event e-1 has no rerun 0 of driver other"):
        replayed(record, "other", ACT, rerun=0, now=NOW)


def test_what_was_set_aside_is_not_replayed_and_the_other_way_round() -> None:
    record = a_record(one=a_run("dead"))
    aside = discarded(record, "one", ACT, rerun=2, now=NOW)
    with pytest.raises(RunStateError, match="driver one of event e-1 was discarded already, by user:ann"):
        replayed(aside, "one", ACT, rerun=2, now=NOW)
    again = replayed(record, "one", ACT, rerun=2, now=NOW)
    with pytest.raises(RunStateError, match="driver one of event e-1 was replayed already, by user:ann"):
        discarded(again, "one", ACT, rerun=2, now=NOW)
    by_another = edited(record, "one", ACT, rerun=2, event_id="e-2", now=NOW)
    with pytest.raises(RunStateError, match="was replaced by another event already"):
        discarded(by_another, "one", ACT, rerun=2, now=NOW)


@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_only_a_dead_run_is_set_aside(state: State) -> None:
    with pytest.raises(RunStateError, match=f"driver one is not dead for event e-1: it is {state}"):
        discarded(a_record(one=a_run(state)), "one", ACT, rerun=2, now=NOW)


def test_the_newest_acts_stay_on_the_record() -> None:
    record = a_record(one=a_run("dead"))
    for number in range(ACTS_KEPT + 3):
        entry = {"id": f"a-{number}", "do": "discard", "by": "user:ann", "at": NOW, "reason": "", "rerun": number}
        record = with_act(record, {**entry, "run": "one"})  # type: ignore[typeddict-item]
    assert (len(record["acts"]), record["acts"][-1]["id"]) == (ACTS_KEPT, f"a-{ACTS_KEPT + 2}")
    assert settled_by(record, "one", 0) is None
    assert settled_by(record, "one", 3) == record["acts"][0]


def test_an_act_is_known_again_by_its_own_id() -> None:
    after, _ = cancelled(a_record(one=a_run("running")), ACT, now=NOW)
    assert is_own(after, ACT)
    assert not is_own(after, Act(id="a-2", by="user:ann", reason="why not"))


def test_an_event_that_was_cancelled_before_it_had_runs_reads_as_cancelled() -> None:
    record: RecordDoc = {**a_record(), "cancel": {"by": "user:ann"}}
    assert status(record) == "cancelled"
