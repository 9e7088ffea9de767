"""What CI and the local hooks run is pinned, read-only and the same as on anybody's machine."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_with_its_version_beside(path: Path) -> None:
    uses = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    assert uses
    assert [line for line in uses if not re.fullmatch(r"- uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_cannot_hang(path: Path) -> None:
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    assert [
        name for name, job in workflow["jobs"].items() if "permissions" in job or "timeout-minutes" not in job
    ] == []


def test_ci_runs_the_ci_script_on_every_python_that_we_support() -> None:
    job = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["check-and-test"]
    matrix = job["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    assert {*matrix["os"], *(one["os"] for one in matrix["include"])} == {"ubuntu-24.04", "macos-15"}
    assert ".ci/run" in [step.get("run") for step in job["steps"]]


def test_ci_builds_tries_and_keeps_what_would_be_released() -> None:
    steps = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["release"]["steps"]
    commands = [step["run"] for step in steps if step.get("run", "").startswith("make ")]
    assert commands == ["make audit", "make smoke ARGS='--keep dist'", "make sbom"]
    (kept,) = [step["with"] for step in steps if "upload-artifact" in step.get("uses", "")]
    assert kept == {"name": "release", "path": "dist/", "if-no-files-found": "error"}


def test_the_ci_script_can_be_executed() -> None:
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111 == 0o111


def test_local_hooks_download_nothing() -> None:
    repos = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    hooks = repos[0]["hooks"]
    assert [
        hook["id"] for hook in hooks if hook["language"] != "system" or not hook["entry"].startswith(".venv/bin/")
    ] == []
