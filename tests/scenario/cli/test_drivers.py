"""`vextir drivers show`: one driver in full, in every form, with what it ran last."""

import json

import pytest
import yaml

from tests.scenario.cli.vextir import Project, make_project
from tests.scenario.test_declared_agents import AGENT, YAML

TYPED = '''
from pydantic import BaseModel
from vextir_os import Event, Retry, driver

class Order(BaseModel):
    number: int

@driver("order.taker", kind="io", capabilities=["order.placed"], throttle="5/s", retry=Retry(max_attempts=2))
async def take(event: Event, data: Order) -> dict:
    """Take an order."""
    return {"taken": data.number}
'''


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose driver has run twice, once in vain, and that has agents."""
    project = make_project(tmp_path_factory.mktemp("project"))
    (project.root / "drivers/orders").mkdir()
    (project.root / "drivers/orders/driver.py").write_text(TYPED)
    (project.root / "drivers/mail.yml").write_text(YAML)
    (project.root / "helper.agent.md").write_text(AGENT)
    project.once(
        {"id": "first", "type": "order.placed", "data": {"number": 7}},
        {"id": "second", "type": "order.placed", "data": {"number": "seven"}},
    )
    return project


def test_a_driver_is_shown_with_its_manifest_its_schema_and_its_last_runs(ran: Project) -> None:
    shown = ran.run("drivers", "show", "order.taker")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.lines
    assert lines[0].split() == ["id", "order.taker"]
    assert "description     Take an order." in lines
    assert "where           drivers/orders/driver.py:8  a function under @driver" in lines
    assert "origin          project" in lines
    assert "handles         order.placed" in lines
    assert "may use         nothing" in lines
    assert "retry           max_attempts 2, base_s 1.0, cap_s 300.0" in lines
    assert "flow            throttle [5, 1.0], debounce_max_s 0.0" in lines
    assert '    "number": {' in shown.out
    assert {tuple(line.split("  ")[2:5]) for line in lines[-2:]} == {
        ("done", "order.placed", "first"),
        ("dead", "order.placed", "second"),
    }


@pytest.mark.parametrize("form", ["json", "yaml", "jsonl"])
def test_every_form_holds_the_same(ran: Project, form: str) -> None:
    done = ran.run("drivers", "show", "order.taker", "-o", form)
    view = yaml.safe_load(done.out) if form == "yaml" else json.loads(done.out)
    assert view["schema"] == "vextir.driver-details.v1"
    assert (view["form"], view["origin"], view["where"]) == ("function", "project", "drivers/orders/driver.py:8")
    assert view["data_schema"]["required"] == ["number"]
    assert {(run["event"], run["state"], run["error"]) for run in view["last_runs"]} == {
        ("first", "done", ""),
        ("second", "dead", "InvalidPayloadError"),
    }


def test_a_declared_agent_says_what_it_is_and_that_it_is_not_run(ran: Project) -> None:
    lines = ran.run("drivers", "show", "email_assistant").lines
    assert "where           drivers/mail.yml:1  declared in YAML" in lines
    assert "model           gpt-4" in lines
    assert "tools           email_send, calendar/read" in lines
    assert "may use         model:chat/gpt-4, tool:*/email_send, tool:calendar/read" in lines
    assert "runs            not in this version: what comes is kept as a dead letter" in lines
    assert lines[-1] == "last runs       none"


def test_the_start_says_which_agents_are_not_run(ran: Project) -> None:
    said = ran.once({"type": "note.made"}).err
    assert (
        "note: this version runs no declared agents; what comes to them is kept as a dead letter: "
        "email_assistant, helper"
    ) in said


def test_a_driver_that_is_not_there_ends_with_3_and_the_nearest_name(ran: Project) -> None:
    done = ran.run("drivers", "show", "order.takr")
    assert (done.code, done.out) == (3, "")
    assert done.err == "error VX408: there is no driver `order.takr`\n  next:  Did you mean `order.taker`?\n"


def test_a_driver_is_shown_before_anything_has_run(project: Project) -> None:
    project.run("build")
    done = project.run("drivers", "show", "hello")
    assert (done.code, done.lines[-1]) == (0, "last runs       none")
