"""Lines of an export as history: each member is looked at before anything is believed of it."""

import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

import pytest

from vextir_os.cli import screen
from vextir_os.cli.details import detail_lines
from vextir_os.errors import InvalidEventError, UndecodableError, VextirError
from vextir_os.events import jsonio
from vextir_os.events.codec import encode
from vextir_os.runs import history, reading
from vextir_os.runs.record import new_record

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
        "decision": {"effect": "allow", "policy_id": "p"}, "cancel": None, "acts": [], "runs": {"mail.reader": a_run()},
    }  # fmt: skip
    return line | changes


def read(line: Any) -> None:
    line = history.check_line(line)
    event = history.event_of(line)
    history.apart(line)
    history.apart(line, "mail.reader")
    history.runs_of(line, now=NOW)
    history.decision_of(line)
    history.cancel_of(line, now=NOW)
    history.acts_of(line, event.id, now=NOW)
    history.left_out_of(line)
    history.created_of(line, now=NOW)


def test_a_line_as_it_should_be_is_read() -> None:
    read(a_line())
    read(
        a_line(
            cancel={"by": "user:ann", "at": 1.0, "reason": "", "runs": [], "in_doubt": []},
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
        pytest.param(a_line(decision={}), "`decision` of a line", id="decision"),
        pytest.param(
            a_line(decision={"effect": "grant", "policy_id": None}), "`decision` of a line", id="unknown-effect"
        ),
        pytest.param(a_line(cancel=True), "`cancel` of a line", id="cancel"),
        pytest.param(a_line(acts=[{"do": "cancel"}]), "`acts` of a line", id="acts"),
        pytest.param(a_line(acts=[{"do": "a", "by": "b", "at": 1, "reason": "", "id": "x"}]), "`acts`", id="act-id"),
        pytest.param(a_line(left_out={"d": 7}), "`left_out` of a line", id="left-out"),
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
    run = history.runs_of(line, now=NOW)["d"]
    assert (run["owner"], run["lease_until"], run["output_ref"], run["wait"]) == (None, None, None, None)
    line["event"] |= {"dataref": "vextir-blob:x", "lineage": "1.1"}
    event = history.event_of(line)
    assert (event.dataref, event.lineage) == ("", "")


ESCAPE = "\x1b[31m\u202e"
VALUES: list[Any] = [
    None, True, -1, 2**70, 1e308, -0.5, ESCAPE, "VX400", "allow", [], {}, [ESCAPE], {ESCAPE: ESCAPE}, [[]], [{}],
    "cancel",
]  # fmt: skip
RICH = a_line(
    runs={
        "mail.reader": a_run(
            state="dead",
            version="2",
            began_with="1",
            steps=[{"n": 0, "name": "send", "state": "open"}],
            decisions=[{"effect": "deny", "policy_id": None, "action": "emit:x", "reason": "no"}],
            error={
                "class": "KeyError", "code": "VX400", "kind": "bug", "message": "m", "traceback": "t",
                "tried": [{"attempt": 1, "at": NOW - 9, "class": "KeyError", "code": "VX400", "delay_s": 1.5}],
            },
        )
    },
    acts=[{"do": "replay", "by": "user:ann", "at": NOW - 5, "reason": "why", "run": "mail.reader", "rerun": 0}],
    cancel={
        "by": "user:ann", "at": NOW - 4, "reason": "", "runs": ["mail.reader"],
        "in_doubt": [{"run": "mail.reader", "n": 0, "name": "send"}],
    },
    left_out={"other": "it is off"},
)  # fmt: skip


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    items = value.items() if type(value) is dict else enumerate(value) if type(value) is list else ()
    for key, below in items:
        yield (key,)
        yield from ((key, *path) for path in paths(below))


def changed(path: Sequence[Any], value: Any) -> dict[str, Any]:
    line = json.loads(json.dumps(RICH))
    place = line
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return cast("dict[str, Any]", line)


@pytest.mark.parametrize("path", [*paths(RICH)], ids=lambda path: ".".join(map(str, path)))
def test_whatever_stands_anywhere_in_a_line_it_is_refused_or_shown_without_harm(path: Sequence[Any]) -> None:
    for value in VALUES:
        line = changed(path, value)
        try:
            line = jsonio.loads_strict(json.dumps(line).encode())
            read(line)
            event = history.event_of(line).but(tenantid="acme", correlationid="e-1")
            record = new_record(
                id="acme~1",
                pk="acme~1",
                event_id="e-1",
                event_json=encode(event),
                decision=history.decision_of(line),
                runs=history.runs_of(line, now=NOW),
                now=history.created_of(line, now=NOW),
            )
        except VextirError:
            continue
        record["cancel"], record["acts"] = history.cancel_of(line, now=NOW), history.acts_of(line, "acme~1", now=NOW)
        record["left_out"] = history.left_out_of(line)
        stored = json.loads(jsonio.dumps(record))
        view = reading.view(stored)
        reading.row(stored)
        to = screen.Screen(stream=io.StringIO(), terminal=False, colour=False, width=80)
        for text in detail_lines(to, view):
            assert text.isprintable(), (path, value, text)
