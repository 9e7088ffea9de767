"""The doctor on files: whose they are, who else may read or change them. Each finding is provoked."""

import os
from pathlib import Path

import pytest

from tests.support.patient import a_patient, said
from vextir_os.cli.doctor import files
from vextir_os.keys import api_key, signing_key


@pytest.mark.parametrize("name", ["drivers", "policies", "vextir.toml", "."])
def test_what_everybody_may_write_to_is_a_problem(tmp_path: Path, name: str) -> None:
    (tmp_path / "vextir.toml").touch()
    patient = a_patient(tmp_path)
    assert said(files.project_files(patient), "problem") == []
    path = tmp_path / name
    path.chmod(path.stat().st_mode | 0o002)
    assert said(files.project_files(patient)) == [f"problem: everybody on this machine may write to {path}"]


def test_a_project_of_somebody_else_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = a_patient(tmp_path)
    if os.geteuid() == 0:
        os.chown(tmp_path / "drivers", 12_345, -1)
    monkeypatch.setattr(files, "who", lambda: 54_321)
    assert any("belongs to user" in line for line in said(files.project_files(patient), "warning"))


def test_data_that_is_not_there_yet_is_well(tmp_path: Path) -> None:
    (line,) = said(files.data_files(a_patient(tmp_path)))
    assert line == f"ok: {tmp_path}/.vextir is not there yet; the first start makes it"


def test_a_file_in_the_place_of_the_data_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".vextir").touch()
    assert said(files.data_files(a_patient(tmp_path))) == [f"problem: {tmp_path}/.vextir is no folder"]


def test_a_database_that_others_can_read_is_a_problem_as_long_as_they_reach_it(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    patient.data_dir.mkdir(mode=0o700)
    patient.database.touch(mode=0o644)
    assert said(files.data_files(patient)) == [f"ok: {patient.data_dir}: for its owner only"]
    patient.data_dir.chmod(0o755)
    assert said(files.data_files(patient)) == [f"problem: others may read {patient.database}, its mode is 0644"]
    patient.database.chmod(0o600)
    patient.data_dir.chmod(0o777)
    assert said(files.data_files(patient)) == [
        f"problem: others may put files into {patient.data_dir}, its mode is 0777"
    ]


def test_data_of_somebody_else_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = a_patient(tmp_path)
    patient.data_dir.mkdir(mode=0o700)
    monkeypatch.setattr(files, "who", lambda: 54_321)
    (found,) = files.data_files(patient)
    assert (found.level, "this is user 54321" in found.what) == ("warning", True)
    assert found.advice == f"Run vextir as that user: sudo -u '#{os.geteuid()}' vextir ..."


def test_data_that_cannot_be_written_to_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = a_patient(tmp_path)
    patient.data_dir.mkdir(mode=0o500)
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert said(files.data_files(patient), "problem") == [f"{patient.data_dir} cannot be written to"]


def test_keys_that_can_be_used_are_well_and_never_shown(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    assert len(said(files.keys(patient), "ok")) == 2
    assert not patient.data_dir.exists()
    secrets = [api_key(patient.data_dir), signing_key(patient.data_dir).hex()]
    found = list(files.keys(patient))
    assert said(found, "ok") == [
        "signing.key can be used, and by its owner only",
        "api.key can be used, and by its owner only",
    ]
    assert not any(secret in str(found) for secret in secrets)


def test_keys_that_others_can_read_or_that_are_broken_are_problems(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    api_key(patient.data_dir)
    signing_key(patient.data_dir)
    (patient.data_dir / "api.key").chmod(0o644)
    (patient.data_dir / "signing.key").write_text("half a k")
    signing, api = said(files.keys(patient), "problem")
    assert signing.endswith("signing.key: the key file does not hold 64 hex digits")
    assert api.endswith("api.key: the key may be read or changed by others, its mode is 0644")
