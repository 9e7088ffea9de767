"""Which run belongs into which lane, who executes it, and when the sweep looks again."""

import pytest

from tests.unit.runs.test_record import NOW, record_of, run_in
from vextir_os.runs.lanes import executes, lane_for
from vextir_os.runs.pauses import Pauses
from vextir_os.runs.record import Lane, RunDoc, again_s
from vextir_os.runs.start import Wait, hindrance


def waits(lane: Lane, worker: Lane | None) -> Wait | None:
    return hindrance(
        driver="a", lane=lane, worker=worker, pauses=Pauses(), event_type="job.sent", tenant="acme", now=NOW
    )


@pytest.mark.parametrize(
    ("timeout_s", "priority", "lane"),
    [(30.0, 6, "batch"), (30.0, 7, "high"), (30.001, 0, "slow"), (3_600.0, 9, "slow")],
    ids=["quick", "high", "slow", "slow-whatever-its-priority"],
)
def test_a_run_belongs_into_one_lane(timeout_s: float, priority: int, lane: Lane) -> None:
    assert lane_for(timeout_s=timeout_s, priority=priority) == lane


@pytest.mark.parametrize(
    ("worker", "lanes"),
    [("batch", {"batch", "high"}), ("high", {"batch", "high"}), ("slow", {"slow"}), (None, {"batch", "high", "slow"})],
)
def test_slow_runs_and_quick_ones_have_workers_of_their_own(worker: Lane | None, lanes: set[Lane]) -> None:
    every: tuple[Lane, ...] = ("batch", "high", "slow")
    assert {lane for lane in every if executes(worker, lane)} == lanes
    assert {lane for lane in every if waits(lane, worker) is None} == lanes


def test_a_run_of_another_lane_is_looked_at_again_after_a_while() -> None:
    assert waits("slow", "batch") == Wait(look_at=NOW + 15, doc=None)


def test_the_lanes_of_a_record_are_those_of_the_runs_that_make_it_due() -> None:
    slow, over = run_in(lane="slow"), run_in(state="done", lane="high")
    assert record_of(a=run_in())["lanes"] == ["batch"]
    assert record_of(a=slow, b=over)["lanes"] == ["slow"]
    assert record_of(a=slow, b=run_in(), c=run_in(lane="slow", state="ready"))["lanes"] == ["batch", "slow"]
    assert "lanes" not in record_of(b=over)


@pytest.mark.parametrize(
    ("run", "passed_s", "seconds"),
    [
        (run_in(), 5_000, 60),
        (run_in(state="retry", not_before=NOW), 5_000, 60),
        (run_in(state="ready"), 10, 60),
        (run_in(state="ready"), 500, 500),
        (run_in(state="ready"), 50_000, 3_600),
    ],
    ids=["running", "retry", "ready", "ready-for-long", "ready-for-ever"],
)
def test_the_sweep_looks_rarely_at_what_only_waits_to_be_begun(run: RunDoc, passed_s: float, seconds: float) -> None:
    assert again_s(record_of(a=run, b=run_in(state="done")), now=NOW + passed_s) == seconds


def test_the_sweep_looks_at_what_is_to_be_published_each_minute() -> None:
    record = record_of(a=run_in(state="ready"))
    record["outbox"] = [{"n": 0, "run": "a", "rerun": 0, "do": "emit", "event": {}}]
    assert again_s(record, now=NOW + 5_000) == 60
