"""`vextir send`: what it takes, what it refuses and where it says the mistake is, and waiting for the outcome."""

import json
import re
import signal
import subprocess
from typing import Any

import pytest

from tests.scenario.cli.vextir import Project, command, environment


def sent(project: Project, count: int) -> list[dict[str, Any]]:
    """Run what waits on the queue, so many events, and return all that there are, the oldest first."""
    with project.running("dev", "--port", "0") as os:
        for _ in range(count):
            os.line("hello.quiet")
        project.run("send", "hello.quiet", "--id", "last", "--wait")
    rows = project.run("events", "-o", "jsonl").lines
    return [row for row in map(json.loads, reversed(rows)) if row["id"] != "last"]


def test_the_id_goes_to_stdout_and_the_hint_to_stderr(project: Project) -> None:
    done = project.run("send", "hello.quiet", "--data", '{"a": 1}')
    assert done.code == 0
    assert re.fullmatch(r"[0-9a-f-]{36}\n", done.out)
    assert done.err == f"sent. Next: vextir trace {done.out}"


def test_attributes_arrive_as_they_were_given(project: Project) -> None:
    project.run(
        "send", "hello.quiet", "--id", "e1", "--data", "null", "--source", "/mine", "--correlation", "c1",
        "--label", "red", "--label", "pii", "--priority", "2", "--subject", "one two",
    )  # fmt: skip
    (row,) = sent(project, 1)
    shown = {key: row[key] for key in ("id", "type", "source", "correlation", "label", "priority", "user", "data")}
    assert shown == {
        "id": "e1", "type": "hello.quiet", "source": "/mine", "correlation": "c1",
        "label": ["pii", "red", "untrusted"], "priority": 2, "user": "operator", "data": None,
    }  # fmt: skip


def test_events_of_one_key_are_sent_as_ordered(project: Project) -> None:
    project.run("send", "hello.quiet", "--ordered", "acct-7", "--stdin", stdin=b"1\n2\n3\n")
    rows = sent(project, 3)
    assert [row["data"] for row in rows] == [1, 2, 3]
    event = project.run("events", "show", rows[0]["id"], "-o", "json").json["event"]
    assert (event["partitionkey"], event["ordered"]) == ("acct-7", True)


