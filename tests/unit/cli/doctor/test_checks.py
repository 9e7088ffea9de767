"""The doctor's checks stand alone: one that fails or hangs is a finding, and keeps no other from looking."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.patient import a_patient, said
from vextir_os.cli.doctor.checks import CHECKS, examine
from vextir_os.cli.doctor.finding import Finding, Patient
from vextir_os.errors import StaleIndexError


def raising(error: Exception) -> Iterator[Finding]:
    yield Finding(check="it", level="ok", what="the first part is well")
    raise error


def well(_patient: Patient) -> Iterator[Finding]:
    yield Finding(check="other", level="ok", what="well")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (PermissionError(13, "Permission denied", "/x"), "problem: this user may not look: Permission denied: /x"),
        (OSError(5, "Input/output error", "/x"), "problem: the system refuses: [Errno 5] Input/output error: '/x'"),
        (StaleIndexError("it is old", hint="Build it"), "problem: it is old. Build it"),
        (ImportError("no module x"), "problem: a part of the OS cannot be imported: no module x"),
        (KeyError("x"), "problem: the check failed: KeyError: 'x'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_check_that_fails_is_a_finding_beside_what_it_found(tmp_path: Path, error: Exception, line: str) -> None:
    found = [*examine(a_patient(tmp_path), [("it", lambda _patient: raising(error)), ("other", well)])]
    assert said(found) == ["ok: the first part is well", line, "ok: well"]


def test_a_check_that_hangs_is_left_alone(tmp_path: Path) -> None:
    end = threading.Event()

    def hanging(_patient: Patient) -> Iterator[Finding]:
        end.wait()
        return iter(())

    found = [*examine(a_patient(tmp_path), [("it", hanging), ("other", well)], 0.05)]
    end.set()
    assert said(found) == ["problem: no answer within 0.05 s", "ok: well"]


def test_no_finding_holds_a_secret_or_the_name_of_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")

    def telling(_patient: Patient) -> Iterator[Finding]:
        yield Finding(check="it", level="ok", what="/home/ann/x: http://ann:s3cret@host", means="password=s3cret")

    (found,) = examine(a_patient(tmp_path), [("it", telling)])
    assert (found.what, found.means) == ("~/x: http://ann:[redacted]@host", "password=[redacted]")


def test_every_check_has_a_name_of_its_own_and_finds_something_in_a_fresh_project(tmp_path: Path) -> None:
    assert len({name for name, _ in CHECKS}) == len(CHECKS)
    quiet = {"stuck"}  # without data nothing can be stuck
    patient = a_patient(tmp_path, mounts="21 1 254:1 / / rw - ext4 /dev/x rw\n", VEXTIR_PORT="0")
    found = [*examine(patient)]
    assert {one.check for one in found} == {name for name, _ in CHECKS} - quiet
    assert said(found, "problem") == []


def test_whatever_is_not_well_says_what_it_means_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "vextir.toml").write_text("port = 70000\n")
    patient = a_patient(tmp_path, mounts="21 1 254:1 / / rw - nfs x rw\n", VEXTIR_MIN_FREE_DISK="9000TB")
    (tmp_path / "policies/all.yaml").write_text("policies: [")
    (tmp_path / "drivers/index.json").write_text("<<<<<<< HEAD")
    patient.data_dir.mkdir()
    patient.database.write_text("no database")
    found = [one for one in examine(patient) if one.level != "ok"]
    assert {"settings", "policies", "disk", "file system", "database", "index"} <= {one.check for one in found}
    assert [one.what for one in found if not one.means or not one.advice] == []
