"""What a planted fault is, and how it is shown that a test notices it: in a copy of the OS, by one small selection."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOTICED, ALL_PASS = 1, 0
_COPIED = ("vextir_os", "tests/support", "tests/scenario", "tests/simulation", "tests/unit")
_FILES = ("pyproject.toml", "tests/conftest.py")


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault.

    Attributes:
        name: What is wrong then; a sentence.
        file: Below `vextir_os/`.
        old: Text that stands there exactly once.
        new: What stands there instead.
        caught_by: File below `tests/` and an expression for pytest's `-k`: a small selection that must fail.
    """

    name: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, str]


def selections(planted: tuple[Planted, ...]) -> dict[str, str]:
    """Return the expression for `-k` that takes all selections of a file together, by file."""
    found: dict[str, list[str]] = {}
    for fault in planted:
        file, expression = fault.caught_by
        found.setdefault(file, []).append(f"({expression})")
    return {file: " or ".join(dict.fromkeys(expressions)) for file, expressions in found.items()}


def copy_of_the_os(folder: Path) -> None:
    """Copy the OS and its tests; what runs in the folder imports the copy."""
    kept = shutil.ignore_patterns("__pycache__")
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    for name in _FILES:
        shutil.copy(ROOT / name, folder / name)


def plant(folder: Path, fault: Planted) -> None:
    """Make the fault in a copy."""
    place = folder / "vextir_os" / fault.file
    place.write_text(place.read_text(encoding="utf-8").replace(fault.old, fault.new), encoding="utf-8")


def run(folder: Path, file: str, expression: str) -> subprocess.CompletedProcess[str]:
    """Run a selection of the copied tests against the copied OS."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{file}", "-k", expression]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)


def noticed_by(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the name of the test that failed, empty when none did."""
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    if done.returncode != NOTICED or not failed:
        return ""
    return failed[0].removeprefix("FAILED ").partition(" - ")[0].rpartition("::")[2]
