"""The tree of a trace: order, branches, and chains longer than the interpreter's stack."""

from typing import Any

from vextir_os.cli.tree import DEPTH, every_record, tree_lines
from vextir_os.runs.reading import Trace
from vextir_os.runs.record import new_run

ALLOW = {"effect": "allow", "policy_id": "p"}


def record(event_id: str, source: str = "/cli", **runs: dict[str, Any]) -> dict[str, Any]:
    """Return a record of an event of the type `t.x` with these runs, each changed from a new one."""
    made = {
        driver: {**new_run(now=1.0, owner="o", lease_s=9, hashes={}), "state": "done", "ended": 1.5, **changes}
        for driver, changes in runs.items()
    }
    event = {"type": "t.x", "source": source, "tenantid": "local"}
    return {
        "id": f"local~{event_id}", "event_id": event_id, "created": 1.0, "event": event, "decision": ALLOW,
        "runs": made, "outbox": [],
    }  # fmt: skip


def shown(trace: Trace) -> list[str]:
    return [lead + "  ".join(span.text for span in line if span.text) for lead, line in tree_lines(trace)]


def test_what_a_driver_emitted_stands_below_it_and_the_rest_below_the_event() -> None:
    children = (
        Trace(record=record("c1", "/drivers/b", k={}), caused=()),
        Trace(record=record("c2", "/elsewhere", k={}), caused=()),
    )
    assert shown(Trace(record=record("e", a={}, b={}), caused=children)) == [
        "t.x  e  ok  500 ms",
        "├─ policy  allow  p",
        "├─ a  ok  500 ms",
        "├─ b  ok  500 ms",
        "│  └─ t.x  c1  ok  500 ms",
        "│     ├─ policy  allow  p",
        "│     └─ k  ok  500 ms",
        "└─ t.x  c2  ok  500 ms",
        "   ├─ policy  allow  p",
        "   └─ k  ok  500 ms",
    ]


def test_a_run_that_waits_for_its_next_attempt_says_when() -> None:
    error = {"code": "VX410", "class": "TransientError", "message": "no answer", "kind": "transient"}
    run = {"state": "retry", "attempt": 2, "not_before": 1_795_200_000.0, "error": error}
    assert shown(Trace(record=record("e", a=run), caused=())) == [
        "t.x  e  queued",
        "├─ policy  allow  p",
        "└─ a  queued  2 attempts  again at 2026-11-20T18:40:00.000Z",
        "   └─ VX410  TransientError  no answer",
    ]


def test_the_event_of_a_failure_is_shown_when_somebody_handles_it() -> None:
    error = {"code": "VX412", "class": "InvalidError", "message": "no such thing", "kind": "invalid"}
    failed = record("e", a={"state": "dead", "attempt": 1, "error": error})
    handled, echo = record("h", "/drivers/a", desk={}), record("u", "/drivers/a")
    handled["event"]["type"] = echo["event"]["type"] = "vextir.error"
    lines = shown(Trace(record=failed, caused=(Trace(record=handled, caused=()), Trace(record=echo, caused=()))))
    assert lines[2:] == [
        "└─ a  failed  500 ms  1 attempt",
        "   ├─ VX412  InvalidError  no such thing",
        "   └─ vextir.error  h  ok  500 ms",
        "      ├─ policy  allow  p",
        "      └─ desk  ok  500 ms",
    ]


def test_a_chain_longer_than_the_stack_is_shown_as_far_as_it_can_be_read() -> None:
    trace = Trace(record=record("e5000", "/drivers/k", k={}), caused=())
    for number in range(4_999, 0, -1):
        trace = Trace(record=record(f"e{number}", "/drivers/k", k={}), caused=(trace,))
    lines = shown(trace)
    assert lines[-1].strip() == f"└─ {5_000 - DEPTH:,} events more below. Run: vextir trace e{DEPTH + 1}"
    assert len(lines) == DEPTH * 3 + 1
    assert [found["event_id"] for found in every_record(trace)] == [f"e{number}" for number in range(1, 5_001)]
