"""Where settings come from: the project's file, the environment, which wins; and everything that can be wrong."""

import os
from pathlib import Path

import pytest

from vextir_os.errors import SettingsProblemsError
from vextir_os.settings import load_settings
from vextir_os.settings.model import MEANINGS
from vextir_os.settings.projectfile import MOST_BYTES, NAME
from vextir_os.settings.sources import Origin, find_settings, known


def write(root: Path, text: str) -> None:
    (root / NAME).write_text(text, encoding="utf-8")


def problems(root: Path, **environ: str) -> list[str]:
    return [str(problem) for problem in find_settings(root, environ).problems]


def test_a_setting_of_the_file_counts_and_one_of_the_environment_wins(tmp_path: Path) -> None:
    write(tmp_path, 'port = 8400\n\n# for the office\ntenant = "acme"\n')
    found = find_settings(tmp_path, {"VEXTIR_TENANT": "globex"})
    settings = found.settings()
    assert (settings.port, settings.tenant, settings.user) == (8400, "globex", "operator")
    assert found.origins["port"] == Origin("file", "vextir.toml:1")
    assert found.origins["tenant"] == Origin("environment", "VEXTIR_TENANT")
    assert found.origins["user"] == Origin("default")


def test_every_kind_of_value_is_written_as_toml_has_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        'lock_s = 30.5\nsweep_s = 5\nmin_free_disk = "2GB"\nmax_database = 1000\nsynchronous = "normal"\n'
        'trusted_sources = ["/cli", "/x/*"]\nbest_of = "mail.*,chat.*"\n',
    )
    settings = load_settings(tmp_path, {})
    assert (settings.lock_s, settings.sweep_s) == (30.5, 5.0)
    assert (settings.min_free_disk, settings.max_database) == (2_000_000_000, 1_000)
    assert (settings.synchronous, settings.trusted_sources) == ("NORMAL", ("/cli", "/x/*"))
    assert settings.best_of == ("mail.*", "chat.*")


