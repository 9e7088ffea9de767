"""Each planted fault makes a test fail: the tests see what they say they see. A sample by default, all in a soak."""

from pathlib import Path

import pytest

from tests.conftest import SOAK
from tests.sabotage.faults import PLANTED
from tests.sabotage.planted import ALL_PASS, ROOT, Planted, copy_of_the_os, noticed_by, plant, run, selections
from tests.sabotage.promises import IN_THE_WORDS_OF_THE_ISSUE

SAMPLE = PLANTED if SOAK else PLANTED[::14]


def test_every_fault_that_the_issue_names_is_planted() -> None:
    assert set(IN_THE_WORDS_OF_THE_ISSUE.values()) <= {fault.name for fault in PLANTED}
    assert len(IN_THE_WORDS_OF_THE_ISSUE) == 12


def test_planted_faults_have_names_of_their_own() -> None:
    assert len({fault.name for fault in PLANTED}) == len(PLANTED)


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.name)
def test_every_planted_fault_has_a_place_in_the_source(fault: Planted) -> None:
    assert (ROOT / "vextir_os" / fault.file).read_text(encoding="utf-8").count(fault.old) == 1


@pytest.mark.parametrize(("file", "expression"), selections(SAMPLE).items(), ids=selections(SAMPLE))
def test_without_a_fault_the_selections_pass(tmp_path: Path, file: str, expression: str) -> None:
    copy_of_the_os(tmp_path)
    done = run(tmp_path, file, expression)
    assert done.returncode == ALL_PASS, done.stdout


@pytest.mark.parametrize("fault", SAMPLE, ids=lambda fault: fault.name)
def test_a_planted_fault_is_noticed(tmp_path: Path, fault: Planted) -> None:
    copy_of_the_os(tmp_path)
    plant(tmp_path, fault)
    done = run(tmp_path, *fault.caught_by)
    assert noticed_by(done), done.stdout
