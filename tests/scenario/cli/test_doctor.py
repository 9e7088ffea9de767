"""`vextir doctor` on projects as people have them when they call it: well, broken, not theirs. It changes nothing."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.cli.vextir import LIMIT_S, Project, environment
from vextir_os.keys import api_key, signing_key

NOBODY = 65_534
ROOT = Path(__file__).parents[3]


def snapshot(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return mode, time of the last change and content of every file; the memory that processes share is left out."""
    return {
        str(path.relative_to(root)): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file() and path.suffix != ".db-shm"
    }


def levels(lines: list[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in lines:
        level, check, *_ = line.split("\t")
        found.setdefault(level, set()).add(check)
    return found


def test_a_project_that_is_well_has_no_problem_and_nothing_of_it_changes(project: Project) -> None:
    assert project.once({"type": "hello.quiet"}, {"type": "hello.big", "data": "x" * 100_000}).code == 0
    before = snapshot(project.root)
    done = project.run("doctor", VEXTIR_PORT="0")
    assert done.code == 0, done.out
    assert "problem" not in levels(done.lines)
    assert done.err.startswith("0 problems, ")
    assert snapshot(project.root) == before


def test_while_the_os_runs_it_sees_who_works_and_who_has_the_port(project: Project) -> None:
    with project.running("dev", "--port", "0") as dev:
        port = dev.line("http://").partition("127.0.0.1:")[2].split()[0]
        done = project.run("doctor", VEXTIR_PORT=port)
    assert "workers\t1 process works on the data" in done.out
    assert f"port\t127.0.0.1:{port} is served by Vextir OS" in done.out
    assert done.code == 0, done.out


def test_where_all_is_broken_all_of_it_is_told_together(project: Project) -> None:
    assert project.once({"type": "hello.quiet"}).code == 0
    data = project.root / ".vextir"
    (project.root / "vextir.toml").write_text("prot = 1\n")
    (project.root / "drivers/index.json").write_text("<<<<<<< HEAD\n")
    (project.root / "policies/all.yaml").write_text("policies: [\n")
    (data / "vextir.db").write_bytes(b"\x00" * 9_000)
    (data / "signing.key").chmod(0o644)
    before = snapshot(project.root)
    done = project.run("doctor", VEXTIR_LOCK_S="never", VEXTIR_PORT="0")
    assert done.code == 1
    found = levels(done.lines)
    assert {"settings", "policies", "database", "keys"} <= found["problem"]
    assert "index" in found["warning"]
    assert "Traceback" not in done.out + done.err
    assert snapshot(project.root) == before


def test_as_json_each_finding_says_what_it_means_and_what_to_do(project: Project) -> None:
    (project.root / "vextir.toml").write_text("prot = 1\n")
    document = project.run("doctor", "-o", "json").json
    assert document["schema"] == "vextir.doctor.v1"
    assert {
        "check": "settings",
        "level": "problem",
        "what": "vextir.toml:1: unknown setting `prot`",
        "means": "the OS does not start",
        "advice": "Did you mean `port`?",
    } in document["findings"]


def test_what_it_says_can_be_pasted_in_public(project: Project) -> None:
    assert project.once({"type": "broken.now", "data": {"token": "s3cret-in-data"}}).code == 1
    secrets = [signing_key(project.root / ".vextir").hex(), api_key(project.root / ".vextir")]
    environ = {
        "VEXTIR_OTLP_ENDPOINT": "http://ann:s3cret@localhost:4318",
        "SERVICEBUS_CONNECTION": "Endpoint=sb://x/;SharedAccessKey=s3cret",
        "VEXTIR_TENANT": "password=s3cret",
    }
    for form in ("table", "json"):
        done = project.run("doctor", "-o", form, stdin=b"", **environ)
        assert "dead letter" in done.out
        assert [secret for secret in ["s3cret", *secrets] if secret in done.out + done.err] == []


def test_where_there_is_no_project_the_machine_is_still_looked_at(tmp_path: Path) -> None:
    done = Project(root=tmp_path).run("doctor")
    assert done.code == 1
    assert done.lines[0].startswith("problem\tproject\tno project: ")
    assert "versions" in levels(done.lines)["ok"]


def test_where_a_library_of_the_os_is_broken_it_says_so_and_looks_at_the_rest(project: Project) -> None:
    code = (
        "import sys\nsys.modules.update(dict.fromkeys(['yaml', 'uuid_utils', 'uvloop']))\n"
        "from vextir_os.cli.app import run\nsys.exit(run(['doctor']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.root,
        env=environment(VEXTIR_PORT="0", PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 1
    assert "a part of the OS cannot be imported: import of " in done.stdout
    assert {"settings", "data", "disk", "port"} <= levels(done.stdout.splitlines())["ok"]
    assert "Traceback" not in done.stdout + done.stderr


def test_on_a_terminal_what_to_do_stands_below_what_is_wrong(project: Project) -> None:
    (project.root / "vextir.toml").write_text("prot = 1\n")
    shown = project.terminal("doctor", environ={"NO_COLOR": "1"}, columns=200).splitlines()
    place = next(number for number, line in enumerate(shown) if "unknown setting `prot`" in line)
    assert shown[place].startswith("problem  settings     vextir.toml:1")
    assert [line.strip() for line in shown[place + 1 : place + 3]] == ["the OS does not start", "Did you mean `port`?"]


@pytest.fixture
def elsewhere(project: Project) -> Iterator[Path]:
    """A copy of the project that other users reach, as they do not reach a test's own folder."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(project.root, root, dirs_exist_ok=True)
        root.chmod(0o755)
        yield root


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_told_what_it_may_not_see_and_who_may(project: Project, elsewhere: Path) -> None:
    assert Project(root=elsewhere).once({"type": "hello.quiet"}).code == 0
    before = snapshot(elsewhere)
    # Once as root, so that all is imported: another user may not be able to read this Python.
    code = (
        "import os, sys\nfrom vextir_os.cli.app import run\nrun(['doctor'])\nprint('---')\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\nsys.exit(run(['doctor']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=elsewhere,
        env=environment(HOME="/nonexistent", VEXTIR_PORT="0", PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    found = levels(done.stdout.partition("---\n")[2].splitlines())
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert f"{elsewhere}/.vextir belongs to user 0, this is user {NOBODY}" in done.stdout
    assert {"database", "keys"} <= found["problem"]
    assert snapshot(elsewhere) == before


def test_what_a_killed_os_left_is_looked_at_and_stays_as_it_is(project: Project) -> None:
    with project.running("dev", "--port", "0") as dev:
        dev.line("http://")
        assert project.run("send", "hello.quiet", "--wait").code == 0
        dev.stop(signal.SIGKILL)
    before = snapshot(project.root)
    assert ".vextir/vextir.db-wal" in before
    done = project.run("doctor", VEXTIR_PORT="0")
    assert done.code == 0, done.out
    assert "workers\t1 worker ended without giving back what they held" in done.out
    assert "database\twhole; " in done.out
    assert snapshot(project.root) == before
