"""Which folder is the project: found upward, but never one that somebody else may have put there."""

import os
from pathlib import Path

import pytest

from vextir_os.cli.root import find_root
from vextir_os.errors import SettingsError


@pytest.mark.parametrize("mark", ["drivers", "policies"])
def test_the_nearest_folder_with_drivers_or_policies_is_the_project(tmp_path: Path, mark: str) -> None:
    (tmp_path / "drivers").mkdir()
    near = tmp_path / "a"
    (near / mark).mkdir(parents=True)
    (near / "b/c").mkdir(parents=True)
    assert find_root(near / "b/c", None) == near
    assert find_root(near, None) == near
    assert find_root(tmp_path, None) == tmp_path


def test_a_file_of_settings_marks_a_project_too(tmp_path: Path) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/vextir.toml").touch()
    assert find_root(tmp_path / "a/b", None) == tmp_path / "a"


def test_a_file_of_that_name_is_no_mark(tmp_path: Path) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "a/drivers").write_text("")
    assert find_root(tmp_path / "a", None) == tmp_path


def test_a_folder_that_is_named_is_the_project_whatever_is_in_it(tmp_path: Path) -> None:
    assert find_root(Path("/"), tmp_path) == tmp_path
    with pytest.raises(SettingsError, match="there is no folder"):
        find_root(tmp_path, tmp_path / "missing")


@pytest.mark.parametrize("foreign", ["drivers", "vextir.toml"])
def test_a_project_above_that_belongs_to_somebody_else_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: str
) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "vextir.toml").touch()
    (tmp_path / "a").mkdir()
    if os.geteuid() == 0:
        os.chown(tmp_path / foreign, 12_345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(SettingsError, match=f"the nearest project, {tmp_path}, belongs to somebody else.*--project"):
        find_root(tmp_path / "a", None)
    assert find_root(tmp_path / "a", tmp_path) == tmp_path
