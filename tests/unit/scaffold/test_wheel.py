"""The wheel that a project brings along: what runs here and nothing else, the same bytes each time."""

import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

import vextir_os
from vextir_os.errors import PackageError
from vextir_os.scaffold.wheel import Wheel, make_wheel, repacked


@pytest.fixture(scope="module")
def wheel() -> Wheel:
    """Return the wheel of this checkout."""
    return make_wheel()


@pytest.fixture
def installed(tmp_path: Path, wheel: Wheel) -> metadata.Distribution:
    """Return the wheel as an installer lays it out: its files, and what installers add to them."""
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        archive.extractall(tmp_path)
    (info,) = tmp_path.glob("*.dist-info")
    for name, text in {"INSTALLER": "pip\n", "REQUESTED": "", "direct_url.json": '{"url": "file:///secret"}'}.items():
        (info / name).write_text(text)
    (tmp_path / "vextir_os" / "__pycache__").mkdir()
    (tmp_path / "vextir_os" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"byte code")
    added = ["../../../bin/vextir,,", f"{info.name}/INSTALLER,,", f"{info.name}/direct_url.json,,"]
    added += [f"{info.name}/REQUESTED,,", "vextir_os/__pycache__/x.cpython-311.pyc,,"]
    record = info / "RECORD"
    record.write_text(record.read_text() + "".join(f"{line}\r\n" for line in added))
    return metadata.Distribution.at(info)


def test_the_wheel_of_a_checkout_holds_its_files_and_its_templates(wheel: Wheel) -> None:
    assert wheel.name == f"vextir_os-{vextir_os.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(io.BytesIO(wheel.content)).namelist()
    assert "vextir_os/scaffold/templates/project/.github/workflows/ci.yml.tmpl" in names
    assert "vextir_os/scaffold/requirements.lock" in names


def test_packed_again_an_installed_os_is_byte_for_byte_the_wheel_that_was_installed(
    installed: metadata.Distribution, wheel: Wheel
) -> None:
    assert repacked(installed).name == wheel.name
    assert repacked(installed).sha256 == wheel.sha256


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda root: (root / "vextir_os/keys.py").write_text("import os"),
            "vextir_os/keys.py of the installed vextir-os is not what was installed",
            id="changed",
        ),
        pytest.param(
            lambda root: (root / "vextir_os/keys.py").unlink(),
            "vextir_os/keys.py of the installed vextir-os cannot be read",
            id="gone",
        ),
    ],
)
def test_an_installed_file_that_is_not_what_was_installed_is_named(
    installed: metadata.Distribution, change: Callable[[Path], object], message: str
) -> None:
    change(Path(str(installed.locate_file(""))))
    with pytest.raises(PackageError, match=message):
        repacked(installed)


def test_a_file_that_no_record_lists_is_not_packed(installed: metadata.Distribution, wheel: Wheel) -> None:
    Path(str(installed.locate_file("vextir_os/planted.py"))).write_text("evil = True")
    assert repacked(installed).content == wheel.content


def test_an_os_that_is_no_installed_package_says_so(tmp_path: Path) -> None:
    source = Path(vextir_os.__file__).parent
    shutil.copytree(source, tmp_path / "vextir_os", ignore=shutil.ignore_patterns("__pycache__"))
    code = "from vextir_os.scaffold.wheel import make_wheel; make_wheel()"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"{tmp_path / 'vextir_os'}, is no installed package" in done.stderr
    assert done.returncode == 1
