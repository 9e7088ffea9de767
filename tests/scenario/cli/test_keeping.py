"""`vextir backup` and `vextir restore` on a real project."""

import json
from pathlib import Path

from tests.scenario.cli.vextir import Project


def test_a_project_is_backed_up_while_it_runs_and_restored_elsewhere(project: Project, tmp_path: Path) -> None:
    with project.running("dev", "--port", "0") as dev:
        dev.line("next")
        assert project.run("send", "hello.world", "--id", "e-1", "--data", '"hi"', "--wait").code == 0
        done = project.run("backup", "nightly.backup")
        assert (done.code, done.out) == (0, f"{project.root / 'nightly.backup'}\n")
        assert "2 events, 0 messages, 0 blobs: in " in done.err
        assert "no keys" in done.err
        refused = project.run("restore", "nightly.backup", "--replace")
        assert (refused.code, "an OS runs on" in refused.err) == (1, True)
    again = project.run("backup", "nightly.backup")
    assert (again.code, "exists already" in again.err) == (2, True)
    checked = project.run("restore", "nightly.backup", "--check")
    assert (checked.code, "2 events, 0 messages, 0 blobs: verified" in checked.err) == (0, True)
    there = tmp_path / "elsewhere"
    restored = project.run("restore", "nightly.backup", "--into", str(there))
    assert restored.code == 0, restored.err
    shown = project.run("events", "-o", "jsonl", VEXTIR_DATA_DIR=str(there))
    assert [json.loads(line)["type"] for line in shown.lines] == ["note.made", "hello.world"]
    sent = project.run("dev", "--once", "again.json", VEXTIR_DATA_DIR=str(there))
    assert sent.code == 2


def test_a_file_that_is_no_backup_is_refused_with_a_reason(project: Project) -> None:
    (project.root / "it").write_text("hello")
    done = project.run("restore", "it")
    assert done.code == 1
    assert "error VX516:" in done.err
    assert "it is no ZIP file" in done.err
    assert project.run("restore", "none").code == 3
