"""`vextir dead` and `vextir runs` on a real project: with the data alone, and beside an OS that runs."""

import json
import os
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest

from tests.scenario.cli.vextir import LIMIT_S, Project, command, environment

FLAKY = """
from vextir_os import Event, Context, InvalidError, driver

@driver("picky", capabilities=["order.*"])
async def picky(event: Event, ctx: Context) -> dict:
    if event.data["n"] < 10 and not ctx.rerun:
        raise InvalidError(f"order {event.data['n']} is too small\\x1b[31m")
    return {"taken": event.data["n"], "rerun": ctx.rerun}
"""

DENIED = """
policies:
  - id: hands-off
    effect: deny
    match: {action: ["admin:*"], event: "order.*"}
    priority: 950
    reason: not by hand
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with a driver that dies on small orders, and two of them dead."""
    (project.root / "drivers/picky").mkdir()
    (project.root / "drivers/picky/driver.py").write_text(FLAKY)
    policy = project.root / "policies/all.yaml"
    policy.write_text(policy.read_text().replace('"emit:**"]', '"emit:**", "admin:*"]'))
    order(project, 1, 2, 11)
    return project


def order(project: Project, *numbers: int) -> None:
    project.once(*({"type": "order.placed", "id": f"o-{number}", "data": {"n": number}} for number in numbers))


def rows(project: Project, *arguments: str) -> list[dict[str, Any]]:
    done = project.run("dead", *arguments, "-o", "jsonl")
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.lines]


def run_of(project: Project, event_id: str) -> dict[str, Any]:
    found: dict[str, Any] = project.run("runs", "show", event_id, "-o", "json").json["runs"]["picky"]
    return found


def test_dead_letters_are_listed_and_shown_in_full(shop: Project) -> None:
    two, one = rows(shop)
    assert [row["event"] for row in (one, two)] == ["o-1", "o-2"]
    assert (one["schema"], one["class"], one["driver"], one["attempts"]) == (
        "vextir.dead-row.v1", "InvalidError", "picky", 1
    )  # fmt: skip
    assert rows(shop, "list") == [two, one]
    assert [row["event"] for row in rows(shop, "--limit", "1")] == ["o-2"]
    for nothing in (["--class", "KeyError"], ["--type", "mail.*"], ["--state", "replayed"]):
        assert rows(shop, *nothing) == []
    table = shop.run("dead").lines[0].split("\t")
    assert table[1:8] == ["open", "InvalidError", "picky", "order.placed", "o-2", two["id"], two["fingerprint"]]
    shown = shop.run("dead", "show", one["id"])
    assert f"error           {one['code']} InvalidError" in shown.out
    assert "attempt 1       " in shown.out
    assert "drivers/picky/driver.py" in shown.out
    assert "\x1b" not in shown.out
    assert shop.run("dead", "show", one["id"], "-o", "json").json["error"]["tried"][0]["attempt"] == 1


def test_errors_that_are_the_same_are_one_group(shop: Project) -> None:
    shop.once({"type": "broken.one", "id": "other"})
    first, second = shop.run("dead", "group", "-o", "json").json["groups"]
    assert (first["count"], first["drivers"], first["class"]) == (2, ["picky"], "InvalidError")
    assert (second["count"], second["drivers"]) == (1, ["broken"])
    assert first["first"] <= first["last"]
    assert {row["event"] for row in rows(shop, "--group", first["fingerprint"])} == {"o-1", "o-2"}


def test_a_replay_is_run_by_the_next_os_that_runs(shop: Project) -> None:
    [_, one] = rows(shop)
    done = shop.run("dead", "replay", one["id"], "--reason", "large enough")
    assert (done.code, done.lines) == (0, [f"{one['id']}\treplayed\to-1\tpicky"])
    assert done.err == "1 dead letter replayed. Next: vextir runs\n"
    assert run_of(shop, "o-1")["state"] == "ready"
    order(shop, 12)
    assert run_of(shop, "o-1")["output"] == {"taken": 1, "rerun": 1}
    shown = shop.run("runs", "show", "o-1")
    assert "replay          picky, rerun 0, by user:operator at " in shown.out
    assert "large enough" in shown.out
    again = shop.run("dead", "replay", one["id"])
    assert again.code == 1
    assert f"error VX604: dead letter {one['id']} was replayed already, by user:operator" in again.err


def test_a_group_is_replayed_and_what_was_done_already_is_no_error(shop: Project) -> None:
    [_, one] = rows(shop)
    fingerprint = one["fingerprint"]
    shop.run("dead", "replay", one["id"])
    done = shop.run("dead", "replay", "--group", fingerprint, "--rate", "1000/s", "-o", "json")
    assert (done.code, [row["event"] for row in done.json["dead"]]) == (0, ["o-2"])
    order(shop, 12)
    assert [run_of(shop, name)["rerun"] for name in ("o-1", "o-2")] == [1, 1]
    nothing = shop.run("dead", "replay", "--group", fingerprint)
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "0 dead letters replayed. Next: vextir runs\n")


