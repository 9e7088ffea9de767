"""The wheel: the OS and the stock drivers as `vextir_drivers`; policies stay the operator's."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, files


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Build the wheel, without network, and return the names of its files."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return frozenset(archive.namelist())


def test_every_module_of_the_os_is_in_the_wheel(contents: frozenset[str]) -> None:
    assert {str(path.relative_to(ROOT)) for path in files("vextir_os")} <= contents


def test_the_wheel_says_that_it_has_types(contents: frozenset[str]) -> None:
    assert "vextir_os/py.typed" in contents


def test_the_stock_drivers_are_in_the_wheel_as_vextir_drivers(contents: frozenset[str]) -> None:
    stock = {str(Path("vextir_drivers") / path.relative_to(ROOT / "drivers")) for path in files("drivers")}
    assert stock
    assert stock <= contents


def test_nothing_else_is_in_the_wheel(contents: frozenset[str]) -> None:
    tops = {Path(name).parts[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"vextir_os", "vextir_drivers"}
    assert not [name for name in contents if "__pycache__" in name or name.endswith(".pyc")]
