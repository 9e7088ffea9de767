"""The key files of an installation: made once, for their owner alone, and never taken from others."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vextir_os.errors import SettingsError
from vextir_os.keys import api_key, signing_key

KEY = "5a" * 32


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made = api_key(tmp_path / "data")
    assert len(made) == 64
    assert api_key(tmp_path / "data") == made
    assert signing_key(tmp_path / "data") != bytes.fromhex(made)
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").iterdir()} == {0o600}


def test_of_many_that_start_at_once_all_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: api_key(tmp_path), range(64)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["api.key"]


def test_the_data_folder_of_a_project_stays_out_of_git_and_no_other_folder_is_touched(tmp_path: Path) -> None:
    api_key(tmp_path / ".vextir")
    api_key(tmp_path / "data")
    assert (tmp_path / ".vextir" / ".gitignore").read_text() == "*\n"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["api.key"]


def test_what_a_person_wrote_about_the_data_folder_stays(tmp_path: Path) -> None:
    (tmp_path / ".vextir").mkdir()
    (tmp_path / ".vextir" / ".gitignore").write_text("*.key\n")
    signing_key(tmp_path / ".vextir")
    assert (tmp_path / ".vextir" / ".gitignore").read_text() == "*.key\n"


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o777], ids=oct)
def test_a_key_that_others_may_have_read_or_written_is_refused_and_not_shown(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "api.key"
    path.write_text(KEY)
    path.chmod(mode)
    with pytest.raises(SettingsError) as caught:
        api_key(tmp_path)
    assert caught.value.what == f"the key may be read or changed by others, its mode is {mode:04o}"
    assert caught.value.where == str(path)
    assert "chmod 600" in caught.value.hint
    assert KEY not in str(caught.value)
    path.chmod(0o600)
    assert api_key(tmp_path) == KEY


def test_a_pipe_in_the_place_of_a_key_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "signing.key", 0o600)
    with pytest.raises(SettingsError, match=r"the key is no file"):
        signing_key(tmp_path)


@pytest.mark.parametrize("text", ["", "5A" * 32, "5a" * 31, "5a" * 33, "x" * 5_000], ids=len)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "api.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(SettingsError) as caught:
        api_key(tmp_path)
    assert caught.value.what == "the key file does not hold 64 hex digits"
    assert "5a5a" not in str(caught.value).lower()


def test_a_link_that_leads_nowhere_makes_no_key_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "api.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="the key cannot be read"):
        api_key(tmp_path)
    assert not (tmp_path / "elsewhere").exists()
