"""`vextir pause` and `vextir resume`, as people type them."""

import pytest

from tests.scenario.cli.vextir import Project


def test_a_paused_driver_waits_and_goes_on_after_the_resume(project: Project) -> None:
    project.run("build")
    paused = project.run("pause", "driver", "keeper", "--reason", "the disk is full", "--for", "1h")
    assert (paused.code, paused.out) == (0, "")
    assert "driver keeper is paused until " in paused.err
    assert "Next: vextir resume driver keeper" in paused.err
    late = project.once({"type": "note.made", "id": "e-1", "source": "/cli", "data": 7}, arguments=("--timeout", "2s"))
    assert late.code == 6
    shown = project.run("events", "show", "e-1").out
    assert "driver keeper  queued" in shown
    assert "waits           driver keeper is paused by user:operator: the disk is full" in shown
    resumed = project.run("resume", "driver", "keeper")
    assert (resumed.code, resumed.err.split(".")[0]) == (0, "driver keeper goes on: 1 event waited")
    again = project.once({"type": "note.made", "id": "e-2", "source": "/cli", "data": 8})
    assert again.code == 0
    assert project.run("send", "--file", "events.json", "--wait").code == 0
    assert '"kept": 7' in project.run("events", "show", "e-1").out


def test_the_list_says_what_is_paused_by_whom_and_why(project: Project) -> None:
    empty = project.run("pause", "list")
    assert (empty.code, empty.out, empty.err) == (0, "", "nothing is paused\n")
    project.run("pause", "capability", "note.*", "--reason", "too many\u202e")
    project.run("pause", "tenant", "acme")
    rows = [line.split("\t") for line in project.run("pause", "list").lines]
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in rows] == [
        ("capability", "note.*", "", "user:operator", "too many\\u202e"),
        ("tenant", "acme", "", "user:operator", ""),
    ]
    listed = project.run("pause", "list", "-o", "json").json
    assert listed["schema"] == "vextir.pauses.v1"
    assert [(item["kind"], item["name"], item["until"]) for item in listed["pauses"]] == [
        ("capability", "note.*", None), ("tenant", "acme", None)
    ]  # fmt: skip


def test_drivers_shows_which_are_paused(project: Project) -> None:
    project.run("build")
    project.run("pause", "driver", "keeper")
    rows = {line.split("\t")[0]: line.split("\t")[1] for line in project.run("drivers").lines}
    assert rows == {"hello": "", "keeper": "paused", "broken": "", "later": ""}
    listed = {item["id"]: item["paused"] for item in project.run("drivers", "-o", "json").json["drivers"]}
    assert listed["hello"] is None
    assert listed["keeper"]["by"] == "user:operator"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("pause", "driver", "keepr"), 3, "there is no driver `keepr` Did you mean `keeper`?"),
        (("pause", "driver", "keeper", "--for", "soon"), 2, "--for: 'soon' is not a duration"),
        (("pause", "driver", "keeper", "--for", "0s"), 1, "0 seconds are no time for a pause"),
        (("pause", "capability", "Note.*"), 1, "'Note.*'"),
        (("resume", "driver", "keeper"), 3, "driver keeper is not paused Look at what is: vextir pause list"),
        (("pause", "drivr", "keeper"), 2, "unknown command `drivr` Did you mean `driver`?"),
        (("resume",), 0, "driver"),
    ],
)
def test_what_cannot_be_paused_is_said(project: Project, arguments: tuple[str, ...], code: int, message: str) -> None:
    project.run("build")
    done = project.run(*arguments)
    assert done.code == code
    assert message in " ".join((done.err + done.out).replace("next:", "").split())
    assert project.run("pause", "list").out == ""


def test_without_a_policy_nobody_pauses(project: Project) -> None:
    file = project.root / "policies/all.yaml"
    file.write_text(file.read_text().replace(', "admin:*"', ""))
    done = project.run("pause", "tenant", "acme")
    assert done.code == 4
    assert "user:operator may not pause anything" in done.err
    assert "Ask who keeps the policies to allow `admin:pause`" in done.err
