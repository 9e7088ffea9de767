"""Starting is cheap: what the OS imports before the first event holds no cloud, model or web SDK and no driver."""

import json
import subprocess
import sys
from collections.abc import Sequence

from tests.architecture.source import files, module_of, within
from tests.architecture.test_imports import HEAVY, SDK_PACKAGES

FACES = ("vextir_os.cli", "vextir_os.testing", "vextir_os.compat", "vextir_os.__main__")


def loaded_by(*statements: str) -> Sequence[str]:
    """Return the modules that a fresh interpreter has loaded after the statements, without user site and PYTHONPATH."""
    code = "\n".join([*statements, "import json, sys", "print(json.dumps(sorted(sys.modules)))"])
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stdout)
    return names


def heavy(modules: Sequence[str]) -> list[str]:
    return [name for name in modules if within(name, *HEAVY, "drivers", "vextir_drivers")]


def test_importing_the_os_loads_no_sdk_and_no_driver() -> None:
    modules = loaded_by("import vextir_os")
    assert "vextir_os" in modules
    assert heavy(modules) == []


def test_the_public_names_load_no_sdk_and_no_driver() -> None:
    modules = loaded_by("from vextir_os import *")
    assert heavy(modules) == []


def test_no_module_below_the_faces_loads_an_sdk_or_a_driver() -> None:
    below = [name for name in map(module_of, files("vextir_os")) if not within(name, *SDK_PACKAGES, *FACES)]
    modules = loaded_by(*(f"import {name}" for name in below))
    assert set(below) <= set(modules)
    assert heavy(modules) == []


def test_an_sdk_would_be_seen() -> None:
    assert "starlette.types" in heavy(loaded_by("import starlette.types"))