def test_a_replay_of_many_that_is_interrupted_says_so_and_goes_on_when_given_again(shop: Project) -> None:
    fingerprint = rows(shop)[0]["fingerprint"]
    with shop.running("dead", "replay", "--group", fingerprint, "--rate", "1/m") as replaying:
        replaying.line("replayed", "o-1")
        assert replaying.stop(signal.SIGINT) == 130
        said = replaying.rest()
    assert "1 dead letter replayed before it ended. Given again, it goes on with the others" in said
    assert "Traceback" not in said
    done = shop.run("dead", "replay", "--group", fingerprint)
    assert [line.split("\t")[2] for line in done.lines] == ["o-2"]


def test_a_group_is_discarded_with_a_reason(shop: Project) -> None:
    fingerprint = rows(shop)[0]["fingerprint"]
    done = shop.run("dead", "discard", "--group", fingerprint, "--reason", "test orders")
    assert (done.code, len(done.lines)) == (0, 2)
    assert rows(shop) == []
    assert [row["state"] for row in rows(shop, "--state", "discarded")] == ["discarded", "discarded"]
    assert run_of(shop, "o-1")["state"] == "dead"


@pytest.mark.parametrize("whole", [False, True])
def test_an_edited_event_comes_from_a_file_or_from_stdin(shop: Project, whole: bool) -> None:
    [_, one] = rows(shop)
    value = {"specversion": "1.0", "type": "order.changed", "data": {"n": 12}} if whole else {"n": 12}
    text = json.dumps(value)
    if whole:
        done = shop.run("dead", "replay", one["id"], "--edit", "-", stdin=text.encode())
    else:
        (shop.root / "new.json").write_text(text)
        done = shop.run("dead", "replay", one["id"], "--edit", "new.json")
    assert done.code == 0, done.err
    [event_id] = done.lines
    assert done.err == f"published. Next: vextir trace {event_id}\n"
    order(shop, 13)
    assert run_of(shop, event_id)["output"] == {"taken": 12, "rerun": 0}
    event = shop.run("events", "show", event_id, "-o", "json").json["event"]
    assert (event["causationid"], event["source"], event["type"]) == (
        "o-1", "/cli", "order.changed" if whole else "order.placed"
    )  # fmt: skip
    assert [row["state"] for row in rows(shop, "--state", "all")] == ["open", "edited"]


def test_an_edited_event_comes_from_the_editor_on_a_terminal(shop: Project) -> None:
    [_, one] = rows(shop)
    editor = shop.root / "editor.py"
    editor.write_text(
        "import sys, os, pathlib\nfile = pathlib.Path(sys.argv[1])\n"
        "assert os.stat(file).st_mode & 0o777 == 0o600\n"
        "file.write_text(file.read_text().replace('\"n\": 1', '\"n\": 21'))\n"
    )
    event_id = on_a_terminal(shop, f"{sys.executable} {editor}", "dead", "replay", one["id"], "--edit").split()[0]
    order(shop, 13)
    assert run_of(shop, event_id)["output"] == {"taken": 21, "rerun": 0}
    [two] = rows(shop)
    unchanged = on_a_terminal(shop, "true", "dead", "replay", two["id"], "--edit")
    assert "nothing was changed, and nothing published" in unchanged
    assert rows(shop) == [two]


def on_a_terminal(project: Project, editor: str, *arguments: str) -> str:
    """Run a command whose stdin is a terminal, and return all that it says."""
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command(*arguments),
            cwd=project.root,
            env=environment(EDITOR=editor, VISUAL=""),
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_S,
            check=False,
        )
    finally:
        os.close(theirs)
        os.close(ours)
    return done.stdout.decode()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["replay"], 2, "replay takes ids of dead letters, or --group", id="neither"),
        pytest.param(["discard", "x", "--group", "y"], 2, "discard takes ids of dead letters, or --group", id="both"),
        pytest.param(["replay", "--group", "x", "--rate", "fast"], 2, "--rate 'fast' is no rate", id="rate"),
        pytest.param(["replay", "a", "b", "--edit"], 2, "--edit is for one dead letter", id="edit-two"),
        pytest.param(["replay", "nothing"], 3, "there is no dead letter `nothing`", id="replay-missing"),
        pytest.param(["replay", "nothing", "--edit", "-"], 3, "there is no dead letter `nothing`", id="edit-missing"),
        pytest.param(["show", "nothing"], 3, "there is no dead letter `nothing`", id="show-missing"),
        pytest.param(["--state", "ded"], 2, "--state `ded` is none of open", id="state"),
        pytest.param(["--limit", "-1"], 2, "--limit -1 is no number of dead letters", id="limit"),
        pytest.param(["--type", "a..b"], 1, "VX205", id="type"),
        pytest.param(["replai"], 2, "unknown command `replai`\n  next:  Did you mean `replay`?", id="command"),
    ],
)
def test_what_cannot_be_done_is_said_with_its_exit_code(
    project: Project, arguments: list[str], code: int, message: str
) -> None:
    done = project.run("dead", *arguments)
    assert (done.code, done.out) == (code, "")
    assert message in done.err


