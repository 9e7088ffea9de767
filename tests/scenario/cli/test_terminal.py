"""What a terminal gets: colours only where they are wanted, whole ids at every width, nothing hostile ever."""

import json
import re

import pytest

from tests.scenario.cli.vextir import Project, make_project

ESCAPE = re.compile("\x1b\\[[0-9;]*m")
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b31m \u202eesrever\u202c zero\u200bwidth\u2028line\x00\x7f\r\n\tend"

DRIVER = f"""
from vextir_os import Event, InvalidError, driver

@driver("echo", capabilities=["echo.*"])
async def echo(event: Event) -> object:
    if event.type == "echo.bad":
        raise InvalidError({HOSTILE!r})
    return {{"said": {HOSTILE!r}, {HOSTILE!r}: 1}}
"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which an event, an output and an error do their worst; to be read only."""
    project = make_project(tmp_path_factory.mktemp("hostile"))
    (project.root / "drivers/echo").mkdir()
    (project.root / "drivers/echo/driver.py").write_text(DRIVER)
    event = {"subject": "plain", "data": {"text": HOSTILE, HOSTILE: HOSTILE}}
    project.once({"type": "echo.good", "id": "good", **event}, {"type": "echo.bad", "id": "bad", **event})
    return project


@pytest.mark.parametrize(
    "arguments",
    [
        *(["trace", name, "-o", form] for name in ("good", "bad") for form in ("table", "json", "jsonl", "yaml")),
        *(["events", "show", name, "-o", form] for name in ("good", "bad") for form in ("table", "json", "yaml")),
        ["events"],
        ["events", "-o", "jsonl"],
        ["trace", HOSTILE.replace("\0", "")],
        ["events", HOSTILE.replace("\0", "") + ":x"],
        ["events", "show", "good", HOSTILE.replace("\0", "")],
        ["--project", HOSTILE.replace("\0", ""), "events"],
        ["events", "--project", HOSTILE.replace("\0", "")],
        ["send", HOSTILE.replace("\0", "")],
        ["send", "--file", HOSTILE.replace("\0", "")],
    ],
    ids=lambda arguments: "-".join(re.sub(r"\W", "", argument)[:8] for argument in arguments),
)
def test_nothing_that_comes_from_outside_reaches_the_terminal_as_it_is(hostile: Project, arguments: list[str]) -> None:
    shown = hostile.terminal(*arguments)
    unseen = {char for char in ESCAPE.sub("", shown) if not char.isprintable()}
    assert unseen <= {"\n"}, shown
    assert {match.group() for match in ESCAPE.finditer(shown)} <= {f"\x1b[{code}m" for code in (0, 1, 2, 31, 32, 33)}


def test_what_is_escaped_on_the_screen_reads_back_as_it_was(hostile: Project) -> None:
    read = hostile.run("events", "show", "good", "-o", "json").json
    assert read["event"]["data"]["text"] == HOSTILE
    assert read["runs"]["echo"]["output"]["said"] == HOSTILE


def test_hostile_lines_of_a_running_os_are_neutralised(hostile: Project) -> None:
    with hostile.running("dev", "--port", "0") as os:
        os.line("next")
        hostile.run("send", "echo.bad")
        assert "\\x1b]0;owned" in os.line("failed")


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [
        pytest.param({}, True, id="terminal"),
        pytest.param({"NO_COLOR": "1"}, False, id="no-color"),
        pytest.param({"TERM": "dumb"}, False, id="dumb"),
    ],
)
def test_colours_are_for_terminals_that_want_them(project: Project, environ: dict[str, str], coloured: bool) -> None:
    project.once({"type": "broken.one", "id": "b"})
    assert ("\x1b[31mfailed\x1b[0m" in project.terminal("trace", "b", environ=environ)) is coloured
    assert "\x1b" not in project.run("trace", "b").out


def test_red_is_for_errors_alone(project: Project) -> None:
    project.once({"type": "hello.one", "id": "h"}, {"type": "locked.one"}, {"type": "strange.one"})
    assert "\x1b[31m" not in project.terminal("events")
    assert "\x1b[31merror VX501:\x1b[0m" in project.terminal("trace", "nope")


@pytest.mark.parametrize("columns", [20, 60, 100, 300])
def test_ids_are_whole_at_every_width(project: Project, columns: int) -> None:
    project.once({"type": "hello.one", "data": {"long": "x" * 500}})
    ids = [json.loads(line)["id"] for line in project.run("events", "-o", "jsonl").lines]
    for arguments in (["events"], ["trace", ids[1]]):
        shown = project.terminal(*arguments, columns=columns)
        assert all(each in shown for each in ids)


def test_outputs_are_cut_to_the_width_of_a_terminal_and_nowhere_else(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "h", "data": "ü" * 500})
    lines = ESCAPE.sub("", project.terminal("trace", "h", columns=80)).splitlines()
    assert len(lines[-1]) == 80
    assert lines[-1].endswith("…")
    assert "ü" * 500 in project.run("trace", "h").out


def test_a_table_has_titles_on_a_terminal_and_tabs_elsewhere(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "h"})
    first = ESCAPE.sub("", project.terminal("events")).splitlines()[0]
    assert first.split() == ["TIME", "STATUS", "TYPE", "ID", "DRIVERS", "SOURCE"]
    (line,) = project.run("events").lines
    assert line.split("\t")[1:] == ["ok", "hello.quiet", "h", "hello", "/cli"]
