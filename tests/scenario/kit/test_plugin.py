"""The fixture `os`, in a project of its own: with pytest alone, with pytest-asyncio, in plain functions."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.architecture.test_light_import import heavy, loaded_by
from tests.support.drivers import write_driver

GREETER = """
@driver("greeter", capabilities=["guest.arrived"])
async def greet(event: Event, ctx: Context) -> dict[str, str]:
    ctx.log("greeted")
    from .client import greeting
    return {"text": greeting(event.data.name)}
"""
POLICY = "policies:\n  - id: guests\n    effect: allow\n    match: {action: ['publish:guest.*', 'process:guest.*']}\n"
TESTS = """
import asyncio
import os as system

import pytest

from vextir_os import Event
from vextir_os.errors import DeniedError

GUEST = Event(type="guest.arrived", data={"name": "Ann"})


async def test_a_coroutine(os):
    await os.publish(GUEST)
    assert os.output("greeter") == {"text": "Hello, Ann"}
    assert os.decisions[0].policy_id == "guests"
    assert "greeted" in os.logs


def test_a_plain_function(os):
    os.publish(GUEST)
    assert os.output("greeter") == {"text": "Hello, Ann"}


@pytest.mark.parametrize("name", ["Ann", "Bob"])
async def test_parameters_and_other_fixtures(os, name, tmp_path):
    await os.publish(GUEST.but(data={"name": name}))
    assert os.output("greeter") == {"text": f"Hello, {name}"}


async def test_a_fake_in_the_place_of_a_client(os, monkeypatch):
    monkeypatch.setattr(os.module("greeter.client"), "greeting", lambda name: f"Fake {name}")
    await os.publish(GUEST)
    assert os.output("greeter") == {"text": "Fake Ann"}


def test_the_policies_are_those_of_the_project(os):
    with pytest.raises(DeniedError):
        os.publish(Event(type="other.thing"))


def test_the_module_of_the_name_is_not_in_the_way():
    assert system.sep in __file__
"""
SCOPE = "asyncio_default_fixture_loop_scope=function"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_driver(tmp_path, "greeter", GREETER)
    write_driver(tmp_path, "greeter", "def greeting(name):\n    return f'Hello, {name}'\n", file="client.py")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "guests.yaml").write_text(POLICY)
    # Whatever stands in a folder above says nothing.
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "tests" / "drivers").mkdir(parents=True)
    (tmp_path / "tests" / "drivers" / "test_greeter.py").write_text(TESTS)
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("-p", "no:asyncio"), id="pytest-alone"),
        pytest.param(("-o", SCOPE), id="asyncio-that-is-strict"),
        pytest.param(("-o", SCOPE, "-o", "asyncio_mode=auto"), id="asyncio-that-runs-all"),
    ],
)
def test_the_fixture_is_there_for_coroutines_and_plain_functions(project: Path, options: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *options],
        cwd=project, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "7 passed" in done.stdout, done.stdout
    assert not (project / "drivers" / "index.json").exists()


def test_the_plugin_imports_nothing_that_a_test_does_not_ask_for() -> None:
    heavy = ("pydantic", "sqlite3", "vextir_os.testing.system", "vextir_os.processor", "vextir_os.adapters")
    code = f"import sys, vextir_os.testing.plugin; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_test_in_no_project_is_told_what_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_alone.py").write_text("def test_it(os):\n    pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "lies in no project: no folder above it has drivers/<name>/driver.py or policies/*.yaml" in done.stdout


def test_the_plugin_comes_with_the_distribution() -> None:
    (ours,) = (point for point in entry_points(group="pytest11") if point.value == "vextir_os.testing.plugin")
    assert ours.name == "vextir"


def test_the_kit_brings_no_sdk() -> None:
    assert heavy(loaded_by("from vextir_os.testing import OS, open_os, torture")) == []
