"""`vextir drivers off`, `on` and `weight`, as people type them."""

import pytest

from tests.scenario.cli.vextir import Project
from tests.support.harness import an_os
from vextir_os import Event, driver

TWO = """
@driver("keeper", kind="io", capabilities=["note.*"], version="2", weight=10)
async def keeper_two(event: Event) -> dict:
    return {"kept": event.data, "by": 2}
"""


@pytest.fixture
def two(project: Project) -> Project:
    """The project, with a second version of its driver `keeper`."""
    file = project.root / "drivers/all/driver.py"
    file = file if file.exists() else next((project.root / "drivers").glob("*/driver.py"))
    file.write_text(file.read_text(encoding="utf-8") + TWO, encoding="utf-8")
    project.run("build")
    return project


def test_a_driver_that_is_off_is_gone_past_and_the_trace_says_why(project: Project) -> None:
    project.run("build")
    off = project.run("drivers", "off", "keeper", "the disk is full")
    assert (off.code, off.out) == (0, "")
    assert "driver keeper is off: new events go past it, what it has begun ends" in off.err
    assert "next: vextir drivers on keeper" in off.err.lower()
    done = project.once({"type": "note.made", "id": "e-1", "source": "/cli", "data": 7})
    assert done.code == 0
    why = "driver keeper was turned off by user:operator: the disk is full"
    assert why in project.run("trace", "e-1").out
    assert f"left out        {why}" in project.run("events", "show", "e-1").out
    assert "unrouted" in project.run("events", "show", "e-1").out
    rows = {line.split("\t")[0]: line.split("\t")[1] for line in project.run("drivers").lines}
    assert rows == {"hello": "", "keeper": "off", "broken": "", "later": ""}
    listed = {item["id"]: item["off"] for item in project.run("drivers", "-o", "json").json["drivers"]}
    assert (listed["hello"], listed["keeper"]["reason"]) == (None, "the disk is full")
    on = project.run("drivers", "on", "keeper")
    assert (on.code, on.err.split(".")[0]) == (0, "driver keeper is on: it gets new events")
    project.once({"type": "note.made", "id": "e-2", "source": "/cli", "data": 8})
    assert '"kept": 8' in project.run("events", "show", "e-2").out


def test_versions_and_what_they_get_are_shown_and_changed(two: Project) -> None:
    rows = [line.split("\t") for line in two.run("drivers").lines]
    assert [row[2:4] for row in rows if row[0] == "keeper"] == [["1", "90 %"], ["2", "10 %"]]
    assert [row[3] for row in rows if row[0] == "hello"] == [""]
    said = two.run("drivers", "weight", "keeper", "1=0", "2=50")
    assert (said.code, said.err.split(".")[0]) == (
        0,
        "driver keeper: of its new events version 1 gets 0 %, version 2 gets 100 %",
    )
    two.once({"type": "note.made", "id": "e-1", "source": "/cli", "data": 7})
    shown = two.run("events", "show", "e-1").out
    assert '"by": 2' in shown
    assert "version         2" in shown
    assert "versions        1: 0 %, 2: 100 %" in two.run("drivers", "show", "keeper").out
    back = two.run("drivers", "weight", "keeper", "--reset")
    assert "version 1 gets 90 %, version 2 gets 10 %" in back.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("off", "keepr"), 3, "there is no driver `keepr` Did you mean `keeper`?"),
        (("on", "keeper"), 3, "driver keeper is not off"),
        (("weight", "keeper", "2=x"), 2, "'2=x' is no weight of a version"),
        (("weight", "keeper"), 2, "no weight is given"),
        (("weight", "keeper", "2=10", "--reset"), 2, "--reset stands beside weights"),
        (("weight", "keeper", "3=10"), 1, "driver keeper has no version '3'"),
        (("weight", "hello", "1=10"), 1, "driver hello has one version, which gets all its events"),
        (("of", "keeper"), 2, "unknown command `of` Did you mean `off`?"),
    ],
)
def test_what_cannot_be_switched_is_said(two: Project, arguments: tuple[str, ...], code: int, message: str) -> None:
    done = two.run("drivers", *arguments)
    assert message in " ".join((done.err + done.out).replace("next:", "").split())
    assert done.code == code


async def test_a_driver_that_is_not_well_is_shown(project: Project) -> None:
    @driver("keeper", capabilities=["note.*"])
    class Keeper:
        async def handle(self, event: Event) -> None: ...

        async def health(self) -> str:
            return "the box is closed"

    project.run("build")
    async with an_os(project.root, Keeper) as os:
        await os.event("note.made")
        await os.kernel.health.ask()
    data = str(project.root / "data")
    rows = {line.split("\t")[0]: line.split("\t")[1] for line in project.run("drivers", VEXTIR_DATA_DIR=data).lines}
    assert rows == {"hello": "", "keeper": "unhealthy", "broken": "", "later": ""}
    assert "it is not well: the box is closed" in project.run("drivers", "show", "keeper", VEXTIR_DATA_DIR=data).err


def test_without_a_policy_nobody_switches(project: Project) -> None:
    project.run("build")
    file = project.root / "policies/all.yaml"
    file.write_text(file.read_text().replace(', "admin:*"', ""))
    done = project.run("drivers", "off", "keeper")
    assert done.code == 4
    assert "user:operator may not switch any driver" in done.err
