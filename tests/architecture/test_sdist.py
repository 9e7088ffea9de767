"""The sdist: what is needed to build, run and read, and nothing else; the same sources give the same bytes."""

import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest

from scripts.smoke import build, unpack
from tests.architecture.source import ROOT, files

TOPS = {
    ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "PKG-INFO", "README.md", "SECURITY.md", "docs", "drivers",
    "examples", "policies", "pyproject.toml", "requirements.txt", "schemas", "uv.lock", "vextir_os",
}  # fmt: skip


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist"))


@pytest.fixture(scope="module")
def sources(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(sdist, tmp_path_factory.mktemp("sources"))


def test_it_holds_what_is_needed_and_nothing_else(sources: Path) -> None:
    assert {path.name for path in sources.iterdir()} == TOPS
    names = {str(path.relative_to(sources)) for path in sources.rglob("*")}
    assert {str(path.relative_to(ROOT)) for path in [*files("vextir_os"), *files("drivers")]} <= names
    assert (sources / "requirements.txt").read_bytes() == (ROOT / "requirements.txt").read_bytes()


def test_what_a_working_copy_gathers_stays_out(sources: Path, tmp_path: Path) -> None:
    used = tmp_path / "used"
    shutil.copytree(sources, used)
    (used / "PKG-INFO").unlink()
    junk = [".vextir/api.key", ".env", ".cache/x", "vextir_os/__pycache__/a.cpython-311.pyc", "drivers/.mypy_cache/x",
            "dist/old.whl", "secrets.txt", "examples/.DS_Store", "local.settings.json"]  # fmt: skip
    for name in junk:
        (used / name).parent.mkdir(parents=True, exist_ok=True)
        (used / name).write_text("s3cret")
    with tarfile.open(build(used, "sdist", tmp_path / "built")) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert found & set(junk) == set()
    assert "vextir_os/__init__.py" in found


@pytest.fixture(scope="module")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(sources, "wheel", tmp_path_factory.mktemp("wheel"))


def test_the_same_sources_give_the_same_bytes(sdist: Path, sources: Path, wheel: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(sources, other)
    (other / "PKG-INFO").unlink()
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    assert build(other, "sdist", tmp_path / "built").read_bytes() == sdist.read_bytes()
    assert build(other, "wheel", tmp_path / "built").read_bytes() == wheel.read_bytes()


def test_the_wheel_of_the_sdist_is_that_of_the_repository(wheel: Path, tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(wheel) as ours,
        zipfile.ZipFile(build(ROOT, "wheel", tmp_path / "repository")) as theirs,
    ):
        assert {name: ours.read(name) for name in ours.namelist()} == {
            name: theirs.read(name) for name in theirs.namelist()
        }
