"""`vextir config`: what is set, where it comes from, and whether it can be used."""

from pathlib import Path

from tests.scenario.cli.vextir import Project
from vextir_os.settings.model import MEANINGS


def test_every_setting_is_listed_with_its_value_and_where_it_comes_from(project: Project) -> None:
    (project.root / "vextir.toml").write_text('# ours\nport = 8400\ntenant = "acme"\n')
    done = project.run("config", VEXTIR_TENANT="globex")
    rows = {name: (value, place) for name, value, place in (line.split("\t") for line in done.lines)}
    assert done.code == 0
    assert list(rows) == list(MEANINGS)
    assert rows["port"] == ("8400", "vextir.toml:2")
    assert rows["tenant"] == ("globex", "VEXTIR_TENANT")
    assert rows["user"] == ("operator", "default")


def test_as_json_each_has_both_its_names_its_default_and_its_place(project: Project) -> None:
    (project.root / "vextir.toml").write_text("port = 8400\n")
    document = project.run("config", "-o", "json").json
    assert document["schema"] == "vextir.settings.v1"
    assert next(item for item in document["settings"] if item["name"] == "port") == {
        "name": "port", "variable": "VEXTIR_PORT", "value": 8400, "default": 8300, "origin": "file",
        "place": "vextir.toml:1", "wrong": None,
    }  # fmt: skip


def test_a_password_in_an_address_is_never_shown(project: Project) -> None:
    for form in ("table", "json", "yaml"):
        done = project.run("config", "-o", form, VEXTIR_OTLP_ENDPOINT="https://ann:s3cret@collector")
        assert "***@collector" in done.out
        assert "s3cret" not in done.out + done.err


def test_one_setting_is_printed_alone_by_either_name(project: Project) -> None:
    assert project.run("config", "get", "min_free_disk").out == "200MB\n"
    assert project.run("config", "get", "VEXTIR_PORT", VEXTIR_PORT="9000").out == "9000\n"
    assert project.run("config", "get", "port", "-o", "json").json["schema"] == "vextir.setting.v1"


def test_a_setting_that_is_not_there_ends_with_3_and_the_nearest(project: Project) -> None:
    done = project.run("config", "get", "prot")
    assert (done.code, done.out) == (3, "")
    assert "error VX904: there is no setting `prot`\n  next:  Did you mean `port`?" in done.err


def test_wrong_settings_are_listed_beside_the_right_ones_and_named_together(project: Project) -> None:
    (project.root / "vextir.toml").write_text("port = 70000\ncolour = 1\n")
    done = project.run("config", VEXTIR_TENANT="no/tenant")
    assert done.code == 1
    rows = {line.split("\t")[0]: line.split("\t")[2] for line in done.lines}
    assert rows["port"].startswith("not used: vextir.toml:1: 70000 is wrong")
    assert rows["tenant"].startswith("not used: VEXTIR_TENANT: ")
    assert "error VX901: 3 problems found" in done.err
    wrong = project.run("config", "get", "port")
    assert (wrong.code, wrong.out) == (1, "")


def test_check_says_whether_all_can_be_used(project: Project) -> None:
    done = project.run("config", "check", VEXTIR_PORT="9000")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"{len(MEANINGS)} settings, 1 not at the default: no problems\n"
    broken = project.run("config", "check", VEXTIR_PORT="high", VEXTIR_USER="a b")
    assert broken.code == 1
    assert "VEXTIR_PORT: 'high' is wrong" in broken.err
    assert "VEXTIR_USER: 'a b' is wrong" in broken.err


def test_the_file_of_a_project_counts_for_every_command(project: Project, tmp_path: Path) -> None:
    (project.root / "vextir.toml").write_text('tenant = "acme"\ndata_dir = "data"\n')
    assert project.once({"type": "hello.quiet", "id": "one"}).code == 0
    assert (project.root / "data" / "vextir.db").exists()
    assert project.run("trace", "one", VEXTIR_TENANT="other").code == 3
    assert project.run("trace", "one").code == 0
