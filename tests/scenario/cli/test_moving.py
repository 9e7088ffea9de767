"""`vextir export` and `vextir import` on real projects."""

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SOAK
from tests.scenario.cli.vextir import Project, command, environment, make_project
from vextir_os.cli import importing
from vextir_os.cli.importing import read_lines


@pytest.fixture
def other(tmp_path: Path) -> Project:
    (tmp_path / "other").mkdir()
    return make_project(tmp_path / "other")


def exported(project: Project, *arguments: str) -> list[dict[str, Any]]:
    done = project.run("export", *arguments)
    assert done.code == 0, done.err
    return [json.loads(line) for line in done.lines]


def test_history_goes_from_one_project_to_another(project: Project, other: Project) -> None:
    events = [{"type": "hello.world", "id": "h-1", "data": "hi"}, {"type": "broken.it", "id": "b-1"}]
    project.once(*events)
    done = project.run("export")
    (other.root / "events.jsonl").write_text(done.out)
    assert done.err == "4 events written\n"
    first = other.run("import", "events.jsonl")
    assert (first.code, first.err) == (0, "4 imported\n")
    again = other.run("import", "-", stdin=done.out.encode())
    assert (again.code, again.err) == (0, "4 there already\n")
    assert [line["event"]["id"] for line in exported(other)] == [line["event"]["id"] for line in exported(project)]
    shown = other.run("events", "show", "h-1")
    assert "import" in shown.out
    assert "4 events" not in other.run("dev", "--once", "events.jsonl").err


def test_the_terms_of_an_export_are_those_of_events(project: Project) -> None:
    project.once({"type": "hello.quiet", "id": "h-1", "data": "hi"}, {"type": "broken.it", "id": "b-1"})
    for terms in (["type:hello.*"], ["-status:failed", "-type:vextir.**"], ["since:1h", "id:h-1"]):
        assert [line["event"]["id"] for line in exported(project, *terms)] == ["h-1"]
    assert project.run("export", "typo:x").code == 2


def peak_kb(project: Project, *arguments: str, out: Path) -> int:
    """Run a command, its output to a file, and return the most memory that it had."""
    with out.open("wb") as to:
        process = subprocess.Popen(
            command(*arguments), cwd=project.root, env=environment(), stdout=to, stderr=subprocess.DEVNULL
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)


def test_ten_times_the_lines_take_no_more_memory(project: Project, tmp_path: Path) -> None:
    count = 20_000 if SOAK else 200
    project.once({"type": "hello.quiet", "id": "h-1", "data": "x" * 2_000})
    [line] = exported(project)
    peaks = []
    for number in (count, 10 * count):
        (tmp_path / str(number)).mkdir()
        other, lines = make_project(tmp_path / str(number)), tmp_path / f"{number}.jsonl"
        with lines.open("w") as to:
            for n in range(number):
                line["event"]["id"] = line["event"]["correlationid"] = f"n-{n}"
                to.write(json.dumps(line) + "\n")
        imported = peak_kb(other, "import", str(lines), out=tmp_path / "none")
        peaks.append((imported, peak_kb(other, "export", out=tmp_path / "out")))
        assert (tmp_path / "out").read_bytes().count(b"\n") == number
    [(few_in, few_out), (many_in, many_out)] = peaks
    # SQLite's own cache grows to 32 MB for each of two connections. In a soak the lines have 800 MB.
    assert many_in - few_in < 70_000, peaks
    assert many_out - few_out < 70_000, peaks


def test_wrong_lines_are_named_and_the_others_go_in(project: Project, other: Project) -> None:
    project.once({"type": "hello.quiet", "id": "h-1", "data": "hi"})
    [line] = project.run("export").lines
    secret = json.loads(line)
    secret["event"] |= {"id": "h-2"}
    text = "\n".join(["{", "", '{"schema": "vextir.record.v1"}', line, json.dumps(secret), "[]", "\x00"]) + "\n"
    done = other.run("import", "-", stdin=text.encode())
    assert done.code == 1
    assert [row for row in done.err.splitlines() if "place:" in row] == [
        "  place: stdin:1", "  place: stdin:3", "  place: stdin:6", "  place: stdin:7",
    ]  # fmt: skip
    assert done.err.endswith("2 imported, 4 wrong\n")


