"""Reading commands: each form of output read back, filters, following, what is not found."""

import json
import signal
import subprocess

import pytest
import yaml

from tests.scenario.cli.vextir import Project, command, environment, make_project


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with an event that went well, the one it caused, one that failed and one that was denied; read only."""
    project = make_project(tmp_path_factory.mktemp("filled"))
    project.once(
        {"type": "hello.one", "id": "good", "data": {"n": 1}},
        {"type": "broken.one", "id": "bad", "data": {"n": 2}},
        {"type": "locked.one", "id": "no"},
    )
    return project


def test_events_come_newest_first_and_at_most_as_many_as_asked_for(filled: Project) -> None:
    every = [line.split("\t") for line in filled.run("events").lines]
    assert {row[2] for row in every} == {"hello.one", "note.made", "broken.one", "locked.one", "vextir.error"}
    assert [row[0] for row in every] == sorted((row[0] for row in every), reverse=True)
    assert [line.split("\t") for line in filled.run("events", "--limit", "2").lines] == every[:2]
    assert filled.run("events", "--limit", "0").out == ""


@pytest.mark.parametrize(
    ("terms", "ids"),
    [
        pytest.param(["status:failed"], {"bad"}, id="status"),
        pytest.param(["-status:ok", "-status:denied", "-type:vextir.*"], {"bad"}, id="negated"),
        pytest.param(["type:*.one", "data.n<2"], {"good"}, id="two-terms"),
        pytest.param(["type:*.one data.n<2"], {"good"}, id="one-argument"),
        pytest.param(["--", "-status:ok", "-type:vextir.*"], {"bad", "no"}, id="after-two-dashes"),
        pytest.param(["since:1h", "driver:broken"], {"bad"}, id="driver"),
        pytest.param(["nothing-like-it"], set(), id="none"),
    ],
)
def test_a_filter_keeps_what_holds_all_terms(filled: Project, terms: list[str], ids: set[str]) -> None:
    done = filled.run("events", "-o", "jsonl", *terms)
    assert done.code == 0, done.err
    assert {json.loads(line)["id"] for line in done.lines} == ids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["stat:failed"], "VX206: unknown key `stat`\n  place: filter, character 1", id="key"),
        pytest.param(["status:"], "VX206: a value is missing", id="value"),
        pytest.param(["-o", "xml"], 'invalid value "xml" for -o', id="format"),
        pytest.param(["--limit", "many"], "invalid value for --limit", id="limit"),
        pytest.param(["--limit", "-1"], "--limit -1 is no number of events", id="negative"),
        pytest.param(["--follow", "-o", "json"], "--follow cannot end a json document", id="follow-json"),
        pytest.param(["--folow"], "unknown option: --folow. Did you mean --follow?", id="option"),
    ],
)
def test_a_command_line_that_cannot_be_read_ends_with_2(project: Project, arguments: list[str], message: str) -> None:
    done = project.run("events", *arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.parametrize("form", ["json", "yaml"])
@pytest.mark.parametrize(
    ("arguments", "schema", "many"),
    [
        pytest.param(["events"], "vextir.events.v1", "events", id="events"),
        pytest.param(["events", "show", "good"], "vextir.event.v1", "runs", id="show"),
        pytest.param(["trace", "good"], "vextir.trace.v1", "events", id="trace"),
        pytest.param(["drivers"], "vextir.drivers.v1", "drivers", id="drivers"),
    ],
)
def test_every_reading_command_has_every_form(
    filled: Project, arguments: list[str], schema: str, many: str, form: str
) -> None:
    done = filled.run(*arguments, "-o", form)
    read = json.loads(done.out) if form == "json" else yaml.safe_load(done.out)
    assert read["schema"] == schema
    assert len(read[many]) > 0
    lines = [json.loads(line) for line in filled.run(*arguments, "-o", "jsonl").lines]
    assert all(line["schema"].startswith("vextir.") for line in lines)
    if schema != "vextir.event.v1":
        assert [{**line, "schema": None} for line in lines] == [{**item, "schema": None} for item in read[many]]


@pytest.mark.parametrize("arguments", [["trace", "nope"], ["events", "show", "nope"]], ids=["trace", "show"])
def test_an_event_that_is_not_there_ends_with_3(project: Project, arguments: list[str]) -> None:
    done = project.run(*arguments)
    assert (done.code, done.out) == (3, "")
    assert "error VX501: there is no event `nope`" in done.err
    assert "vextir dev" in done.err


def test_show_has_the_data_the_decision_and_the_error_with_its_traceback(filled: Project) -> None:
    shown = filled.run("events", "show", "bad").out
    assert "decision        allow by allow-all" in shown
    assert '  "n": 2' in shown
    assert "driver broken  failed" in shown
    assert "drivers/hello/driver.py" in shown


def test_drivers_show_what_they_handle_may_use_and_where_they_are(project: Project) -> None:
    project.run("build")
    rows = {line.split("\t")[0]: line.split("\t") for line in project.run("drivers").lines}
    assert rows["hello"] == [
        "hello", "tool", "1", "drivers/hello/driver.py:4", "hello.*", "emit:note.*, emit:locked.*"
    ]  # fmt: skip
    assert rows["keeper"][1] == "io"


def test_drivers_without_an_index_say_how_to_build_one(project: Project) -> None:
    done = project.run("drivers")
    assert done.code == 1
    assert "error VX403: there is no driver index" in done.err
    assert "next:  Run: vextir build" in done.err


def test_build_writes_the_index_and_check_says_whether_it_is_fresh(project: Project) -> None:
    assert project.run("build", "--check").code == 1
    built = project.run("build")
    assert (built.code, built.out, built.err) == (0, "", "drivers/index.json: 4 drivers\n")
    assert project.run("build", "--check").code == 0
    file = project.root / "drivers/hello/driver.py"
    file.write_text(file.read_text() + "\n")
    stale = project.run("build", "--check")
    assert stale.code == 1
    assert "error VX403: drivers/hello was changed since the driver index was built" in stale.err


def test_follow_shows_what_there_is_and_then_what_other_processes_do(project: Project) -> None:
    project.once({"type": "hello.one", "id": "old"})
    with project.running("events", "--follow", "--limit", "1", "type:*.one") as following:
        assert "old" in following.line("one")
        project.once({"type": "hello.one", "id": "new"})
        assert following.line("new").split("\t")[2:4] == ["hello.one", "new"]
        assert following.stop(signal.SIGINT) == 130
        assert "Traceback" not in following.rest()


def test_follow_shows_each_change_of_a_status(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "first"})
    with project.running("events", "-f", "-o", "jsonl") as following:
        following.line("first")
        project.once({"type": "later.one", "id": "slow"}, arguments=("--timeout", "300ms"))
        words = [json.loads(following.line('"slow"'))["status"]]
        while words[-1] != "queued":
            words.append(json.loads(following.line('"slow"'))["status"])
    assert words in (["running", "queued"], ["queued"])


def test_a_reader_that_goes_away_ends_it_silently(project: Project) -> None:
    project.once({"type": "hello.one"})
    process = subprocess.Popen(
        command("events", "--follow"),
        cwd=project.root,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    project.once({"type": "hello.one"})
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_broken_policies_and_drivers_keep_nobody_from_reading(project: Project) -> None:
    project.once({"type": "hello.one", "id": "good"})
    (project.root / "policies/all.yaml").write_text("policies: nonsense")
    (project.root / "drivers/hello/driver.py").write_text("not python")
    assert project.run("trace", "good").code == 0
    assert project.run("events", "status:ok").code == 0
