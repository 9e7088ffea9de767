"""`vextir check`: all problems of all files in one list, warnings apart, and nothing passed over in silence."""

from pathlib import Path

import pytest

from tests.scenario.cli.vextir import Ended, Project, make_project
from tests.scenario.test_declared_agents import YAML
from tests.support.packs import install

CALLS = """
import os
import httpx2 as http
from vextir_os import Event, driver

@driver("caller", capabilities=["call.me"], permissions=["emit:called", "model:chat/*"])
async def call(event: Event) -> None: ...
"""
BROKEN = "from vextir_os import driver\n@driver('Broken', capabilities=['x'])\nasync def x(): ...\n"
FILES = {
    "drivers/caller/driver.py": CALLS,
    "drivers/caller/client.py": "import socket, subprocess, os\nTOKEN = os.environ.get('TOKEN')\n",
    "drivers/broken/driver.py": BROKEN,
    "drivers/mail.yml": YAML.replace("model:", "modle:"),
    "policies/more.yaml": "policies:\n  - id: more\n    effect: alow\n    match: {action: 'emit:*'}\n",
    "plans/daily.yaml": "type: instrction\nid: daily\n",
    "plans/again.yaml": "type: plan\nid: Daily Plan\n",
    "ui_apps/desk.yaml": "type: ui_application\nid: desk\n",
    "ui_apps/twin.yml": "type: ui_application\nid: desk\n",
    "ui_apps/bad.yaml": "type: [\n",
    "helper.agent.md": "---\nname: Helper\ndescription: Helps\ntrigger: {type: timr_trigger}\n---\nBe brief.\n",
    "vextir.toml": "prot = 1\n",
}  # fmt: skip

NARROW = "policies: [{id: some, effect: allow, match: {action: ['process:hello.*', 'emit:**']}}]"

ID = "Write it as `mail.reader`: segments of a-z, 0-9, `_`, `-`, with dots between"
NAME = "Use 1 to 80 characters a-z 0-9 . _ -"
OTHER = "Give one of them another"


def write(root: Path, files: dict[str, str]) -> Project:
    project = make_project(root)
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return project


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """What a project with something wrong in every kind of file is told."""
    return write(tmp_path_factory.mktemp("wrong"), FILES).run("check", "-o", "json")


@pytest.fixture(scope="module")
def well(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with nothing wrong in it."""
    project = make_project(tmp_path_factory.mktemp("well"))
    project.run("build")
    return project


def told(done: Ended, severity: str) -> list[str]:
    return [
        f"{one['area']} {one['code']} {one['where']}: {one['what']}. {one['hint']}"
        for one in done.json["findings"]
        if one["severity"] == severity
    ]


def test_all_problems_of_all_kinds_of_files_come_together(wrong: Ended) -> None:
    assert (wrong.code, wrong.json["schema"]) == (1, "vextir.findings.v1")
    assert told(wrong, "problem") == [
        f"drivers VX401 drivers/broken/driver.py:2: driver `Broken`: the id is not a dotted lower-case name. {ID}",
        "drivers VX401 drivers/mail.yml:4:3: unknown key `modle` in `driver`. Did you mean `model`?",
        "drivers VX401 helper.agent.md:4:17: unknown trigger `timr_trigger`. Did you mean `timer_trigger`?",
        f"plans VX001 plans/again.yaml:2:5: the plan has the id `Daily Plan`, which is no lower-case name. {NAME}",
        "plans VX001 plans/daily.yaml:1:7: the plan is of type `instrction`. Did you mean `instruction`?",
        "policies VX301 policies/more.yaml:3:13: unknown effect `alow`. Did you mean `allow`?",
        "ui_apps VX001 ui_apps/bad.yaml:2:1: not YAML: did not find expected node content while parsing a flow node. ",
        f"ui_apps VX001 ui_apps/twin.yml:2:5: the id `desk` stands also at ui_apps/desk.yaml:2:5. {OTHER}",
        "settings VX900 vextir.toml:1: unknown setting `prot`. Did you mean `port`?",
    ]


def test_what_a_driver_reaches_outside_its_client_is_a_warning(wrong: Ended) -> None:
    hint = "Put what talks to the outside into client.py beside driver.py"
    assert [one for one in told(wrong, "warning") if hint in one] == [
        f"drivers VX401 drivers/caller/driver.py:3: imports `httpx2`. {hint}"
    ]
    assert "index VX403 drivers/index.json: there is no driver index. Run: vextir build" in told(wrong, "warning")


def test_what_was_not_looked_at_is_said(wrong: Ended) -> None:
    assert told(wrong, "note") == [
        "plans  plans: of each plan only the YAML, `type` and `id` were checked; this version runs none. ",
        "ui_apps  ui_apps: of each UI app only the YAML, `type` and `id` were checked; this version runs none. ",
    ]


def test_a_count_of_what_was_looked_at_goes_to_stderr(wrong: Ended) -> None:
    assert wrong.err == "9 problems, 2 warnings: 5 drivers, 0 policies, 2 plans, 3 UI apps\n"


def test_nothing_wrong_is_no_output_and_0(well: Project) -> None:
    done = well.run("check", "--strict")
    assert (done.code, done.out, done.err) == (0, "", "nothing wrong: 4 drivers, 2 policies\n")


def test_a_stale_index_is_a_problem(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    project.run("build")
    (tmp_path / "drivers/hello/more.py").write_text("x = 1\n")
    done = project.run("check")
    what = "drivers/hello was changed since the driver index was built"
    assert (done.code, done.lines) == (1, [f"problem\tVX403\tdrivers/index.json\t{what}\tRun: vextir build"])


def test_warnings_fail_only_where_they_are_asked_to(tmp_path: Path) -> None:
    project = write(tmp_path, {"drivers/caller/driver.py": CALLS, "policies/all.yaml": NARROW})
    project.run("build")
    done = project.run("check")
    assert done.code == 0
    assert [line.split("\t")[3] for line in done.lines] == [
        "imports `httpx2`",
        "driver `caller`: no policy can ever allow `process:call.me`",
        "driver `caller`: no policy can ever allow `model:chat/*`",
        "driver `keeper`: no policy can ever allow `process:note.*`",
        "driver `broken`: no policy can ever allow `process:broken.*`",
        "driver `later`: no policy can ever allow `process:later.*`",
    ]
    assert project.run("check", "--strict").code == 1


def test_a_person_sees_each_finding_with_what_to_do(well: Project) -> None:
    (well.root / "ui_apps").mkdir()
    (well.root / "ui_apps/desk.yaml").write_text("id: desk\n")
    shown = well.terminal("check")
    assert "problem VX001:\x1b[0m ui_apps/desk.yaml:1:1: the UI app has no `type`\n  It is `ui_application`\n" in shown


def test_packs_that_are_installed_and_not_used_are_told_of(well: Project, tmp_path: Path) -> None:
    done = well.run("check", PYTHONPATH=str(install(tmp_path)))
    assert (
        "note\t\t\tthe pack `acme-drivers 1.2.0` is installed and not used: VEXTIR_PACKS does not name it\t" in done.out
    )


def test_a_pack_that_is_not_there_is_a_problem(well: Project, tmp_path: Path) -> None:
    done = well.run("check", "-o", "json", PYTHONPATH=str(install(tmp_path)), VEXTIR_PACKS="acme-drivrs")
    assert (
        "packs VX422 VEXTIR_PACKS: there is no pack `acme-drivrs` among what is installed. " in told(done, "problem")[0]
    )
    assert done.code == 1
