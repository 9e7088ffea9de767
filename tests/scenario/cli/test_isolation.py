"""`vextir drivers` shows where drivers run and within what."""

from pathlib import Path

from tests.scenario.cli.vextir import make_project

DRIVERS = """
from vextir_os import Event, driver

@driver("held.hard", capabilities=["a.b"], isolation="process", memory="512MB", cpu="20s", concurrency=4)
def hard(event: Event) -> None: ...

@driver("held.not", capabilities=["a.b"], memory="64MB")
async def soft(event: Event) -> None: ...

@driver("held.thread", capabilities=["a.b"], isolation="thread")
def thread(event: Event) -> None: ...
"""


def test_the_list_says_where_drivers_run_and_what_holds_them(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (project.root / "drivers/held").mkdir()
    (project.root / "drivers/held/driver.py").write_text(DRIVERS)
    assert project.run("build").code == 0
    columns = [line.split("\t") for line in project.run("drivers").lines]
    shown = {column[0]: column[-1] for column in columns}
    assert shown["held.hard"] == "process 512MB, 4 at once"
    assert shown["held.not"] == "inline 64MB (not enforced)"
    assert shown["held.thread"] == "thread"
    assert {len(column) for column in columns} == {7}
    items = {item["id"]: item for item in project.run("drivers", "-o", "json").json["drivers"]}
    hard, thread = items["held.hard"], items["held.thread"]
    assert (hard["isolation"], hard["memory_bytes"], hard["cpu_s"], hard["concurrency"]) == (
        "process",
        512_000_000,
        20,
        4,
    )
    assert (thread["isolation"], thread["memory_bytes"], thread["processes"]) == ("thread", None, 0)


def test_a_project_without_them_is_listed_as_before(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    assert project.run("build").code == 0
    assert {len(line.split("\t")) for line in project.run("drivers").lines} == {6}
