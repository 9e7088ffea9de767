"""Lines of an export as history: each member is looked at before anything is believed of it."""

from typing import Any

import pytest

from vextir_os.errors import InvalidEventError, UndecodableError, VextirError
from vextir_os.runs import history

NOW = 1_795_200_000.0


def a_run(**changes: Any) -> dict[str, Any]:
    run: dict[str, Any] = {
        "state": "done", "attempt": 0, "rerun": 0, "takeovers": 0, "fence": 1, "output": {"a": 1}, "hashes": {},
        "steps": [], "decisions": [], "error": None, "started": NOW - 2, "ended": NOW - 1,
    }  # fmt: skip
    return run | changes


def a_line(**changes: Any) -> dict[str, Any]:
    line: dict[str, Any] = {
        "schema": history.SCHEMA, "v": 1, "status": "ok", "created": NOW - 3,
        "event": {"specversion": "1.0", "id": "e-1", "source": "/mail", "type": "mail.received"},
        "decision": {"effect": "allow"}, "cancel": None, "acts": [], "runs": {"mail.reader": a_run()},
    }  # fmt: skip
    return line | changes


def read(line: Any) -> None:
    line = history.check_line(line)
    event = history.event_of(line)
    history.apart(line)
    history.apart(line, "mail.reader")
    history.runs_of(line)
    history.decision_of(line)
    history.cancel_of(line)
    history.acts_of(line, event.id)
    history.created_of(line, now=NOW)


def test_a_line_as_it_should_be_is_read() -> None:
    read(a_line())
    read(
        a_line(
            cancel={"by": "user:ann", "at": 1.0, "reason": ""},
            acts=[{"do": "cancel", "by": "a", "at": 1, "reason": ""}],
        )
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param([], "it has no `schema`", id="no-object"),
        pytest.param({}, "it has no `schema`", id="empty"),
        pytest.param(a_line(schema="vextir.event.v1"), "it has no `schema`", id="another-schema"),
        pytest.param(a_line(v=2), "a line of version 2", id="newer"),
        pytest.param(a_line(event=None), "it has no event", id="no-event"),
        pytest.param(a_line(event={"type": "a.b"}), "has no id or no source", id="no-id"),
        pytest.param(a_line(runs=[]), "`runs` of a line", id="runs-no-object"),
        pytest.param(a_line(runs={f"d{n}": a_run() for n in range(33)}), "at most 32", id="many-runs"),
        pytest.param(a_line(runs={"../x": a_run()}), "names no driver", id="no-driver"),
        pytest.param(a_line(runs={"d": a_run(state="running")}), "is not over", id="running"),
        pytest.param(a_line(runs={"d": a_run(state="parked")}), "is not over", id="parked"),
        pytest.param(a_line(runs={"d": a_run(attempt=-1)}), "has a wrong type", id="negative"),
        pytest.param(a_line(runs={"d": a_run(attempt=True)}), "has a wrong type", id="bool"),
        pytest.param(a_line(runs={"d": a_run(steps={})}), "has a wrong type", id="steps"),
        pytest.param(a_line(runs={"d": a_run(error="x")}), "has a wrong type", id="error"),
        pytest.param(a_line(runs={"d": a_run(ended="x")}), "has a wrong type", id="ended"),
        pytest.param(a_line(decision={}), "says no effect", id="decision"),
        pytest.param(a_line(decision={"effect": "grant"}), "says no effect", id="unknown-effect"),
        pytest.param(a_line(cancel=True), "`cancel` of a line", id="cancel"),
        pytest.param(a_line(acts=[{"do": "cancel"}]), "`acts` of a line", id="acts"),
        pytest.param(a_line(acts=[{"do": "a", "by": "b", "at": 1, "reason": "", "id": "x"}]), "`acts`", id="act-id"),
        pytest.param(a_line(created=None), "no time in the past", id="no-time"),
        pytest.param(a_line(created=NOW + 60), "no time in the past", id="to-come"),
        pytest.param(a_line(created=float("inf")), "no time in the past", id="never"),
        pytest.param(a_line(blobs={"event": 7}), "names no hash", id="blob"),
    ],
)
def test_a_line_that_is_none_is_refused_with_a_reason(line: Any, why: str) -> None:
    with pytest.raises((UndecodableError, InvalidEventError)) as found:
        read(line)
    assert why in str(found.value)


@pytest.mark.parametrize("member", sorted(a_line().keys() | {"blobs"}))
@pytest.mark.parametrize("value", [None, 0, "x", [], {}, [[]], {"x": {}}, {"mail.reader": None}], ids=repr)
def test_whatever_a_member_is_a_line_is_read_or_refused(member: str, value: Any) -> None:
    line = a_line(**{member: value})
    try:
        read(line)
    except VextirError:
        return
    assert history.is_over(line) in (True, False)


@pytest.mark.parametrize(
    ("change", "over"),
    [
        pytest.param({}, True, id="done"),
        pytest.param({"runs": {"d": a_run(), "e": a_run(state="retry")}}, False, id="one-in-retry"),
        pytest.param({"runs": {}, "status": "denied"}, True, id="denied"),
        pytest.param({"runs": {}, "status": "unrouted"}, True, id="unrouted"),
        pytest.param({"runs": {}, "status": "waiting"}, False, id="held"),
        pytest.param({"runs": {}, "status": "cancelled", "cancel": {}}, True, id="cancelled"),
    ],
)
def test_only_what_was_over_is_history(change: dict[str, Any], over: bool) -> None:
    assert history.is_over(a_line(**change)) is over


def test_what_a_line_says_of_the_inside_of_the_os_is_nothing() -> None:
    line = a_line(runs={"d": a_run(owner="x", lease_until=1e12, output_ref="vextir-blob:other", wait={"on": "x"})})
    run = history.runs_of(line)["d"]
    assert (run["owner"], run["lease_until"], run["output_ref"], run["wait"]) == (None, None, None, None)
    line["event"] |= {"dataref": "vextir-blob:x", "lineage": "1.1"}
    event = history.event_of(line)
    assert (event.dataref, event.lineage) == ("", "")
