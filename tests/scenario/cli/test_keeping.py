"""`vextir backup` and `vextir restore` on a real project."""

import contextlib
import json
import sqlite3
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


def test_a_backup_of_another_tenant_is_noted(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "h-1"})
    assert project.run("backup", "it").code == 0
    done = project.run("restore", "it", "--replace", VEXTIR_TENANT="acme")
    assert done.code == 0
    assert "the backup is of tenant local, this project of acme" in done.err
    assert "the data before is in " in done.err


def test_a_file_that_is_no_backup_is_refused_with_a_reason(project: Project) -> None:
    (project.root / "it").write_text("hello")
    done = project.run("restore", "it")
    assert done.code == 1
    assert "error VX516:" in done.err
    assert "it is no ZIP file" in done.err
    assert project.run("restore", "none").code == 3


def test_a_project_is_brought_up_to_date_by_hand_and_tried_before(project: Project) -> None:
    assert project.run("migrate").code == 3
    project.once({"type": "hello.quiet", "id": "h-1", "data": 1})
    data = project.root / ".vextir" / "vextir.db"
    with contextlib.closing(sqlite3.connect(data, isolation_level=None)) as connection:
        connection.execute("DROP INDEX blobs_written")
        connection.execute("ALTER TABLE blobs DROP COLUMN at")
        connection.execute("PRAGMA user_version=1")
    tried = project.run("migrate", "--dry-run", "-o", "json")
    assert (tried.code, tried.err) == (0, "schema version 1: tried on a copy; nothing was changed\n")
    [step] = tried.json["migrations"]
    assert (step["version"], step["does"], step["done"]) == (2, "blobs know when they were written", False)
    done = project.run("migrate")
    assert (done.code, done.err) == (0, "schema version 1: done\n")
    assert project.run("migrate").err == "schema version 2: nothing to do\n"
    assert project.run("events").code == 0


def test_a_dry_run_that_finds_something_wrong_ends_so(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "h-1", "data": 1})
    with contextlib.closing(sqlite3.connect(project.root / ".vextir" / "vextir.db")) as connection:
        connection.execute('UPDATE documents SET body = replace(body, \'"kind":"event"\', \'"kind":"later"\')')
        connection.commit()
    done = project.run("migrate", "--dry-run")
    assert done.code == 1
    assert "wrong: events has a document of the kind 'later' (1 of them)" in done.err
