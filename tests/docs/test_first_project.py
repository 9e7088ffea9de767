"""The first project of a stranger: the guide is followed from its first command to its last, and compared."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Likeness, Step, consoles_of, files_of
from tests.docs.test_readme import PAGE as README
from tests.docs.test_readme import environment, follow, output_of, serving

PAGE = (ROOT / "docs" / "guides" / "first-project.md").read_text(encoding="utf-8")
HEADINGS = ("Make it", "A driver of your own", "A test of your own", "A policy of your own", "Run it")
OWN = ("drivers/seats/driver.py", "tests/test_seats.py", "policies/seats.yaml")
UV = Path(sys.executable).with_name("uv")


def write(shop: Path, *names: str) -> None:
    for name in names:
        (shop / name).write_text(files_of(PAGE)[name], encoding="utf-8")


def made(folder: Path, steps: Sequence[Step], likeness: Likeness) -> Path:
    """Make the project as the guide does. What `make setup` fetches comes out of the cache here."""
    new, cd, setup, *rest = steps
    assert (cd.command, setup.command) == ("cd shop", "make setup")
    assert likeness.differences(new.output, output_of(new.command, folder, environment())) == []
    shop = folder / "shop"
    venv: list[str] = [str(UV), "venv", "--quiet", "--no-project", "--python", sys.executable, ".venv"]
    subprocess.run(venv, cwd=shop, check=True, timeout=60)
    install: list[str] = [str(UV), "pip", "install", "--offline", "--require-hashes", "--python", ".venv/bin/python"]
    done = subprocess.run(
        [*install, "-r", "requirements-dev.txt"], cwd=shop, capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode and "network was disabled" in done.stderr.lower():
        pytest.skip("uv's cache does not hold what a new project needs; `make check` fills it")
    assert done.returncode == 0, done.stderr
    (shop / ".venv" / ".made").touch()
    assert follow(rest, shop, environment(), likeness, "") == []
    return shop


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_a_stranger_comes_by_the_guide_alone_to_a_driver_a_test_and_a_policy_of_their_own(tmp_path: Path) -> None:
    likeness = Likeness(folder=tmp_path, shown="/home/ann")
    consoles = {heading: consoles_of(PAGE, heading) for heading in HEADINGS}
    shop = made(tmp_path, consoles["Make it"], likeness)
    assert follow(consoles["A driver of your own"], shop, environment(), likeness, "") == []
    write(shop, *OWN[:2])
    failing = output_of("make test", shop, environment())
    assert "no policy allows `emit:table.given`" in " ".join(failing)
    assert failing[-2].startswith("1 failed, 3 passed in ")
    assert follow(consoles["A test of your own"], shop, environment(), likeness, "") == []
    write(shop, OWN[2])
    assert follow(consoles["A policy of your own"], shop, environment(), likeness, "") == []
    dev, *steps = consoles["Run it"]
    with serving(dev, shop, environment(), likeness) as address:
        assert follow(steps, shop, environment(), likeness, address) == []


def test_the_guide_writes_a_driver_a_test_and_a_policy_and_has_no_console_that_is_not_run() -> None:
    assert sorted(files_of(PAGE)) == sorted(OWN)
    run = sum(len(consoles_of(PAGE, heading)) for heading in HEADINGS)
    assert PAGE.count("\n$ ") == run


def test_the_readme_makes_a_project_as_it_says(tmp_path: Path) -> None:
    (step,) = consoles_of(README, "A project of your own")
    likeness = Likeness(folder=tmp_path, shown="/home/ann")
    assert likeness.differences(step.output, output_of(step.command, tmp_path, environment())) == []
