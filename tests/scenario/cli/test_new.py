"""`vextir new`: a project that runs at once, in an environment of its own requirements, and writes over nothing."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.scenario.cli.vextir import Ended, Project, command, environment
from tests.support.openapi.documents import PETS

UV = Path(sys.executable).with_name("uv")


def run(folder: Path, *words: str | Path, environ: Mapping[str, str] | None = None) -> Ended:
    done = subprocess.run(
        [*map(str, words)],
        cwd=folder,
        env=environ or environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(code=done.returncode, out=done.stdout, err=done.stderr)


def new(folder: Path, *arguments: str) -> Ended:
    return run(folder, *command("new", *arguments))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new project with an environment made of its requirements, without network."""
    folder = tmp_path_factory.mktemp("new")
    done = new(folder, "shop")
    assert done.code == 0, done.err
    root = folder / "shop"
    made = run(root, UV, "venv", "--no-project", "--python", sys.executable, ".venv")
    assert made.code == 0, made.err
    listed = ("--require-hashes", "--python", ".venv/bin/python", "-r", "requirements-dev.txt")
    done = run(root, UV, "pip", "install", "--offline", *listed)
    if done.code and "network was disabled" in done.err.lower():
        pytest.skip("uv's cache does not hold what a new project needs; `make check` fills it")
    assert done.code == 0, done.err
    return root


def installed(shop: Path, *words: str, folder: Path | None = None) -> Ended:
    """Run a program of the project's own environment, with no other on the path."""
    program = shop / ".venv/bin" / words[0]
    return run(folder or shop, program, *words[1:], environ={"PATH": os.defpath, "HOME": str(shop), "TZ": "UTC"})


def test_a_new_project_says_where_it_is_and_what_to_do_next(tmp_path: Path) -> None:
    done = new(tmp_path, "shop")
    assert (done.code, done.out) == (0, f"{tmp_path / 'shop'}\n")
    assert done.err == "16 files. Next: cd shop && make test\n"


def test_the_installed_os_runs_the_events_of_the_project(shop: Path) -> None:
    done = installed(shop, "vextir", "dev", "--once", "events")
    assert done.code == 0, done.err
    assert '{"text": "Hello, Ann"}' in done.out
    assert "2 events and 2 that followed: 2 ok, 2 unrouted" in done.err
    assert "DEVELOPMENT" not in done.err


