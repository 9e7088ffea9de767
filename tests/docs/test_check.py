"""`make check` says in one line what is well, and in full what is not."""

import pytest

from scripts.check import CHECKS, Check, Outcome, perform, report


def check(*command: str) -> Check:
    return Check(name="rules", command=command, advice="run: ruff")


def test_a_check_passes_when_its_program_ends_well() -> None:
    outcome = perform(check("python", "-c", "print('fine')"))
    assert (outcome.passed, outcome.output) == (True, "fine")


def test_a_check_fails_with_all_that_its_program_said() -> None:
    code = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(3)"
    outcome = perform(check("python", "-c", code))
    assert (outcome.passed, outcome.output) == (False, "out\nerr")


@pytest.mark.parametrize(
    ("passed", "line"),
    [
        pytest.param(True, "ok      rules  (1.2 s)", id="passed"),
        pytest.param(False, "FAILED  rules  (1.2 s)\na.py:1: wrong\n-> run: ruff", id="failed"),
    ],
)
def test_only_a_failed_check_shows_its_output_and_what_to_do(passed: bool, line: str) -> None:
    assert report(Outcome(check=check("ruff"), passed=passed, output="a.py:1: wrong", seconds=1.23)) == line


def test_each_check_has_a_name_of_its_own_and_an_advice() -> None:
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    assert [one.name for one in CHECKS if not one.advice] == []