def test_a_priority_over_the_ceiling_is_lowered_and_that_is_said(project: Project) -> None:
    done = project.run("send", "hello.quiet", "--priority", "9")
    assert "note: priority 9 was lowered to 6" in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["Hello"], 1, "VX201: event type 'Hello' is not dotted", id="type"),
        pytest.param(["hello.x", "--data", "{"], 1, "VX203: not JSON: Expecting property name", id="broken-json"),
        pytest.param(["hello.x", "--data", ""], 1, "VX203: not JSON: Expecting value", id="empty-data"),
        pytest.param(["hello.x", "--data", "NaN"], 1, "VX203: not JSON: NaN", id="nan"),
        pytest.param(["hello.x", "--data", '{"a":1,"a":2}'], 1, "the key 'a' stands twice", id="duplicate-key"),
        pytest.param(["hello.x", "--data", "[" * 100 + "]" * 100], 1, "VX202: nested deeper than 64", id="deep"),
        pytest.param(["vextir.x"], 4, "VX204: event type 'vextir.x' is reserved", id="reserved"),
        pytest.param(["secret.x"], 4, "VX303: user:operator may not publish 'secret.x': nobody may", id="denied"),
        pytest.param(["hello.x", "--label", "Red"], 1, "VX201: label 'Red' is not", id="label"),
        pytest.param(["hello.x", "--priority", "10"], 1, "VX201: priority '10' is not", id="priority"),
        pytest.param(
            ["hello.x", "--data", "1", "--stdin"], 2, "VX903: the data comes from one place", id="two-sources"
        ),
        pytest.param([], 2, "VX903: there is nothing to send", id="nothing"),
        pytest.param(["--data", "1"], 2, "VX903: --data needs the type of its event", id="no-type"),
        pytest.param(["--stdin", "--label", "a"], 2, "VX903: labels describe an event of TYPE", id="no-type-label"),
        pytest.param(["--stdin", "--ordered", "a"], 2, "VX903: partitionkey, ordered describe", id="no-type-key"),
        pytest.param(["hello.x", "--stdin", "--id", "a"], 2, "VX903: --id names one event", id="id-of-many"),
        pytest.param(["--file", "nowhere.json"], 2, "VX903: nowhere.json cannot be read: No such file", id="no-file"),
        pytest.param(["hello.x", "--wait", "--timeout", "soon"], 2, "--timeout: 'soon' is not a duration", id="time"),
        pytest.param(["hello.x", "--dat", "1"], 2, "unknown option: --dat. Did you mean --data?", id="option"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_sent(
    project: Project, arguments: list[str], code: int, message: str
) -> None:
    done = project.run("send", *arguments)
    assert (done.code, done.out) == (code, ""), done.err
    assert message in done.err
    assert "Traceback" not in done.err


def test_data_that_is_not_utf8_is_refused(project: Project) -> None:
    done = subprocess.run(
        [*command("send", "hello.quiet", "--data"), b'"\xff"'],
        cwd=project.root, env=environment(), capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"error VX203: not UTF-8" in done.stderr


def test_each_line_of_stdin_is_an_event_and_blank_ones_are_none(project: Project) -> None:
    lines = b'{"type": "hello.quiet", "id": "a"}\n\n{"type": "hello.quiet", "id": "b"}\r\n'
    assert project.run("send", "--stdin", stdin=lines).lines == ["a", "b"]


def test_with_a_type_each_line_of_stdin_is_data(project: Project) -> None:
    project.run("send", "hello.quiet", "--stdin", stdin=b'{"n": 1}\n2\nnull')
    assert [row["data"] for row in sent(project, 3)] == [{"n": 1}, 2, None]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        pytest.param(b'{"type": "hello.quiet"', "VX203: not JSON: Expecting ',' delimiter", id="json"),
        pytest.param(b'{"type": "hello.\xff"}', "VX203: not UTF-8", id="utf8"),
        pytest.param(b'{"tipe": "hello.quiet"}', "VX203: unknown field 'tipe'. Did you mean", id="field"),
        pytest.param(b'{"type": "HELLO"}', "VX201: event type 'HELLO'", id="type"),
        pytest.param(b"[1]", "VX203: no event: a JSON list, not an object", id="no-object"),
        pytest.param(b"\x00\x1b[31m", "VX203: not JSON", id="control"),
    ],
)
def test_a_bad_line_stops_its_chunk_and_is_named(project: Project, bad: bytes, message: str) -> None:
    good = [b'{"type": "hello.quiet", "id": "e%d"}' % number for number in range(1, 1_201)]
    lines = b"\n".join([*good[:1_100], bad, *good[1_100:]])
    done = project.run("send", "--stdin", stdin=lines)
    assert done.code == 1
    assert message.partition(". ")[0] in done.err
    assert "place: stdin, line 1101" in done.err
    assert done.lines == [f"e{number}" for number in range(1, 1_001)]
    assert "1,000 events before it were sent" in done.err
    assert "\x1b" not in done.err


def test_a_line_denied_by_policy_stops_its_chunk(project: Project) -> None:
    done = project.run("send", "--stdin", stdin=b'{"type": "hello.quiet"}\n{"type": "secret.x"}\n')
    assert (done.code, done.out) == (4, "")
    assert "Nothing was sent" in done.err


