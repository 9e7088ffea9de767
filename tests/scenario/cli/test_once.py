"""`vextir dev --once`: events from files, a tree for each, and an exit code that says how it went."""

import json
import re

import pytest

from tests.scenario.cli.vextir import Project

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def test_the_tree_shows_the_decision_the_driver_its_output_and_what_it_caused(project: Project) -> None:
    done = project.once({"type": "hello.one", "id": "h1", "data": {"a": 1}})
    assert done.code == 0, done.err
    tree = [re.sub(r"[0-9.]+ ms", "N ms", re.sub(UUID, "UUID", line)) for line in done.lines]
    assert tree == [
        "hello.one  h1  ok  N ms",
        "├─ policy  allow  allow-all",
        '└─ hello  ok  N ms  {"said": {"a": 1}}',
        "   └─ note.made  UUID  ok  N ms",
        "      ├─ policy  allow  allow-all",
        '      └─ keeper  ok  N ms  {"kept": {"a": 1}}',
    ]
    assert "1 event and 1 that followed: 2 ok" in done.err
    assert "next: vextir trace h1" in done.err


@pytest.mark.parametrize(
    ("types", "code"),
    [
        pytest.param(["hello.quiet"], 0, id="ok"),
        pytest.param(["strange.thing"], 0, id="unrouted"),
        pytest.param(["hello.quiet", "broken.thing"], 1, id="failed"),
        pytest.param(["hello.quiet", "secret.thing"], 4, id="denied-at-the-door"),
        pytest.param(["locked.thing"], 4, id="denied-inside"),
        pytest.param(["hello.forbidden"], 4, id="denied-below"),
        pytest.param(["secret.thing", "broken.thing"], 1, id="failed-wins"),
    ],
)
def test_the_exit_code_is_that_of_the_worst_event(project: Project, types: list[str], code: int) -> None:
    done = project.once(*({"type": each, "data": {}} for each in types))
    assert done.code == code, done.err


def test_a_denied_event_shows_the_policy_and_its_reason(project: Project) -> None:
    done = project.once({"type": "locked.thing", "id": "l1"})
    assert done.lines == ["locked.thing  l1  denied", "└─ policy  deny  no-secrets  nobody may"]


def test_a_failed_run_shows_its_error_beneath_it(project: Project) -> None:
    done = project.once({"type": "broken.thing", "id": "b1", "data": 7})
    assert done.lines[0] == "broken.thing  b1  failed  " + done.lines[0].rpartition("  ")[2]
    assert done.lines[3] == "   └─ VX412  InvalidError  cannot do 7\\x1b[31m"
    assert "next: vextir trace b1" in done.err


def test_an_event_that_no_driver_handles_is_said_to_be_unrouted(project: Project) -> None:
    done = project.once({"type": "strange.thing", "id": "s1"})
    assert done.lines == [
        "strange.thing  s1  unrouted",
        "├─ policy  allow  allow-all",
        "└─ no driver handles this type",
    ]


def test_what_is_not_done_in_time_is_named_and_ends_with_6(project: Project) -> None:
    done = project.once({"type": "later.thing", "id": "t1"}, arguments=("--timeout", "300ms"))
    assert done.code == 6
    assert "error VX603: 1 event did not end within 0.3 s" in done.err
    assert "later.thing  t1  queued" in done.out


def test_the_same_events_again_are_not_run_again_and_end_at_once(project: Project) -> None:
    first = project.once({"type": "hello.one", "id": "h1"})
    again = project.once({"type": "hello.one", "id": "h1"})
    assert (first.code, again.code) == (0, 0)
    assert again.out == first.out


def test_files_that_cannot_be_read_are_named_while_the_others_run(project: Project) -> None:
    folder = project.root / "some"
    folder.mkdir()
    (folder / "1.json").write_text('{"type": "hello.quiet"}')
    (folder / "2.json").write_text('{"type": ')
    (folder / "3.json").write_bytes(b'{"type": "hello.\xff"}')
    (folder / "4.jsonl").write_text('{"type": "hello.quiet"}\n\n{"type": 7}\n')
    (folder / "5.json").write_text('[{"type": "hello.quiet"}, {"typ": "hello.quiet"}]')
    done = project.run("dev", "--once", "some")
    assert done.code == 1
    assert [line.split("  ")[0] for line in done.lines if not line.startswith(("├", "└"))] == ["hello.quiet"]
    assert re.findall(r"place: (.*)", done.err) == [
        "some/2.json",
        "some/3.json",
        "some/4.jsonl:3",
        "some/5.json, event 1",
    ]
    assert "Did you mean `type`?" in done.err


def test_a_path_that_is_not_there_is_a_usage_error(project: Project) -> None:
    done = project.run("dev", "--once", "nowhere")
    assert done.code == 2
    assert "error VX903: there is no file or folder nowhere" in done.err


def test_events_with_data_over_the_inline_limit_run_like_any_other(project: Project) -> None:
    done = project.once({"type": "hello.quiet", "id": "big", "data": "x" * 300_000})
    assert done.code == 0, done.err
    assert "output kept apart" in done.out


def test_a_running_os_on_the_same_data_may_take_the_events(project: Project) -> None:
    with project.running("dev", "--port", "0") as os:
        os.line("http://")
        done = project.once(*({"type": "hello.one", "id": f"e{number}"} for number in range(20)))
    assert done.code == 0, done.err
    assert "20 events and 20 that followed: 40 ok" in done.err


def test_problems_of_drivers_and_policies_are_all_named_together(project: Project) -> None:
    (project.root / "drivers/hello/driver.py").write_text("import nothing_of_this_name\n")
    (project.root / "policies/all.yaml").write_text("policies:\n  - id: A\n    effect: alow\n")
    done = project.once({"type": "hello.one"})
    assert done.code == 1
    assert "drivers/hello/driver.py:1" in done.err
    assert "policies/all.yaml:3" in done.err
    assert "Traceback" not in done.err


def test_a_stale_index_is_built_anew(project: Project) -> None:
    project.once({"type": "hello.quiet"})
    before = (project.root / "drivers/index.json").read_bytes()
    file = project.root / "drivers/hello/driver.py"
    file.write_text(file.read_text().replace("hello.*", "greet.*"))
    done = project.once({"type": "greet.quiet", "id": "g1"})
    assert done.lines[0].startswith("greet.quiet  g1  ok")
    assert (project.root / "drivers/index.json").read_bytes() != before


def test_without_policies_everything_is_denied_and_that_is_said(project: Project) -> None:
    (project.root / "policies/all.yaml").unlink()
    done = project.once({"type": "hello.one"})
    assert done.code == 4
    assert "NO POLICIES: every event is denied" in done.err


def test_development_policies_are_said_loudly(project: Project) -> None:
    policies = project.root / "policies/all.yaml"
    policies.write_text("development: true\n" + policies.read_text())
    assert "DEVELOPMENT POLICIES: nothing is checked" in project.once({"type": "hello.quiet"}).err


def test_a_batch_file_and_a_single_event_are_read_alike(project: Project) -> None:
    (project.root / "one.json").write_text(json.dumps({"type": "hello.quiet", "id": "a"}, indent=2))
    (project.root / "lines.json").write_text('{"type": "hello.quiet", "id": "b"}\n{"type": "hello.quiet", "id": "c"}')
    done = project.run("dev", "--once", "one.json", "lines.json")
    assert [line.split("  ")[1] for line in done.lines if line.startswith("hello")] == ["a", "b", "c"] or done.err