def test_a_new_project_passes_its_own_tests_also_with_a_driver_of_each_kind(shop: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    shutil.copytree(shop, own, ignore=shutil.ignore_patterns(".venv", ".vextir"))
    for kind in ("agent", "tool", "io", "ui"):
        done = installed(shop, "vextir", "new", "driver", f"my_{kind}", "--kind", kind, folder=own)
        assert done.code == 0, done.err
    done = installed(shop, "vextir", "new", "driver", "--from", str(PETS), folder=own)
    assert done.code == 0, done.err
    done = installed(shop, "python", "-m", "pytest", "-q", "-W", "error", folder=own)
    assert done.code == 0, done.out
    assert done.lines[-1].startswith("22 passed in ")
    done = installed(shop, "vextir", "check", folder=own)
    assert (done.code, done.err) == (0, "nothing wrong: 11 drivers, 13 policies, 1 UI app\n")


def test_the_index_of_a_new_project_is_fresh(shop: Path) -> None:
    done = installed(shop, "vextir", "build", "--check")
    assert (done.code, done.err) == (0, "drivers/index.json is fresh: 1 driver\n")


def test_what_the_policies_of_a_new_project_do_not_name_is_denied(shop: Path) -> None:
    done = installed(shop, "vextir", "send", "greeting.said", "--data", "{}")
    assert done.code == 4
    assert "no policy allows `publish:greeting.said` for user:operator" in done.err


def test_the_installed_os_makes_projects_with_the_very_wheel_that_it_came_from(shop: Path) -> None:
    done = installed(shop, "vextir", "new", "again", "--dir", str(shop.parent / "again"))
    assert done.code == 0, done.err
    first, second = ((shop.parent / name / "requirements.txt").read_text() for name in ("shop", "again"))
    assert first == second


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed here")
def test_a_python_that_does_not_fit_is_named_before_anything_is_made(tmp_path: Path) -> None:
    assert new(tmp_path, "shop").code == 0
    done = run(tmp_path / "shop", "make", "setup", "PYTHON=/bin/false")
    assert done.code != 0
    assert "/bin/false is no Python 3.11, 3.12 or 3.13. Name one: make setup PYTHON=/path/to/python3" in done.out
    assert not (tmp_path / "shop/.venv").exists()


def test_a_project_is_made_in_the_folder_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    done = new(tmp_path / "here", "shop", "--dir", ".")
    assert (done.code, done.out) == (0, f"{tmp_path / 'here'}\n")
    assert (tmp_path / "here/drivers/greeter/driver.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["My Shop"], "error VX903: `My Shop` is no name for a project", id="name"),
        pytest.param(["drivers"], "error VX903: a project cannot be called `drivers`", id="reserved"),
        pytest.param(["../up"], "`../up` is no name for a project", id="path"),
        pytest.param(["x", "--dir", "full"], "is not empty", id="not-empty"),
        pytest.param([], 'error VX903: command "new" parameter NAME requires an argument', id="nothing"),
        pytest.param(["x", "--force"], "error VX903: unknown option: --force", id="no-force"),
    ],
)
def test_a_project_that_cannot_be_made_leaves_everything_as_it_was(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    done = new(tmp_path, *arguments)
    assert done.code == 2
    assert message in done.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full"]


def test_a_new_driver_joins_the_project_with_its_policy_test_and_index(project: Project) -> None:
    done = run(project.root / "drivers", *command("new", "driver", "desk", "--kind", "io"))
    assert done.code == 0, done.err
    assert {"drivers/desk/driver.py", "policies/desk.yaml", "tests/test_desk.py"} <= set(done.lines)
    assert all((project.root / path).is_file() for path in done.lines)
    assert "next: python -m pytest tests/test_desk.py" in done.err
    assert project.run("build", "--check").code == 0
    assert "desk\tio\t" in project.run("drivers").out


def test_a_new_driver_is_written_though_another_is_broken(project: Project) -> None:
    (project.root / "drivers/hello/driver.py").write_text("import nothing_of_this_name\n")
    done = project.run("new", "driver", "desk")
    assert done.code == 0
    assert "note: drivers/index.json was not written: 1 problem found. Run: vextir build" in done.err


def test_a_driver_that_is_there_is_not_written_over(project: Project) -> None:
    before = (project.root / "drivers/hello/driver.py").read_bytes()
    done = project.run("new", "driver", "hello")
    assert done.code == 2
    assert "drivers/hello/driver.py is there already" in done.err
    assert (project.root / "drivers/hello/driver.py").read_bytes() == before
    assert not (project.root / "policies/hello.yaml").exists()


def test_a_driver_of_a_document_names_what_it_leaves_out(project: Project) -> None:
    done = project.run("new", "driver", "zoo", "--from", str(PETS), "--only", "listPets,deletePet")
    assert (done.code, "drivers/zoo/models.py" in done.lines) == (0, True), done.err
    assert "zoo.delete_pet\ttool\t" in project.run("drivers").out
    done = project.run("new", "driver", "--from", str(PETS))
    assert "note: POST /photos is left out: its body is multipart/form-data, not JSON" in done.err
    assert "next: python -m pytest tests/test_pets.py" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "error VX903: a driver needs a name", id="nothing"),
        pytest.param(["x", "--only", "a"], "error VX903: --only chooses operations of a document", id="only"),
        pytest.param(["--from", str(PETS), "--kind", "io"], "--kind and --capability do not go with --from", id="kind"),
        pytest.param(["--from", "none.json"], "error VX911: none.json cannot be read: No such file", id="no-file"),
        pytest.param(["--from", "https://x.test/a.json"], "cannot be read: No such file or directory", id="url"),
        pytest.param(["--from", str(PETS), "--only", "x"], "no driver is made of the operation `x`", id="operation"),
    ],
)
def test_a_command_line_without_sense_makes_no_driver(project: Project, arguments: list[str], message: str) -> None:
    done = project.run("new", "driver", *arguments)
    assert done.code in (1, 2)
    assert message in done.err
    assert not (project.root / "tests").exists()


def test_a_driver_needs_a_project(tmp_path: Path) -> None:
    done = new(tmp_path, "driver", "desk")
    assert done.code == 1
    assert "error VX900: no project" in done.err


def test_a_project_inside_another_is_its_own(project: Project) -> None:
    assert new(project.root, "inner").code == 0
    done = run(project.root / "inner", *command("drivers"))
    assert done.out.startswith("greeter\t")
