"""The writes that the protocol allows to a run."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.manifest import Retry
from vextir_os.errors import Kind, LostRunError
from vextir_os.runs.record import RunDoc, new_run
from vextir_os.runs.transitions import (
    MAX_TAKEOVERS,
    Failure,
    Hold,
    claim,
    done,
    failed,
    lease_s,
    needs_renewal,
    owned,
    renew,
    retry_delay_s,
)

NOW = 1_795_200_000.0


def running(owner: str = "w1") -> RunDoc:
    return new_run(now=NOW, owner=owner, lease_s=45, hashes={"code": "sha256:1a"})


def failure(kind: str, retry_after_s: float | None = None) -> Failure:
    return Failure(kind=cast(Kind, kind), detail={"class": "E", "message": "m"}, retry_after_s=retry_after_s)


def test_admit_claims_a_run_under_fence_one() -> None:
    run = running()
    assert (run["state"], run["fence"], run["owner"], run["lease_until"]) == ("running", 1, "w1", NOW + 45)


def test_a_run_that_no_worker_may_execute_yet_is_ready_under_fence_zero() -> None:
    run = new_run(now=NOW, owner=None, lease_s=45, hashes={})
    assert (run["state"], run["fence"], run["owner"], run["lease_until"]) == ("ready", 0, None, None)


def test_a_claim_raises_the_fence_and_names_the_new_owner() -> None:
    run = claim(running(), owner="w2", now=NOW + 60, lease=45)
    assert (run["fence"], run["owner"], run["lease_until"], run["takeovers"]) == (2, "w2", NOW + 105, 1)


def test_a_claim_of_a_retry_is_no_takeover() -> None:
    waiting = failed(running(), Hold(1, "w1"), failure("transient"), Retry(), now=NOW, draw=0.5)
    assert claim(waiting, owner="w2", now=NOW + 60, lease=45)["takeovers"] == 0


def test_a_run_whose_owners_keep_dying_is_dead_at_the_claim() -> None:
    run = running()
    for turn in range(MAX_TAKEOVERS):
        run = claim(run, owner=f"w{turn}", now=NOW, lease=45)
        assert run["state"] == "running"
    run = claim(run, owner="last", now=NOW, lease=45)
    assert (run["state"], run["owner"]) == ("dead", None)
    assert run["error"] is not None
    assert run["error"]["message"] == "the worker died 6 times while it ran this driver, at most 5 are allowed"


@pytest.mark.parametrize(
    "hold",
    [Hold(2, "w1"), Hold(0, "w1"), Hold(1, "w2")],
    ids=["newer fence", "older fence", "other owner"],
)
def test_only_fence_and_owner_together_own_a_run(hold: Hold) -> None:
    with pytest.raises(LostRunError, match="the run is running under fence 1, not running under fence"):
        owned(running(), hold)


def test_a_run_that_is_gone_is_lost() -> None:
    with pytest.raises(LostRunError, match="the run is gone"):
        owned(None, Hold(1, "w1"))


def test_every_write_of_an_owner_asserts_the_hold() -> None:
    taken = claim(running(), owner="w2", now=NOW + 60, lease=45)
    old = Hold(1, "w1")
    with pytest.raises(LostRunError):
        done(taken, old, now=NOW, output={"a": 1}, output_ref=None, decisions=[])
    with pytest.raises(LostRunError):
        failed(taken, old, failure("transient"), Retry(), now=NOW, draw=0.5)
    with pytest.raises(LostRunError):
        renew(taken, old, now=NOW, lease=45)


def test_a_committed_run_has_no_owner_and_no_lease() -> None:
    run = done(running(), Hold(1, "w1"), now=NOW + 3, output={"a": 1}, output_ref=None, decisions=[])
    assert (run["state"], run["output"], run["owner"], run["lease_until"]) == ("done", {"a": 1}, None, None)
    assert run["ended"] == NOW + 3


def test_a_failed_attempt_waits_for_its_time() -> None:
    run = failed(running(), Hold(1, "w1"), failure("transient"), Retry(base_s=2), now=NOW, draw=0.5)
    assert (run["state"], run["attempt"], run["not_before"], run["owner"]) == ("retry", 1, NOW + 1.0, None)


def test_the_last_attempt_leaves_the_run_dead_with_its_error() -> None:
    run = failed(running(), Hold(1, "w1"), failure("transient"), Retry(max_attempts=1), now=NOW, draw=0.5)
    assert run["error"] is not None
    assert (run["state"], run["error"]["class"], run["error"]["message"]) == ("dead", "E", "m")


def test_the_record_tells_each_attempt_and_the_pause_after_it() -> None:
    run, rule = running(), Retry(max_attempts=3, base_s=8)
    run = failed(run, Hold(1, "w1"), failure("transient"), rule, now=NOW, draw=0.5)
    run = claim(run, owner="w2", now=NOW + 4, lease=45)
    run = failed(run, Hold(2, "w2"), failure("throttled", 30), rule, now=NOW + 5, draw=0.5)
    run = claim(run, owner="w3", now=NOW + 35, lease=45)
    run = failed(run, Hold(3, "w3"), failure("invalid"), rule, now=NOW + 36, draw=0.5)
    assert run["error"] is not None
    tried = run["error"]["tried"]
    assert [(one["attempt"], one["at"] - NOW, one["delay_s"]) for one in tried] == [
        (1, 0, 4),
        (2, 5, 30),
        (3, 36, None),
    ]
    assert {one["message"] for one in tried} == {"m"}


def test_of_many_attempts_the_last_ten_are_told() -> None:
    run, rule = running("w0"), Retry(max_attempts=100)
    for turn in range(30):
        long = Failure(kind="transient", detail={"class": "E", "message": "m" * 2_000})
        run = failed(run, Hold(turn + 1, f"w{turn}"), long, rule, now=NOW, draw=0.5)
        run = claim(run, owner=f"w{turn + 1}", now=NOW, lease=45)
    assert run["error"] is not None
    assert [one["attempt"] for one in run["error"]["tried"]] == list(range(21, 31))
    assert {len(one["message"]) for one in run["error"]["tried"]} == {200}


def test_a_run_whose_worker_died_keeps_what_was_tried_before() -> None:
    run = failed(running(), Hold(1, "w1"), failure("transient"), Retry(), now=NOW, draw=0.5)
    for turn in range(MAX_TAKEOVERS + 2):
        run = claim(run, owner=f"w{turn}", now=NOW, lease=45)
    assert (run["state"], run["error"] and run["error"]["class"]) == ("dead", "WorkerLost")
    assert run["error"] is not None
    assert [one["attempt"] for one in run["error"]["tried"]] == [1]


@pytest.mark.parametrize("kind", ["invalid", "permission"])
def test_a_failure_that_cannot_pass_is_never_retried(kind: str) -> None:
    assert retry_delay_s(failure(kind), Retry(max_attempts=100), attempt=1, draw=0.5) is None


def test_a_bug_is_tried_three_times_at_most() -> None:
    delays = [retry_delay_s(failure("bug"), Retry(max_attempts=100), attempt=n, draw=0.5) for n in (1, 2, 3)]
    assert delays == [0.5, 1.0, None]


def test_a_kind_of_failure_has_rules_of_its_own() -> None:
    rule = Retry(max_attempts=2, base_s=1, on={"throttled": Retry(max_attempts=4, base_s=10, cap_s=25)})
    after = {
        kind: [retry_delay_s(failure(kind), rule, attempt=n, draw=0.5) for n in (1, 2, 3, 4)]
        for kind in ("throttled", "transient")
    }
    assert after == {"throttled": [5, 10, 12.5, None], "transient": [0.5, None, None, None]}
    assert retry_delay_s(failure("throttled", 99), rule, attempt=1, draw=0.5) == 25


@pytest.mark.parametrize(("attempts", "delays"), [(1, [None]), (5, [0.5, 1.0, 2.0, 4.0, None])])
def test_a_driver_may_say_how_often_a_bug_is_tried(attempts: int, delays: list[float | None]) -> None:
    rule = Retry(max_attempts=2, on={"bug": Retry(max_attempts=attempts)})
    assert [retry_delay_s(failure("bug"), rule, attempt=n + 1, draw=0.5) for n in range(attempts)] == delays


@given(kind=st.sampled_from(["invalid", "permission"]), after=st.none() | st.floats(0, 100), attempt=st.integers(1, 99))
def test_no_rule_brings_back_what_cannot_pass(kind: str, after: float | None, attempt: int) -> None:
    rule = Retry(max_attempts=100, on={kind: Retry(max_attempts=100)})  # type: ignore[dict-item]  # what checks refuse
    assert retry_delay_s(failure(kind, after), rule, attempt=attempt, draw=0.5) is None


@given(
    attempt=st.integers(1, 200),
    own=st.none() | st.integers(1, 100),
    others=st.integers(1, 100),
    kind=st.sampled_from(["transient", "throttled", "bug"]),
)
def test_a_run_is_dead_after_the_attempts_of_its_rule(attempt: int, own: int | None, others: int, kind: str) -> None:
    rule = Retry(max_attempts=others, on={} if own is None else {kind: Retry(max_attempts=own)})  # type: ignore[dict-item]
    allowed = own or (min(others, 3) if kind == "bug" else others)
    delay = retry_delay_s(failure(kind), rule, attempt=attempt, draw=0.5)
    assert (delay is None) == (attempt >= allowed)


def test_a_delay_named_by_the_upstream_is_obeyed_up_to_the_cap() -> None:
    retry = Retry(base_s=1, cap_s=60)
    assert retry_delay_s(failure("throttled", 7.5), retry, attempt=1, draw=0.0) == 7.5
    assert retry_delay_s(failure("throttled", 3_600), retry, attempt=1, draw=0.0) == 60


@given(
    attempt=st.integers(1, 99),
    draw=st.floats(0, 1, exclude_max=True),
    base=st.floats(0.001, 60),
    cap=st.floats(0.001, 3_600),
)
def test_the_delay_is_never_above_the_ceiling_of_its_attempt(
    attempt: int, draw: float, base: float, cap: float
) -> None:
    retry = Retry(max_attempts=100, base_s=base, cap_s=cap)
    delay = retry_delay_s(failure("transient"), retry, attempt=attempt, draw=draw)
    assert delay is not None
    assert 0 <= delay <= min(cap, base * 2 ** (attempt - 1))


@pytest.mark.parametrize(("timeout", "lease", "renewed"), [(1, 16, False), (60, 75, False), (61, 90, True)])
def test_a_lease_outlasts_the_time_out_or_is_renewed(timeout: float, lease: float, renewed: bool) -> None:
    assert lease_s(timeout) == lease
    assert needs_renewal(timeout) is renewed