def test_a_flood_of_wrong_lines_is_said_shortly(other: Project) -> None:
    done = other.run("import", "-", stdin=b"{\n" * 500)
    assert done.code == 1
    assert done.err.count("place:") == importing.SHOWN
    assert done.err.endswith("and 480 more lines\n500 wrong\n")


def test_events_of_an_export_can_be_published(project: Project, other: Project) -> None:
    project.once({"type": "hello.world", "id": "h-1", "data": "hi"}, {"type": "secret.it", "id": "s-1"})
    lines = "\n".join([*project.run("export").lines, '{"type": "hello.plain", "id": "p-1"}', '{"type": "secret.x"}'])
    done = other.run("import", "-", "--publish", stdin=lines.encode())
    # What a driver has emitted its driver emits again; what policy denies is denied here too.
    assert "2 published, 2 wrong" in done.err
    assert "source '/drivers/hello' is that of a driver" in done.err
    assert done.code == 4
    with contextlib.closing(sqlite3.connect(other.root / ".vextir" / "vextir.db")) as connection:
        waiting = connection.execute("SELECT message_id FROM messages ORDER BY message_id").fetchall()
    assert waiting == [("h-1",), ("p-1",)]


def test_large_data_goes_into_files_when_asked(project: Project, other: Project, tmp_path: Path) -> None:
    large = "x" * 100_000
    project.once({"type": "hello.quiet", "id": "h-1", "data": large})
    files = tmp_path / "files"
    done = project.run("export", "--blobs", str(files))
    assert len(done.out) < 5_000
    assert sorted(len(path.read_bytes()) for path in files.iterdir()) == [100_002, 100_011]
    refused = other.run("import", "-", stdin=done.out.encode())
    assert (refused.code, "--blobs DIR" in refused.err) == (1, True)
    for path in files.iterdir():
        path.write_bytes(path.read_bytes().replace(b"xx", b"xy", 1))
    damaged = other.run("import", "-", "--blobs", str(files), stdin=done.out.encode())
    assert (damaged.code, "is damaged" in damaged.err) == (1, True)
    project.run("export", "--blobs", str(tmp_path / "again"))
    assert other.run("import", "-", "--blobs", str(tmp_path / "again"), stdin=done.out.encode()).code == 0
    assert exported(other)[0]["event"]["data"] == large


@pytest.mark.parametrize("name", ["../../etc/passwd", "x", "0" * 63, "A" * 64])
def test_a_line_names_no_file_but_one_of_its_folder(
    other: Project, project: Project, tmp_path: Path, name: str
) -> None:
    project.once({"type": "hello.quiet", "id": "h-1", "data": "x"})
    line = json.loads(project.run("export").out)
    line["blobs"] = {"event": name}
    done = other.run("import", "-", "--blobs", str(tmp_path), stdin=json.dumps(line).encode())
    assert (done.code, "there is no file" in done.err) == (1, True)


def test_lines_are_read_a_few_at_a_time_however_many_there_are(tmp_path: Path) -> None:
    file = tmp_path / "many"
    file.write_bytes(b"x" * 999 + b"\n")
    with file.open("ab") as to:
        for _ in range(20_000):
            to.write(b"y" * 999 + b"\n")
    tracemalloc.start()
    count = number = 0
    with file.open("rb") as source:
        while lines := read_lines(source, number):
            number = lines[-1][0]
            count += len(lines)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (count, number) == (20_001, 20_001)
    assert peak < 2_000_000


def test_a_line_longer_than_may_be_is_one_line_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LINE_BYTES", 100)
    (tmp_path / "it").write_bytes(b"a" * 1_000 + b"\nnext\n" + b"b" * 101 + b"\n" + b"c" * 100 + b"\nend")
    with (tmp_path / "it").open("rb") as source:
        lines = read_lines(source, 0)
    assert [(number, len(line)) for number, line in lines] == [(1, 101), (2, 5), (3, 101), (4, 101), (5, 3)]