def test_an_edit_without_a_terminal_says_what_to_give(shop: Project) -> None:
    [_, one] = rows(shop)
    done = shop.run("dead", "replay", one["id"], "--edit", EDITOR="true")
    assert done.code == 2
    assert "there is no terminal with an $EDITOR" in done.err
    bad = shop.run("dead", "replay", one["id"], "--edit", "-", stdin=b"{")
    assert bad.code == 1
    assert "place: stdin" in bad.err
    assert len(rows(shop)) == 2


def test_what_policy_denies_ends_with_4(shop: Project) -> None:
    [_, one] = rows(shop)
    (shop.root / "policies/hands-off.yaml").write_text(DENIED)
    for act in (["dead", "replay", one["id"]], ["dead", "discard", one["id"]], ["runs", "cancel", "o-1"]):
        done = shop.run(*act)
        assert done.code == 4
        assert "not by hand" in done.err
    assert len(rows(shop)) == 2


def test_runs_are_listed_by_state_driver_and_type(shop: Project) -> None:
    found = [line.split("\t") for line in shop.run("runs").lines]
    assert [row[1:5] for row in found] == [
        ["done", "picky", "order.placed", "o-11"],
        ["dead", "picky", "order.placed", "o-2"],
        ["dead", "picky", "order.placed", "o-1"],
    ]
    listed = shop.run("runs", "list", "--state", "dead", "--driver", "picky", "--type", "order.*", "-o", "json").json
    assert (listed["schema"], [row["event"] for row in listed["runs"]]) == ("vextir.runs.v1", ["o-2", "o-1"])
    assert len(shop.run("runs", "--limit", "1").lines) == 1
    wrong = shop.run("runs", "--state", "ded")
    assert (wrong.code, "Did you mean `dead`?" in wrong.err) == (2, True)
    assert shop.run("runs", "show", "nothing").code == 3


def test_an_event_that_waits_for_its_retry_is_cancelled(shop: Project) -> None:
    shop.once({"type": "later.one", "id": "slow"}, arguments=("--timeout", "300ms"))
    done = shop.run("runs", "cancel", "slow", "--reason", "too late")
    assert (done.code, done.out) == (0, "later\tcancelled\n")
    assert done.err == "cancelled. Next: vextir runs show slow\n"
    found = shop.run("runs", "show", "slow", "-o", "json").json
    assert (found["status"], found["cancel"]["by"], found["cancel"]["reason"]) == (
        "cancelled", "user:operator", "too late"
    )  # fmt: skip
    assert "cancel          by user:operator at " in shop.run("events", "show", "slow").out
    over = shop.run("runs", "cancel", "o-11")
    assert (over.code, "error VX604: event o-11 is over already: picky is done" in over.err) == (1, True)
    assert shop.run("runs", "cancel", "nothing").code == 3


def test_an_event_that_waits_on_the_queue_is_cancelled_by_its_source(shop: Project) -> None:
    shop.run("send", "order.placed", "--data", '{"n": 30}', "--id", "waits")
    assert shop.run("runs", "cancel", "waits").code == 3
    assert shop.run("runs", "cancel", "waits", "--source", "/cli").code == 0
    order(shop, 12)
    found = shop.run("runs", "show", "waits", "-o", "json").json
    assert (found["status"], found["runs"]) == ("cancelled", {})


def test_a_driver_that_an_os_runs_is_cancelled_from_the_command_line(shop: Project) -> None:
    source = 'from vextir_os import Event, driver\nimport asyncio\n\n@driver("waits", capabilities=["wait.*"])\n'
    source += "async def waits(event: Event) -> None:\n    await asyncio.Event().wait()\n"
    (shop.root / "drivers/waits").mkdir()
    (shop.root / "drivers/waits/driver.py").write_text(source)
    with shop.running("dev", "--port", "0") as running:
        running.line("Ctrl-C")
        shop.run("send", "wait.one", "--id", "w-1")
        assert any(shop.run("runs", "--state", "running").out for _ in range(50))
        assert shop.run("runs", "cancel", "w-1").out == "waits\tcancelled\n"
        # It stops soon, not after the 20 s that what runs is given, nor the 30 s of its time-out.
        running.line("wait.one", "cancelled")
        assert running.stop(signal.SIGINT) in (0, 130)