def test_a_slow_stream_is_sent_as_it_comes(project: Project) -> None:
    process = subprocess.Popen(
        command("send", "--stdin"), cwd=project.root, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    for name in (b"a", b"b"):
        process.stdin.write(b'{"type": "hello.quiet", "id": "%s"}\n' % name)
        process.stdin.flush()
        assert process.stdout.readline() == name + b"\n"
    process.communicate()
    assert process.returncode == 0


def test_ctrl_c_ends_a_stream_that_stands_still(project: Project) -> None:
    process = subprocess.Popen(
        command("send", "--stdin"), cwd=project.root, env=environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b'{"type": "hello.quiet", "id": "a"}\n')
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert b"Traceback" not in process.communicate()[1]


def test_a_file_holds_one_event_an_array_or_one_per_line(project: Project) -> None:
    for name, text in {
        "one.json": '{"type": "hello.quiet", "id": "a"}',
        "array.json": '[{"type": "hello.quiet", "id": "b"}, {"type": "hello.quiet", "id": "c"}]',
        "lines.jsonl": '{"type": "hello.quiet", "id": "d"}\n{"type": "hello.quiet", "id": "e"}\n',
    }.items():
        (project.root / name).write_text(text)
    ids = [
        line for name in ("one.json", "array.json", "lines.jsonl") for line in project.run("send", "--file", name).lines
    ]
    assert ids == ["a", "b", "c", "d", "e"]


def test_a_file_with_one_bad_event_is_not_sent_at_all(project: Project) -> None:
    (project.root / "array.json").write_text('[{"type": "hello.quiet"}, {"type": ""}]')
    done = project.run("send", "--file", "array.json")
    assert (done.code, done.out) == (1, "")
    assert "array.json, event 1: type is missing or empty" in done.err


def test_an_event_sent_twice_under_one_id_is_run_once(project: Project) -> None:
    for _ in range(2):
        project.run("send", "hello.quiet", "--id", "same")
    assert [row["id"] for row in sent(project, 1)] == ["same"]


@pytest.mark.parametrize(
    ("event_type", "code", "word"),
    [
        pytest.param("hello.quiet", 0, "ok", id="ok"),
        pytest.param("broken.thing", 1, "failed", id="failed"),
        pytest.param("locked.thing", 4, "denied", id="denied"),
        pytest.param("strange.thing", 0, "unrouted", id="unrouted"),
    ],
)
def test_waiting_ends_with_what_became_of_the_event(project: Project, event_type: str, code: int, word: str) -> None:
    with project.running("dev", "--port", "0") as os:
        os.line("next")
        done = project.run("send", event_type, "--wait", "-o", "json")
    assert done.code == code
    assert done.json["schema"] == "vextir.sent.v1"
    assert [event["status"] for event in done.json["sent"]] == [word]


def test_waiting_without_an_os_ends_in_time_and_says_why(project: Project) -> None:
    done = project.run("send", "hello.quiet", "--id", "e1", "--wait", "--timeout", "200ms")
    assert done.code == 6
    assert done.lines == ["e1"]
    assert "error VX603: event e1 did not end within 0.2 s" in done.err
    assert "Run: vextir dev" in done.err


def test_a_type_that_no_driver_handles_is_noted_with_the_nearest(project: Project) -> None:
    project.run("build")
    assert (
        "note: no driver of this project handles helo.x. Did you mean `hello.*`?" in project.run("send", "helo.x").err
    )


def test_a_full_queue_is_said_and_waited_for_as_long_as_asked(project: Project) -> None:
    for _ in range(2):
        assert project.run("send", "hello.quiet", VEXTIR_MAX_QUEUE_DEPTH="1").code == 0
    done = project.run("send", "hello.quiet", "--patience", "0s", VEXTIR_MAX_QUEUE_DEPTH="1")
    assert (done.code, done.out) == (1, "")
    assert "error VX514: 2 events wait on the queue, at most 1 may\n" in done.err
    assert done.err.endswith("Or raise VEXTIR_MAX_QUEUE_DEPTH. Nothing was sent\n")
    done = project.run("send", "hello.quiet", "--patience", "10ms", VEXTIR_MAX_QUEUE_DEPTH="1")
    assert "note: 2 events wait on the queue, at most 1 may; waiting for up to 0.01 s" in done.err
    assert done.code == 1
