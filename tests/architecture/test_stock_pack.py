"""The stock drivers as a pack of the built wheel, in a Python that knows nothing of this checkout."""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

POLICY = "policies: [{id: all, effect: allow, match: {action: ['publish:**', 'process:**', 'emit:**', 'admin:*']}}]\n"
STOCK = ["github.activity", "github.triage", "mail.sorter", "research.planner", "tasks.desk"]
Vextir = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def vextir(tmp_path_factory: pytest.TempPathFactory) -> Vextir:
    """Runs the command line of the wheel, installed into a folder of its own, in an empty project."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--offline", "--no-deps", "--quiet"]
    subprocess.run([*uv, "--target", str(folder / "site"), str(wheel)], capture_output=True, check=True)
    (folder / "project/policies").mkdir(parents=True)
    (folder / "project/policies/all.yaml").write_text(POLICY)
    # Beside the wheel only what it depends on: a path file, which links an editable install, is not read from there.
    path = os.pathsep.join([str(folder / "site"), sysconfig.get_path("purelib")])

    def run(*arguments: str, packs: str = "") -> "subprocess.CompletedProcess[str]":
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("VEXTIR_", "PYTHON"))}
        environ = kept | {"PYTHONPATH": path} | ({"VEXTIR_PACKS": packs} if packs else {})
        python = str(getattr(sys, "_base_executable", sys.executable))
        command = [python, "-P", "-m", "vextir_os.cli", *arguments]
        return subprocess.run(
            command, cwd=folder / "project", env=environ, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def test_the_wheel_offers_its_stock_drivers_and_uses_none(vextir: Vextir) -> None:
    (pack,) = json.loads(vextir("drivers", "packs", "-o", "json").stdout)["packs"]
    assert (pack["name"], pack["package"], pack["problem"], pack["runs"]) == ("vextir-os", "vextir_drivers", "", False)
    assert json.loads(vextir("drivers", "-o", "json").stdout)["drivers"] == []


def test_they_run_where_the_settings_name_them(vextir: Vextir) -> None:
    built = vextir("build", packs="vextir-os")
    assert (built.returncode, built.stderr) == (0, "drivers/index.json: 5 drivers\n")
    drivers = json.loads(vextir("drivers", "-o", "json", packs="vextir-os").stdout)["drivers"]
    assert [driver["id"] for driver in drivers] == STOCK
    assert {driver["origin"] for driver in drivers} == {"pack:vextir-os 0.1.0"}
    assert drivers[2]["where"].startswith("vextir_drivers/mail/driver.py:")
    done = vextir("dev", "--once", str(ROOT / "examples/events"), packs="vextir-os")
    assert done.returncode == 0
    assert "6 ok" in done.stderr
    assert vextir("check", packs="vextir-os").returncode == 0


def test_they_stop_where_the_settings_name_them_no_more(vextir: Vextir) -> None:
    vextir("build", packs="vextir-os")
    done = vextir("dev", "--once", str(ROOT / "examples/events"))
    assert "3 unrouted" in done.stderr
