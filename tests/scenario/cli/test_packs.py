"""A project with a pack: every command that reads or writes the index means the same drivers."""

import json
from pathlib import Path

import pytest

from tests.scenario.cli.vextir import Project, make_project
from tests.support.drivers import HEADER, simple_driver
from tests.support.packs import ACME, install

USES = 'packs = ["acme-drivers"]\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the pack is installed."""
    return str(install(tmp_path_factory.mktemp("site")))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project whose settings name the pack."""
    project = make_project(tmp_path)
    (tmp_path / "vextir.toml").write_text(USES)
    return project


def test_its_drivers_run_and_are_shown(project: Project, site: str) -> None:
    (project.root / "event.json").write_text(json.dumps({"type": "acme.wanted", "id": "e-1"}))
    done = project.run("dev", "--once", "event.json", PYTHONPATH=site)
    assert (done.code, "1 ok" in done.err) == (0, True), done.err
    shown = project.run("drivers", "show", "acme.mail", PYTHONPATH=site)
    assert "origin          pack:acme-drivers 1.2.0" in shown.lines
    assert "where           acme_drivers/mail/driver.py:3  a function under @driver" in shown.lines
    assert shown.lines[-1].split()[1:4] == ["done", "acme.wanted", "e-1"]
    assert project.run("build", "--check", PYTHONPATH=site).code == 0


def test_a_driver_of_a_pack_runs_in_a_process_of_its_own(project: Project, tmp_path: Path) -> None:
    apart = HEADER + simple_driver("acme.apart", "apart.*", options=", isolation='process'")
    site = install(tmp_path / "other", {**ACME, "acme_drivers/apart/driver.py": "import os\n" + apart})
    (project.root / "event.json").write_text(json.dumps({"type": "apart.wanted", "id": "e-1"}))
    done = project.run("dev", "--once", "event.json", PYTHONPATH=str(site))
    assert (done.code, "1 ok" in done.err) == (0, True), done.err


def test_a_new_driver_leaves_the_pack_in_the_index(project: Project, site: str) -> None:
    assert project.run("new", "driver", "weather", PYTHONPATH=site).code == 0
    ids = [driver["id"] for driver in project.run("drivers", "-o", "json", PYTHONPATH=site).json["drivers"]]
    assert {"acme.mail", "acme.desk", "helper", "weather", "hello"} <= set(ids)
    index = [
        one for one in project.run("doctor", "-o", "json", PYTHONPATH=site).json["findings"] if one["check"] == "index"
    ]
    assert [(one["level"], one["what"]) for one in index] == [("ok", f"fresh: {len(ids)} drivers")]


def test_without_the_pack_nothing_starts_and_the_message_names_it(project: Project) -> None:
    done = project.run("dev", "--once", "event.json")
    assert done.code == 1
    assert "error VX422: there is no pack `acme-drivers` among what is installed" in done.err
    assert "place: VEXTIR_PACKS" in done.err
