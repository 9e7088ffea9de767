"""The templates: every mark has its value, and what they name is what there is."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from vextir_os.scaffold.project import project_files
from vextir_os.scaffold.templates import render
from vextir_os.scaffold.wheel import Wheel

WHEEL = Wheel(name="vextir_os-9.9.9-py3-none-any.whl", content=b"a wheel")
CI = ROOT / ".github" / "workflows" / "ci.yml"


def texts() -> dict[str, str]:
    return {path: content.decode() for path, content in project_files("shop", WHEEL).items()}


def test_no_mark_is_left_in_a_project() -> None:
    files = texts()
    assert [path for path, text in files.items() if "<<" in text or "<<" in path] == []
    assert files["README.md"].startswith("# shop\n\nA project of Vextir OS 9.9.9")


def test_a_mark_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="name"):
        render("project", {"version": "1"})


def test_the_requirements_name_the_wheel_by_its_hash_and_everything_else_by_version_and_hash() -> None:
    lines = [line for line in texts()["requirements.txt"].replace("\\\n", "").splitlines() if line[:1] != "#"]
    assert lines[0] == f"./vendor/{WHEEL.name} --hash=sha256:{WHEEL.sha256}"
    pinned = r"[a-z0-9-]+==\S+( ; .*)? .*--hash=sha256:[0-9a-f]{64}"
    assert len(lines) > 20
    assert [line for line in lines[1:] if not re.match(pinned, line)] == []


def test_the_requirements_for_development_repeat_none_of_the_others() -> None:
    files = texts()
    run, test = ({*re.findall(r"^([a-z0-9-]+)==", files[name], re.M)} for name in REQUIREMENTS)
    assert "pytest" in test
    assert run & test == set()


def test_ci_of_a_project_pins_the_actions_that_our_own_does() -> None:
    theirs = re.findall(r"uses: (.*)", texts()[".github/workflows/ci.yml"])
    assert theirs
    assert set(theirs) <= set(re.findall(r"uses: (.*)", CI.read_text(encoding="utf-8")))


def test_every_path_of_the_readme_is_there() -> None:
    files = texts()
    named = re.findall(r"^\| `([\w./]+)/` ", files["README.md"], re.M)
    assert named
    assert [name for name in named if not any(path.startswith(f"{name}/") for path in files)] == []


def test_every_template_is_a_file_of_the_package_with_the_suffix() -> None:
    folder = ROOT / "vextir_os" / "scaffold" / "templates"
    assert [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tmpl"] == []
    assert Path("drivers/greeter/driver.py").as_posix() in texts()


REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
