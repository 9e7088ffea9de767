"""The floors of the house: every package stands on one, and the contract in pyproject.toml really holds them."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

LINT = Path(sys.executable).with_name("lint-imports")


def contract() -> list[str]:
    """Return the floors as pyproject.toml has them, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers: list[str] = next(one for one in settings["contracts"] if one["id"] == "floors")["layers"]
    return layers


def names(floor: str) -> list[str]:
    return [name.strip(" ()") for name in floor.replace(":", "|").split("|")]


def inhabitants() -> list[str]:
    """Return the packages and modules directly below vextir_os/."""
    below = (ROOT / "vextir_os").iterdir()
    found = [path.stem for path in below if path.suffix == ".py" or (path.is_dir() and any(path.rglob("*.py")))]
    return sorted(name for name in found if not name.startswith("__"))


@pytest.mark.parametrize("name", inhabitants())
def test_every_package_stands_on_a_floor(name: str) -> None:
    floors = [floor for floor in contract() if name in names(floor)]
    assert len(floors) == 1, (
        f"vextir_os/{name} stands on no floor. Put it into `layers` of the contract `floors` in pyproject.toml"
    )


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "vextir_os").rglob("*.py")}
    bare = sorted(str(folder.relative_to(ROOT)) for folder in folders if not (folder / "__init__.py").exists())
    assert bare == [], "without __init__.py the contract does not see them"


@pytest.mark.parametrize(
    ("file", "code", "message"),
    [
        pytest.param(
            "events/peek.py",
            "def f() -> None:\n    import vextir_os.driverkit\n",
            "vextir_os.events is not allowed to import vextir_os.driverkit",
            id="up",
        ),
        pytest.param(
            "ports/peek.py",
            "from vextir_os.driverkit.manifest import Manifest\n",
            "vextir_os.ports is not allowed to import vextir_os.driverkit",
            id="across",
        ),
        pytest.param("stray.py", "", "stray", id="on-no-floor"),
    ],
)
def test_the_contract_breaks_on_an_import_that_does_not_go_down(
    tmp_path: Path, file: str, code: str, message: str
) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / "vextir_os", tmp_path / "vextir_os", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "vextir_os" / file).write_text(f'"""Planted."""\n{code}', encoding="utf-8")
    command = [str(LINT), "--no-logo", "--no-cache", "--contract", "floors"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert message in done.stdout
