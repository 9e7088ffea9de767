"""`vextir policy`: the rules in the order in which they decide, and their tests."""

import json
from pathlib import Path

from tests.scenario.cli.vextir import Project
from tests.unit.policy.test_cases import POLICIES, case


def shop(folder: Path, text: str) -> Project:
    (folder / "policies").mkdir()
    (folder / "policies" / "shop.yaml").write_text(text)
    return Project(root=folder)


def test_the_policies_are_listed_the_one_that_decides_first_at_the_top(tmp_path: Path) -> None:
    project = shop(tmp_path, POLICIES + case())
    done = project.run("policy")
    assert done.code == 0, done.err
    assert [line.split("\t")[:3] for line in done.out.splitlines()] == [
        ["night", "deny", "200"], ["small", "allow", "100"]
    ]  # fmt: skip
    found = json.loads(project.run("policy", "list", "-o", "json").out)
    assert found["policies"][0]["when"] == 'has(event.subject) and hour(now, "Europe/Berlin") < 7'


def test_tests_are_run_and_what_no_test_decides_is_named(tmp_path: Path) -> None:
    done = shop(tmp_path, POLICIES + case()).run("policy", "test")
    assert (done.code, done.out) == (0, "ok\torders\tpolicies/shop.yaml:12\t\n")
    assert done.err == "1 test, none failed; no test is decided by night\n"


def test_a_test_that_fails_says_what_was_decided(tmp_path: Path) -> None:
    done = shop(tmp_path, POLICIES + case(expect="{effect: deny}")).run("policy", "test", "-o", "json")
    assert done.code == 1
    [found] = json.loads(done.out)["tests"]
    assert (found["ok"], found["decided"]) == (False, "decided allow by small, not deny")
    assert done.err == "1 test, 1 failed; no test is decided by night\n"


def test_policies_that_cannot_be_read_are_told_by_place(tmp_path: Path) -> None:
    done = shop(tmp_path, POLICIES.replace("hour(now", "hours(now")).run("policy", "test")
    assert done.code != 0
    assert "policies/shop.yaml:10:11: `when`, line 1 column 24: unknown function `hours`" in done.err
    assert "Did you mean `hour`?" in done.err


def test_an_event_is_explained_and_what_a_file_gives(tmp_path: Path) -> None:
    project = shop(
        tmp_path,
        "policies:\n  - id: small\n    effect: allow\n    match: {action: ['publish:order.*', 'process:order.*']}\n"
        "    when: event.data.amount < 500\n",
    )
    (tmp_path / "order.json").write_text('{"type": "order.placed", "id": "o-1", "data": {"amount": 20}}')
    project.run("dev", "--once", "order.json")
    done = project.run("policy", "explain", "o-1")
    assert (done.code, done.err) == (0, "process:order.placed: allow by small\n")
    assert done.out == "decides\tsmall\tallow\tpolicies/shop.yaml:2\tits condition holds\n"
    (tmp_path / "given.yaml").write_text(
        "action: process:order.placed\nevent: {type: order.placed, data: {amount: 900}}\n"
    )
    done = project.run("policy", "explain", "--given", "given.yaml")
    assert done.out.endswith("`event.data.amount < 500` is not so: `event.data.amount` is 900\n")
    assert project.run("policy", "explain").code == 2