def test_paths_of_the_file_start_from_the_project_and_those_of_the_environment_from_here(tmp_path: Path) -> None:
    write(tmp_path, 'data_dir = "data"\nlog = "logs/all.log"\n')
    settings = load_settings(tmp_path, {})
    assert (settings.data_dir, settings.log) == (tmp_path / "data", str(tmp_path / "logs/all.log"))
    assert load_settings(tmp_path, {"VEXTIR_DATA_DIR": "here"}).data_dir == Path.cwd() / "here"
    assert load_settings(tmp_path, {"VEXTIR_LOG": "stderr"}).log == "stderr"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "\nprot = 1\n", "vextir.toml:2: unknown setting `prot`. Did you mean `port`?", id="unknown-with-nearest"
        ),
        pytest.param(
            "VEXTIR_PORT = 1\n",
            "vextir.toml:1: unknown setting `VEXTIR_PORT`. Did you mean `port`?",
            id="as-in-the-environment",
        ),
        pytest.param(
            "x = 1\n[dev]\nport = 1\n", "vextir.toml:2: unknown setting `dev`. Remove it", id="table"
        ),
        pytest.param(
            "port = 70000\n",
            "vextir.toml:1: 70000 is wrong: it takes a whole number from 0 to 65535",
            id="out-of-range",
        ),
        pytest.param("port = true\n", "vextir.toml:1: true is wrong: it takes text or a number", id="switch"),
        pytest.param(
            'host = ["a", "b"]\n', 'vextir.toml:1: ["a", "b"] is wrong: it takes text or a number', id="array-of-one"
        ),
        pytest.param(
            'best_of = ["a.b,c.d"]\n',
            'vextir.toml:1: ["a.b,c.d"] is wrong: it takes text, or an array of texts without commas',
            id="comma-in-an-array",
        ),
        pytest.param(
            "port = 1\nport = 2\n", "vextir.toml:2: is no TOML: cannot overwrite a value", id="twice"
        ),
        pytest.param("port = 1\nuser\n", "vextir.toml:2: is no TOML: expected '=' after a key", id="no-toml"),
        pytest.param('user = "ann', "vextir.toml:1: is no TOML: unterminated string", id="unterminated"),
        pytest.param("port = " + "9" * 5_000, "vextir.toml:1: is no TOML: exceeds the limit", id="many-digits"),
        pytest.param("lock_s = inf", "vextir.toml:1: Infinity is wrong: it takes seconds from 1 to 300", id="infinite"),
        pytest.param("user = 2026-01-01", "vextir.toml:1: \"2026-01-01\" is wrong: it takes", id="date"),
        pytest.param('"\\u001b[31m" = 1', "vextir.toml:1: unknown setting `\\x1b[31m`. Remove it", id="escape"),
        pytest.param("user = " + "[" * 5_000, "vextir.toml:1: is no TOML: ", id="deep"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    write(tmp_path, text)
    assert any(one.startswith(said) for one in problems(tmp_path)), problems(tmp_path)


def test_all_that_is_wrong_is_named_together_the_file_first(tmp_path: Path) -> None:
    write(tmp_path, 'user = "a b"\ncolour = "red"\n')
    with pytest.raises(SettingsProblemsError) as caught:
        load_settings(tmp_path, {"VEXTIR_PORT": "high", "VEXTIR_TENNANT": "x", "PATH": "/bin"})
    assert [str(problem) for problem in caught.value.problems] == [
        "vextir.toml:1: 'a b' is wrong: it takes a name of 1 to 64 characters a-z A-Z 0-9 . _ @ -",
        "vextir.toml:2: unknown setting `colour`. Remove it",
        "VEXTIR_PORT: 'high' is wrong: it takes a whole number from 0 to 65535",
        "VEXTIR_TENNANT: unknown setting. Did you mean `VEXTIR_TENANT`?",
    ]


def test_a_wrong_value_in_the_file_is_named_also_where_the_environment_overrides_it(tmp_path: Path) -> None:
    write(tmp_path, "port = 70000\n")
    found = find_settings(tmp_path, {"VEXTIR_PORT": "8400"})
    assert found.values["port"] == 8400
    assert [problem.where for problem in found.problems] == ["vextir.toml:1"]


def test_a_file_that_cannot_be_read_is_one_problem_and_the_environment_is_still_checked(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    assert problems(tmp_path, VEXTIR_PORT="high") == [
        "vextir.toml: cannot be read: Is a directory",
        "VEXTIR_PORT: 'high' is wrong: it takes a whole number from 0 to 65535",
    ]


def test_a_pipe_in_its_place_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    assert problems(tmp_path) == ["vextir.toml: is no file. Remove it"]


def test_a_file_of_any_size_is_not_read_whole(tmp_path: Path) -> None:
    write(tmp_path, "#" * (MOST_BYTES + 1))
    assert problems(tmp_path) == ["vextir.toml: is over 100,000 bytes. It holds settings and nothing else"]


def test_bytes_that_are_no_text_are_named_with_their_line(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"port = 1\nuser = '\xff'\n")
    assert problems(tmp_path) == ["vextir.toml:2: is not UTF-8. Save it as UTF-8"]


@pytest.mark.parametrize("text", ["http://ann:s3cret@host name", "ftp://ann:s3cret@host"])
def test_an_address_that_is_wrong_is_not_repeated_for_it_may_hold_a_password(tmp_path: Path, text: str) -> None:
    (said,) = problems(tmp_path, VEXTIR_OTLP_ENDPOINT=text)
    assert said == "VEXTIR_OTLP_ENDPOINT: its value is wrong: it takes an http or https URL"


def test_what_is_shown_of_an_address_holds_no_password() -> None:
    show = MEANINGS["otlp_endpoint"].kind.show
    assert show("https://ann:s3cret@host:4318/v1?key=s3cret") == "https://***@host:4318/v1?***"
    assert show("http://localhost:4318") == "http://localhost:4318"


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_what_is_shown_of_a_setting_reads_back_as_it(tmp_path: Path, name: str) -> None:
    found = find_settings(tmp_path, {})
    kind = MEANINGS[name].kind
    assert kind.read(kind.show(found.values[name]), tmp_path) == found.values[name]


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    (said,) = problems(tmp_path, VEXTIR_USER="x y" * 10_000)
    assert len(said) < 300


def test_an_empty_path_is_no_path(tmp_path: Path) -> None:
    assert problems(tmp_path, VEXTIR_DATA_DIR="") == ["VEXTIR_DATA_DIR: '' is wrong: it takes a path"]


@pytest.mark.parametrize(
    ("name", "setting"), [("port", "port"), ("VEXTIR_PORT", "port"), ("PORT", None), ("root", None), ("", None)]
)
def test_a_setting_is_known_by_both_its_names(name: str, setting: str | None) -> None:
    assert known(name) == setting
