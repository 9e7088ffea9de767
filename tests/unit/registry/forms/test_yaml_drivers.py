"""Drivers in YAML: one form, read strictly, and the manifest that comes of it."""

import os
from pathlib import Path

import pytest

from tests.support.drivers import simple_driver, write_driver
from vextir_os.driverkit.flow import Flow, Rate
from vextir_os.errors import ManifestProblemsError
from vextir_os.registry.discover import discover
from vextir_os.registry.index import build_index, check_fresh, load_index, write_index
from vextir_os.registry.manifest_json import Index

MAIL = """\
# who reads the mail
driver:
  id: email_assistant
  type: agent
  name: Mail
  version: "1.0"
  description: Reads mail.
  model: gpt-4
  tools: [email_send, calendar/*]
  system_prompt: You handle mail for $NAME.
  capabilities: [email.received]
  permissions: [emit:mail.*]
  timeout: 90s
  concurrency: 2
  throttle: 5/m
"""


def write(root: Path, text: str = MAIL, name: str = "drivers/mail.yml") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def problems(root: Path, text: str) -> list[str]:
    write(root, text)
    with pytest.raises(ManifestProblemsError) as caught:
        discover(root)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    "name", ["drivers/mail.yml", "drivers/mail.yaml", "drivers/mail/driver.yml", "drivers/mail/driver.yaml"]
)
def test_a_driver_is_read_from_a_file_or_a_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path, name=name)
    (manifest,) = discover(tmp_path, environ={"NAME": "Ann"})
    assert (manifest.id, manifest.kind, manifest.form, manifest.version, manifest.description) == (
        "email_assistant",
        "agent",
        "yaml",
        "1.0",
        "Reads mail.",
    )
    assert (manifest.capabilities, manifest.timeout_s) == (("email.received",), 90.0)
    assert manifest.permissions == ("model:chat/gpt-4", "tool:*/email_send", "tool:calendar/*", "emit:mail.*")
    assert manifest.flow == Flow(concurrency=2, throttle=Rate(5, 60.0))
    assert (manifest.entry, manifest.line) == (f"{name}:email_assistant", 2)
    assert manifest.agent is not None
    assert (manifest.agent.name, manifest.agent.model, manifest.agent.tools, manifest.agent.instructions) == (
        "Mail",
        "gpt-4",
        ("email_send", "calendar/*"),
        "You handle mail for $NAME.",
    )


def test_it_stands_in_the_index_beside_drivers_in_python(tmp_path: Path) -> None:
    write(tmp_path)
    write(tmp_path, MAIL.replace("email_assistant", "second"), "drivers/chat/driver.yml")
    write_driver(tmp_path, "chat", simple_driver("chat.reader", "chat.*"))
    write_index(tmp_path, build_index(tmp_path))
    assert load_index(tmp_path) == build_index(tmp_path)
    assert [manifest.id for manifest in load_index(tmp_path).manifests] == ["chat.reader", "email_assistant", "second"]
    write(tmp_path, MAIL.replace("gpt-4", "gpt-5"))
    write(tmp_path, MAIL.replace("email_assistant", "third"), "drivers/chat/driver.yml")
    assert [problem.what.partition(" since")[0] for problem in check_fresh(tmp_path, load_index(tmp_path))] == [
        "drivers/chat was changed",
        "drivers/mail.yml was changed",
    ]


