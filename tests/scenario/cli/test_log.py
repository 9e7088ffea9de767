"""`vextir dev` with a log: to a file beside what a person sees, or to stderr instead of it."""

import json
import signal
from pathlib import Path

from tests.scenario.cli.vextir import make_project


def test_a_log_in_a_file_stands_beside_what_a_person_sees(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (tmp_path / "events.json").write_text('[{"type": "hello.ann"}, {"type": "broken.x", "data": "DATA"}]')
    ended = project.run("dev", "--once", "events.json", VEXTIR_LOG="vextir.log")
    assert ended.code == 1
    lines = [json.loads(line) for line in (tmp_path / "vextir.log").read_text().splitlines()]
    assert sorted((line["event"], line["driver"]) for line in lines) == [
        ("run dead", "broken"),
        ("run done", "hello"),
        ("run done", "keeper"),
    ]
    assert "DATA" not in (tmp_path / "vextir.log").read_text()


def test_a_log_to_stderr_has_it_for_itself_and_every_line_is_json(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    with project.running("dev", "--port", "0", VEXTIR_LOG="stderr") as running:
        ready = json.loads(running.line('"event":"ready"'))
        assert ready["fields"]["url"].startswith("http://127.0.0.1:")
        assert project.run("send", "hello.quiet").code == 0
        assert json.loads(running.line('"event":"run done"'))["driver"] == "hello"
        assert running.stop(signal.SIGTERM) == 0
        assert [line for line in [*running.seen, *running.rest().splitlines()] if not line.startswith("{")] == []


def test_a_log_that_cannot_be_written_ends_the_start(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (tmp_path / "events.json").write_text('[{"type": "hello.ann"}]')
    ended = project.run("dev", "--once", "events.json", VEXTIR_LOG=str(tmp_path / "drivers"))
    assert ended.code != 0
    assert f"the log {tmp_path / 'drivers'} cannot be written: Is a directory" in ended.err
    assert "VEXTIR_LOG" in ended.err


def test_a_wrong_level_is_named_with_those_there_are(tmp_path: Path) -> None:
    ended = make_project(tmp_path).run("events", VEXTIR_LOG_LEVEL="loud")
    assert "VEXTIR_LOG_LEVEL: 'loud' is wrong: it takes debug or info or warning or error" in ended.err
