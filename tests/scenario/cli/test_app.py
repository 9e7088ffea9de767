"""The command line as a whole: its commands, its help, which project it works on, how it starts and fails."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vextir_os
from tests.scenario.cli.vextir import Project, command, environment

NAMES = {
    "new", "dev", "build", "check", "send", "events", "trace", "runs", "dead", "drivers", "pause", "resume", "policy",
    "approvals", "approve", "reject", "budget", "plan", "schedule", "context", "ui", "models", "keys", "audit",
    "attack", "servicebus", "mcp", "logs", "config", "doctor", "backup", "restore", "export", "import", "migrate",
    "cost", "deploy", "explain", "schema",
}  # fmt: skip
"""Every name that a command may ever have; help lists those that there are."""

THERE = (
    "new",
    "dev",
    "check",
    "send",
    "events",
    "trace",
    "runs",
    "dead",
    "drivers",
    "policy",
    "pause",
    "resume",
    "build",
    "config",
    "schema",
    "explain",
    "backup",
    "restore",
    "doctor",
    "export",
    "import",
    "migrate",
)


def test_help_lists_the_commands_that_there_are_and_no_other(project: Project) -> None:
    done = project.run("--help")
    listed = re.findall(r"^│ ([a-z]+) ", done.out, re.MULTILINE)
    assert listed == list(THERE)
    assert set(listed) <= NAMES
    assert project.run().out == done.out


@pytest.mark.parametrize("name", ["resume driver" if name == "resume" else name for name in THERE])
def test_each_command_has_help_for_itself_and_all_its_options(project: Project, name: str) -> None:
    done = project.run(*name.split(), "--help", COLUMNS="200")
    assert done.code == 0
    assert done.out.startswith(f"Usage: vextir {name}")
    options = re.findall(r"^│ (?:\*  )?(-\S.*?)(?:  +(.*?))? *│$", done.out, re.MULTILINE)
    assert options
    assert all(text for _, text in options), options


def test_help_names_the_exit_codes(project: Project) -> None:
    text = " ".join(project.run("--help").out.split())
    assert "0 done, 1 failed, 2 usage, 3 not found, 4 denied, 5 waits, 6 timeout, 130 interrupted" in text


def test_version_is_that_of_the_package(project: Project) -> None:
    assert project.run("--version").out == f"{vextir_os.__version__}\n"


def test_a_command_that_is_not_there_is_a_usage_error_with_the_nearest(project: Project) -> None:
    done = project.run("evens")
    assert (done.code, done.out) == (2, "")
    assert 'error VX903: unknown command "evens". Did you mean "events"?' in done.err


def test_the_project_is_the_nearest_folder_upward(project: Project) -> None:
    inside = project.root / "drivers/hello"
    done = subprocess.run(command("build"), cwd=inside, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (project.root / "drivers/index.json").is_file()


def test_outside_of_a_project_it_says_what_to_do(tmp_path: Path) -> None:
    done = Project(root=tmp_path).run("events")
    assert done.code == 1
    assert "error VX900: no project" in done.err
    assert "--project DIR" in done.err
    assert list(tmp_path.iterdir()) == []


def test_a_project_can_be_named(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = Project(root=tmp_path_factory.mktemp("elsewhere"))
    assert elsewhere.run("build", "--project", str(project.root)).code == 0
    missing = elsewhere.run("build", "--project", "nowhere")
    assert "error VX900: there is no folder" in missing.err


def test_wrong_settings_are_all_named_together(project: Project) -> None:
    done = project.run("events", VEXTIR_PORT="high", VEXTIR_TENNANT="acme")
    assert done.code == 1
    assert "error VX901: 2 problems found" in done.err
    assert "VEXTIR_PORT: 'high' is wrong" in done.err
    assert "Did you mean `VEXTIR_TENANT`?" in done.err


def test_a_database_of_another_program_is_a_clear_error(project: Project) -> None:
    (project.root / ".vextir").mkdir()
    (project.root / ".vextir/vextir.db").write_text("this is no database of ours")
    done = project.run("events")
    assert done.code == 1
    assert "error VX508:" in done.err
    assert "Traceback" not in done.err


def test_a_tenant_reads_its_own_events_only(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "mine"})
    assert project.run("trace", "mine").code == 0
    assert project.run("trace", "mine", VEXTIR_TENANT="other").code == 3
    assert project.run("events", VEXTIR_TENANT="other").out == ""


def test_asking_for_the_version_imports_no_part_of_the_os() -> None:
    code = (
        "import sys, json\nfrom vextir_os.cli.app import run\nrun(['--version'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    heavy = ("vextir_os.bootstrap", "vextir_os.processor", "vextir_os.api", "fastapi", "pydantic", "sqlite3", "uvloop")
    assert [name for name in json.loads(done.stderr) if name.startswith(heavy)] == []


def test_reading_imports_no_web_framework_and_no_driver(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "h"})
    code = (
        "import sys, json\nfrom vextir_os.cli.app import run\nrun(['trace', 'h'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project.root, env=environment(), capture_output=True, text=True, check=True
    )
    heavy = ("fastapi", "starlette", "uvicorn", "pydantic", "vextir_loaded")
    assert [name for name in json.loads(done.stderr) if name.startswith(heavy)] == []
