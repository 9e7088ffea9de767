"""What `make setup` and `make check` promise: one source for versions, every byte by hash, clear refusals."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts import requirements
from scripts.setup import fingerprint, pinned

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
LOCK = (ROOT / "uv.lock").read_text(encoding="utf-8")
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def setup_with(python: str) -> subprocess.CompletedProcess[str]:
    """Start setup.sh with a Python that does not fit: it must say so and change nothing."""
    script = ["sh", str(ROOT / "scripts" / "setup.sh")]
    environment = {"PYTHON": python, "PATH": "/usr/bin:/bin"}
    return subprocess.run(script, env=environment, capture_output=True, text=True, check=False)


def test_the_lock_file_is_what_pyproject_asks_for(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, tmp_path)
    done = subprocess.run(
        [UV, "lock", "--check", "--offline"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_requirements_txt_is_what_the_lock_file_exports() -> None:
    assert (ROOT / "requirements.txt").read_text(encoding="utf-8") == requirements.exported(UV)


@pytest.mark.parametrize("path", [requirements.RUN, requirements.TEST], ids=lambda path: path.name)
def test_the_requirements_of_new_projects_are_what_the_lock_file_exports(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == requirements.fresh(UV)[path]


def test_every_line_of_requirements_txt_is_pinned_and_hashed() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert lines
    assert [
        line for line in lines if not re.match(r"[a-z0-9.\-]+(\[[a-z]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def test_everything_in_the_lock_file_comes_from_pypi_by_hash() -> None:
    packages = tomllib.loads(LOCK)["package"]
    foreign = [one["name"] for one in packages if one["source"] != {"registry": "https://pypi.org/simple"}]
    assert foreign == ["vextir-os"]
    files = [file for one in packages for file in [*one.get("wheels", []), *([one["sdist"]] if "sdist" in one else [])]]
    assert [file["url"] for file in files if not file["hash"].startswith("sha256:")] == []


def test_uv_is_installed_in_the_version_of_the_lock_file_by_its_hashes() -> None:
    version, line = pinned(LOCK, "uv")
    assert line.startswith(f"uv=={version} --hash=sha256:")
    assert f'name = "uv"\nversion = "{version}"' in LOCK


def test_a_setting_of_a_tool_does_not_ask_for_a_new_setup() -> None:
    before = fingerprint(PYPROJECT, LOCK, "3.11")
    assert fingerprint(PYPROJECT.replace("max-complexity = 10", "max-complexity = 12"), LOCK, "3.11") == before


@pytest.mark.parametrize(
    ("pyproject", "lock", "python"),
    [
        pytest.param(PYPROJECT.replace('"pyyaml>=6.0.3"', '"pyyaml>=6.0.4"'), LOCK, "3.11", id="dependency"),
        pytest.param(PYPROJECT.replace('dev-mode-dirs = ["."]', ""), LOCK, "3.11", id="build"),
        pytest.param(PYPROJECT, LOCK + "\n", "3.11", id="lock"),
        pytest.param(PYPROJECT, LOCK, "3.12", id="python"),
    ],
)
def test_what_decides_the_environment_asks_for_a_new_setup(pyproject: str, lock: str, python: str) -> None:
    assert fingerprint(pyproject, lock, python) != fingerprint(PYPROJECT, LOCK, "3.11")


def test_a_python_that_is_not_there_is_named() -> None:
    done = setup_with("/nowhere/python3")
    assert done.returncode == 1
    assert "/nowhere/python3 is not found" in done.stderr
    assert "make setup PYTHON=/path/to/python3" in done.stderr


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param("echo 'is Python 3.14.1'", "is Python 3.14.1", id="too-new"),
        pytest.param("exit 3", "does not run", id="broken"),
    ],
)
def test_a_python_that_does_not_fit_is_named_with_the_reason(tmp_path: Path, body: str, reason: str) -> None:
    fake = tmp_path / "py thon"
    fake.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    fake.chmod(0o755)
    done = setup_with(str(fake))
    assert done.returncode == 1
    assert f"{fake} {reason}" in done.stderr
    assert "Vextir OS needs Python 3.11, 3.12 or 3.13" in done.stderr


def choose(root: Path, environment: dict[str, str]) -> list[str]:
    """Run a copy of setup.sh whose second half only says which Python it got."""
    (root / "scripts").mkdir(exist_ok=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", root / "scripts")
    (root / "scripts" / "setup.py").write_text("import os; print(os.environ['CHOSEN'])", encoding="utf-8")
    done = subprocess.run(
        ["/bin/sh", str(root / "scripts" / "setup.sh")], env=environment, capture_output=True, text=True, check=False
    )
    return (done.stdout or done.stderr).splitlines()


def python_named(path: Path, body: str = "") -> Path:
    """Make a program that is this Python, or that runs the body instead, and says where it was found."""
    path.parent.mkdir(parents=True, exist_ok=True)
    start = f'CHOSEN="$0" exec "{sys.executable}" "$@"'
    path.write_text(f"#!/bin/sh\n{body or start}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_first_python_in_path_that_fits_is_taken(tmp_path: Path) -> None:
    python_named(tmp_path / "bin" / "python3", "echo 'is Python 3.9.1'")
    python_named(tmp_path / "bin" / "python3.13", "exit 127")
    good = python_named(tmp_path / "bin" / "python3.12")
    assert choose(tmp_path, {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}) == [str(good)]


def test_an_environment_that_is_there_is_kept(tmp_path: Path) -> None:
    python_named(tmp_path / "bin" / "python3")
    python_named(tmp_path / ".venv" / "bin" / "python")
    assert choose(tmp_path, {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"}) == [".venv/bin/python"]


def test_a_python_that_is_named_wins_over_all(tmp_path: Path) -> None:
    python_named(tmp_path / "bin" / "python3")
    python_named(tmp_path / ".venv" / "bin" / "python")
    named = python_named(tmp_path / "my python" / "python")
    assert choose(tmp_path, {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "PYTHON": str(named)}) == [str(named)]


def test_every_python_that_was_tried_is_named(tmp_path: Path) -> None:
    python_named(tmp_path / "bin" / "python3", "echo 'is Python 3.9.1'")
    for version in ("3.13", "3.12", "3.11"):
        python_named(tmp_path / "bin" / f"python{version}", "exit 127")
    assert choose(tmp_path, {"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})[1:5] == [
        "  python3 is Python 3.9.1",
        "  python3.13 does not run",
        "  python3.12 does not run",
        "  python3.11 does not run",
    ]


def test_setup_accepts_the_pythons_that_pyproject_names() -> None:
    assert tomllib.loads(PYPROJECT)["project"]["requires-python"] == ">=3.11,<3.14"
    assert "(3, 11) <= sys.version_info[:2] < (3, 14)" in (ROOT / "scripts" / "setup.sh").read_text(encoding="utf-8")


def test_make_lists_every_target_that_people_run() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: help (.+)$", makefile, re.MULTILINE)
    assert targets
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [target for target in targets[1].split() if f"make {target}" not in shown] == []
