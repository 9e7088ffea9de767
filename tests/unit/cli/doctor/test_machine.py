"""The doctor on what the OS stands on: versions, clock, limits, optional parts. Each finding is provoked."""

import importlib.metadata
import re
import resource
import sqlite3
import sys
import time
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.patient import a_patient, said
from vextir_os import __version__
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.cli.doctor import machine
from vextir_os.cli.doctor.finding import Reading

Version = namedtuple("Version", "major minor micro releaselevel serial")


def test_what_runs_here_is_said(tmp_path: Path) -> None:
    (first,) = said(machine.versions(a_patient(tmp_path)))
    assert f"Vextir OS {__version__}, SQLite {sqlite3.sqlite_version}" in first


def test_a_python_that_is_not_supported_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", Version(3, 14, 0, "final", 0))
    (problem,) = said(machine.versions(a_patient(tmp_path)), "problem")
    assert "is not supported" in problem


def test_an_old_sqlite_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.34.1")
    assert said(machine.versions(a_patient(tmp_path)), "problem") == ["this Python has SQLite 3.34.1, 3.35.0 is needed"]


def test_a_library_that_is_missing_or_too_old_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stated = ["rich>=99", "no-such-library>=1.0", "orjson>=1.0", "other>=1; extra == 'azure'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda _name: stated)
    (problem,) = said(machine.versions(a_patient(tmp_path)), "problem")
    rich = importlib.metadata.version("rich")
    assert problem == f"libraries are missing or too old: rich {rich} (99 is needed), no-such-library (1.0 is needed)"


@pytest.mark.parametrize(
    ("there", "least", "enough"),
    [
        ("15.0.0", "15", True),
        ("15", "15.0.0", True),
        ("15.1rc1", "15.1", True),
        ("14.9", "15", False),
        ("2.10", "2.9", True),
        ("1.26.0.post1", "1.26.1", False),
    ],
)
def test_versions_are_compared_as_numbers(
    monkeypatch: pytest.MonkeyPatch, there: str, least: str, enough: bool
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", lambda _name: there)
    assert ([*machine.missing({"x": least})] == []) is enough


def test_what_the_project_pins_is_compared_with_what_is_installed(tmp_path: Path) -> None:
    rich = importlib.metadata.version("rich")
    patient = a_patient(tmp_path)
    (tmp_path / "requirements.txt").write_text(f"rich=={rich} \\\n    --hash=sha256:0\nnot-here==1\n")
    assert said(machine.versions(patient))[1:] == ["ok: what is installed is what requirements.txt names"]
    (tmp_path / "requirements.txt").write_text("./vendor/vextir_os-9.0.0-py3-none-any.whl --hash=sha256:0\nrich==1.0\n")
    (warning,) = said(machine.versions(patient), "warning")
    assert warning == (
        f"installed are other versions than requirements.txt names: rich {rich} (1.0), vextir-os {__version__} (9.0.0)"
    )
    (tmp_path / "uv.lock").write_text('[[package]]\nname = "rich"\nversion = "1.0"\n')
    assert said(machine.versions(patient), "warning") == [
        f"installed are other versions than uv.lock names: rich {rich} (1.0)"
    ]


def test_a_lock_file_that_is_broken_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("<<<<<<< HEAD\n")
    assert len(said(machine.versions(a_patient(tmp_path)))) == 1


def test_a_clock_of_long_ago_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = a_patient(tmp_path)
    monkeypatch.setattr(machine, "read_clocks", lambda: Reading(0.0, 1.0))
    assert said(machine.clock(patient)) == ["problem: the clock says 1970-01-01T00:00:00.000Z"]


def test_a_clock_that_jumps_is_a_warning(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    jumped = replace(patient, began=Reading(patient.began.wall - 3_600, patient.began.monotonic))
    (warning,) = said(machine.clock(jumped), "warning")
    assert warning == "the clock was set by +3600.0 s while the doctor looked"


async def test_a_clock_behind_the_newest_record_is_a_problem(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    async with open_storage(patient.database) as storage:
        await storage.store.create("events", {"id": "a", "pk": "p", "created": time.time() + 7_200})
    (problem,) = said(machine.clock(patient), "problem")
    assert problem == "the newest record was made 2.0 h later than it is now"


async def test_a_clock_that_is_right_is_well(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    (line,) = said(machine.clock(patient))
    assert re.fullmatch(r"ok: it is 20\d\d-[^ ,]+", line)
    async with open_storage(patient.database) as storage:
        await storage.store.create("events", {"id": "a", "pk": "p", "created": time.time()})
    assert said(machine.clock(patient))[0].endswith("Z, after all records")


def test_a_collector_without_its_libraries_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = a_patient(tmp_path, VEXTIR_OTLP_ENDPOINT="http://localhost:4318")
    assert said(machine.extras(patient), "problem") == []
    monkeypatch.setattr(machine, "missing", lambda needed: iter(needed))
    assert said(machine.extras(patient), "problem") == [
        "a collector of traces is set, and the libraries for it are not installed"
    ]


def test_optional_parts_are_listed(tmp_path: Path) -> None:
    (line,) = said(machine.extras(a_patient(tmp_path)))
    assert line.startswith("ok: installed: otel")


def test_few_open_files_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (256, 4_096))
    (found,) = machine.limits(a_patient(tmp_path))
    assert (found.level, found.what) == ("warning", "a process may have 256 files and connections open")
    assert found.advice == "Run, before the OS is started: ulimit -n 1024"
