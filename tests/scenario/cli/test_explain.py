"""`vextir explain`: a code, in any way that people write it, and what is to be done."""

import pytest

from tests.scenario.cli.vextir import Project
from vextir_os.errors.catalogue import CATALOGUE

STALE = """\
VX403  StaleIndexError
  The driver index does not match the driver files.
  seen          drivers/index.json: there is no driver index. Run: vextir build
  do            Run `vextir build`, and commit drivers/index.json with the drivers that it describes.
  again         no, not as it is
  HTTP, exit    none; 1
"""


@pytest.mark.parametrize("code", ["VX403", "vx403", "e403", "403", "StaleIndexError"])
def test_a_code_is_explained_however_it_is_written(project: Project, code: str) -> None:
    done = project.run("explain", code)
    assert (done.code, done.out, done.err) == (0, STALE, "")


def test_without_a_code_all_are_listed(project: Project) -> None:
    done = project.run("explain")
    assert [line.partition("\t")[0] for line in done.lines] == list(CATALOGUE)


def test_programs_get_every_field(project: Project) -> None:
    found = project.run("explain", "514", "303", "-o", "json").json
    assert found["schema"] == "vextir.errors.v1"
    assert [each["code"] for each in found["errors"]] == ["VX514", "VX303"]
    assert (found["errors"][0]["http"], found["errors"][1]["exit"]) == ("429", 4)
    assert found["errors"][0]["may_succeed_later"] == "yes, after the time that it names"


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("StaleIndxError", "Did you mean `StaleIndexError`?"),
        ("nothing", "Run: vextir explain"),
        ("\x1b[31m", "Run: vextir explain"),
    ],
)
def test_a_code_that_is_not_there_is_a_usage_error(project: Project, asked: str, hint: str) -> None:
    done = project.run("explain", asked)
    assert (done.code, done.out) == (2, "")
    assert "error VX903: there is no error `" in done.err
    assert "\x1b" not in done.err
    assert hint in done.err
