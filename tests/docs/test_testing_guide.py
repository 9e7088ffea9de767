"""The guide to testing says what the kit has: options, commands, points; and its examples are Python."""

import ast
import inspect
import re

import pytest

from tests.docs.pages import ROOT
from tests.docs.test_guides import rows
from vextir_os.testing import OS, open_os
from vextir_os.testing.rounds import ROUNDS
from vextir_os.testing.trouble import POINTS, STAGES

PAGE = (ROOT / "docs" / "guides" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_option_of_open_os_stands_in_the_guide() -> None:
    parameters = inspect.signature(open_os).parameters
    assert set(rows(PAGE, "option of `open_os`")) == set(parameters) - {"drivers"}


def test_everything_that_an_os_under_test_can_do_stands_in_the_guide() -> None:
    public = {name for name in vars(OS) if not name.startswith("_")}
    inner = {"kernel", "do"}
    assert {name for name in public - inner if f"os.{name}" not in PAGE} == set()
    assert {name for name in re.findall(r"\bos\.([a-z_]+)", PAGE) if name not in public | {"clock"}} == set()


def test_the_stages_of_the_guide_are_points() -> None:
    said = PAGE.partition("A point is `before` or `after`, and ")[2].partition(", or a call")[0]
    assert set(re.findall(r"`(\w+)`", said)) == set(STAGES)
    assert all(f"{side} {stage}" in POINTS for side in ("before", "after") for stage in STAGES)


def test_the_number_of_rounds_is_that_of_the_kit() -> None:
    assert f"There are {ROUNDS} rounds at most" in PAGE


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[0][:40])
def test_the_examples_are_python(block: str) -> None:
    compile(block, "testing.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
