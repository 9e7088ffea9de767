"""Each planted fault makes a test fail: the tests see what they say they see. A sample by default, all in a soak."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SOAK
from tests.sabotage.faults import PLANTED, Planted

ROOT = Path(__file__).parents[2]
NOTICED, ALL_PASS = 1, 0
SAMPLE = PLANTED if SOAK else PLANTED[::3]


def selections(planted: tuple[Planted, ...]) -> dict[str, str]:
    """Return the expression for `-k` that takes all selections of a file together, by file."""
    found: dict[str, list[str]] = {}
    for fault in planted:
        file, expression = fault.caught_by
        found.setdefault(file, []).append(f"({expression})")
    return {file: " or ".join(expressions) for file, expressions in found.items()}


def copy_of_the_os(folder: Path) -> None:
    """Copy the OS and its tests; what runs in the folder imports the copy."""
    kept = shutil.ignore_patterns("__pycache__")
    for name in ("vextir_os", "tests/support", "tests/scenario", "tests/unit/runs"):
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    for name in ("pyproject.toml", "tests/conftest.py"):
        shutil.copy(ROOT / name, folder / name)


def run(folder: Path, file: str, expression: str) -> subprocess.CompletedProcess[str]:
    """Run a selection of the copied tests against the copied OS."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{file}", "-k", expression]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


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
    place = tmp_path / "vextir_os" / fault.file
    place.write_text(place.read_text(encoding="utf-8").replace(fault.old, fault.new), encoding="utf-8")
    done = run(tmp_path, *fault.caught_by)
    assert done.returncode == NOTICED, done.stdout
    assert "failed" in done.stdout