def test_what_agents_share_makes_the_index_stale_too(tmp_path: Path) -> None:
    write(tmp_path, "---\nname: A\ndescription: B\nbuiltin_endpoints: true\n---\nx\n", "a.agent.md")
    write_index(tmp_path, build_index(tmp_path))
    for name, text in (
        ("agents.config.yaml", "timeout: 5\n"),
        ("mcp.json", '{"servers": {}}'),
        ("skills/a/SKILL.md", "---\nname: a\ndescription: b\n---\n"),
        ("tools/x.py", ""),
        ("agents/b.agent.md", ""),
    ):
        write(tmp_path, text, name)
    assert [problem.what.partition(" since")[0] for problem in check_fresh(tmp_path, load_index(tmp_path))] == [
        "agents.config.yaml was added",
        "agents/b.agent.md was added",
        "mcp.json was added",
        "skills/a/SKILL.md was added",
        "tools/x.py was added",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "1:1: the file is empty, not a mapping", id="empty"),
        pytest.param(
            MAIL.replace("  tools:", "  tols:"),
            "9:3: unknown key `tols` in `driver`. Did you mean `tools`?",
            id="slip",
        ),
        pytest.param("driver: []\n", "1:9: `driver` is a list, not a mapping", id="list"),
        pytest.param(
            MAIL.replace("type: agent", "type: tool"),
            "4:9: `driver.type` is `tool`, which is not known. It is one of `agent`",
            id="kind",
        ),
        pytest.param(
            MAIL.replace('"1.0"', "1.0"), "6:12: `driver.version` is a fraction, not text. Quote it", id="number"
        ),
        pytest.param(
            MAIL.replace("  system_prompt: You handle mail for $NAME.\n", ""),
            "3:3: `driver` has no `system_prompt`",
            id="no-prompt",
        ),
        pytest.param(
            MAIL.replace("[email.received]", "email.received"),
            "11:17: `driver.capabilities` is text, not a list",
            id="text-as-list",
        ),
        pytest.param(
            MAIL.replace("[email.received]", "[Email.Received]"),
            "2: driver `email_assistant`: capability pattern 'Email.Received' is not a dotted lower-case type with "
            "`*` or `**` for whole segments. Did you mean `email.received`?",
            id="capability",
        ),
        pytest.param(
            MAIL.replace("emit:mail.*", "emt:mail.*"),
            "2: driver `email_assistant`: permission unknown verb `emt` in `emt:mail.*`. Did you mean `emit`?",
            id="permission",
        ),
        pytest.param(
            MAIL.replace("90s", "90 apples"),
            "2: driver `email_assistant`: timeout '90 apples' is not a duration such as \"500ms\", \"30s\", \"5m\" or "
            '"1h"',
            id="timeout",
        ),
        pytest.param(
            MAIL.replace("5/m", "often"),
            "2: driver `email_assistant`: throttle 'often' is no rate. Write throttle=\"100/m\", \"5/s\" or \"20/30s\"",
            id="throttle",
        ),
        pytest.param(
            MAIL.replace("email_assistant", "Email Assistant"),
            "2: driver `Email Assistant`: the id is not a dotted lower-case name. Write it as `mail.reader`: segments "
            "of a-z, 0-9, `_`, `-`, with dots between",
            id="id",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert problems(tmp_path, text) == [f"drivers/mail.yml:{problem}"]


def test_an_id_that_python_has_too_is_an_error_that_names_both(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("email_assistant", "mail.*"))
    (problem,) = problems(tmp_path, MAIL.replace('"1.0"', '"1"'))
    assert problem == (
        "drivers/mail.yml:2: driver id `email_assistant` is declared twice, here and at drivers/mail/driver.py:2. "
        "Give each driver an id of its own"
    )


@pytest.mark.parametrize("name", [b"drivers/caf\xe9.yml", b"caf\xe9.agent.md", b"drivers/a\nb.yml"])
def test_a_file_whose_name_is_no_text_is_refused(tmp_path: Path, name: bytes) -> None:
    (tmp_path / "drivers").mkdir()
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    path.write_text("---\nname: A\ndescription: B\nbuiltin_endpoints: true\n---\nx\n" if name.endswith(b"md") else MAIL)
    with pytest.raises(ManifestProblemsError) as caught:
        build_index(tmp_path)
    assert [problem.what for problem in caught.value.problems] == [
        "the name of the file holds bytes or marks that are no text"
    ]
    check_fresh(tmp_path, Index())


def test_names_of_tools_that_are_no_text_harm_nothing(tmp_path: Path) -> None:
    write(tmp_path, "---\nname: A\ndescription: B\nbuiltin_endpoints: true\n---\nx\n", "a.agent.md")
    (tmp_path / "tools").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/tools/caf\xe9.py")).write_text("")
    write_index(tmp_path, build_index(tmp_path))
    assert check_fresh(tmp_path, load_index(tmp_path)) == []


def test_a_file_in_the_place_of_the_folder_is_a_project_without_drivers(tmp_path: Path) -> None:
    (tmp_path / "drivers").write_text("")
    assert load_index(tmp_path) == Index()
