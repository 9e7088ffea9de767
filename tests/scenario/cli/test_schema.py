"""`vextir schema`: documents on stdout and as files, always the same bytes."""

import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.scenario.cli.vextir import Ended, Project
from tests.support.asyncapi import problems_of
from tests.support.drivers import write_driver

TYPED = """\
    from pydantic import BaseModel

    class Order(BaseModel):
        item: str
        count: int = 1

    @driver("shop.till", capabilities=["order.placed"], permissions=["emit:order.paid"])
    async def till(event: Event, data: Order) -> None: ...
    """


@pytest.fixture
def shop(project: Project) -> Project:
    """A project with a driver with typed data, and its index."""
    write_driver(project.root, "shop", TYPED)
    assert project.run("build").code == 0
    return project


def test_the_document_is_valid_and_always_the_same(shop: Project) -> None:
    first, second = shop.run("schema", "asyncapi"), shop.run("schema", "asyncapi")
    assert (first.code, first.err) == (0, "")
    assert first.out == second.out == shop.run("schema").out
    assert problems_of(first.json) == []
    assert {"shop.till:receive:order.placed", "shop.till:send:order.paid"} <= set(first.json["operations"])


def test_yaml_says_the_same(shop: Project) -> None:
    text = shop.run("schema", "asyncapi", "-o", "yaml").out
    assert yaml.safe_load(text) == shop.run("schema", "asyncapi").json
    assert "&id" not in text


def test_it_is_written_to_a_file_and_nothing_to_stdout(shop: Project, tmp_path: Path) -> None:
    done = shop.run("schema", "asyncapi", "--to", str(tmp_path / "docs/asyncapi.json"))
    assert (done.code, done.out, done.err) == (0, "", f"written: {tmp_path}/docs/asyncapi.json\n")
    assert (tmp_path / "docs/asyncapi.json").read_text() == shop.run("schema", "asyncapi").out


def test_every_type_has_a_file_of_its_own(shop: Project, tmp_path: Path) -> None:
    done = shop.run("schema", "events", "--to", str(tmp_path / "out"))
    assert done.code == 0, done.err
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert {"event.schema.json", "order.placed.data.schema.json", "hello.+.data.schema.json"} <= set(names)
    whole, data = (json.loads((tmp_path / "out" / name).read_text()) for name in
                   ("event.schema.json", "order.placed.data.schema.json"))  # fmt: skip
    assert Draft202012Validator(whole).is_valid({"type": "order.placed", "data": {"item": "tea"}})
    assert not Draft202012Validator(whole).is_valid({"type": "order.placed", "data": {"count": 2}})
    assert data == shop.run("schema", "event", "order.placed").json


def refused(done: Ended, code: int, *said: str) -> None:
    assert (done.code, done.out) == (code, "")
    assert [text for text in said if text not in done.err] == []


def test_what_is_not_there_is_named_with_what_is_near(shop: Project) -> None:
    unknown = "no driver of this project handles or emits events of type `order.plced`"
    refused(shop.run("schema", "event", "order.plced"), 3, unknown, "Did you mean `order.placed`?")
    refused(shop.run("schema", "event", "Order"), 1, "error VX201: event type 'Order' is not dotted lower case")
    refused(shop.run("schema", "asynapi"), 2, "unknown command `asynapi`", "Did you mean `asyncapi`?")


def test_a_place_that_cannot_be_written_is_named(shop: Project) -> None:
    (shop.root / "taken").write_text("")
    done = shop.run("schema", "events", "--to", str(shop.root / "taken"))
    refused(done, 2, "taken/event.schema.json cannot be written: ")


def test_who_has_not_built_since_a_change_is_told(shop: Project) -> None:
    write_driver(shop.root, "shop", TYPED + "# changed")
    done = shop.run("schema", "event", "order.placed")
    assert done.code == 0
    assert done.json["required"] == ["item"]
    assert "note: drivers/shop was changed since the driver index was built: this is how it was then" in done.err


def test_a_project_without_an_index_is_told_how_to_get_one(project: Project) -> None:
    refused(project.run("schema", "asyncapi"), 1, "error VX403: there is no driver index", "Run: vextir build")


def test_an_editor_is_set_up_once_and_keeps_its_own_settings(project: Project) -> None:
    (project.root / ".vscode").mkdir()
    (project.root / ".vscode/settings.json").write_text('{"editor.tabSize": 4}')
    done = project.run("schema", "editor", "--write")
    assert (done.code, done.out) == (0, ""), done.err
    settings = json.loads((project.root / ".vscode/settings.json").read_text())
    assert settings["editor.tabSize"] == 4
    for place in settings["yaml.schemas"]:
        assert json.loads((project.root / place).read_text())["$schema"]
    before = (project.root / ".vscode/settings.json").read_bytes()
    assert project.run("schema", "editor", "--write").code == 0
    assert (project.root / ".vscode/settings.json").read_bytes() == before


@pytest.mark.parametrize("text", ["// mine\n{}", "[]", '{"yaml.schemas": []}', "{"])
def test_settings_that_would_be_damaged_are_left_alone(project: Project, text: str) -> None:
    (project.root / ".vscode").mkdir()
    (project.root / ".vscode/settings.json").write_text(text)
    refused(project.run("schema", "editor", "--write"), 2, "is no plain JSON object of settings; nothing was written")
    assert (project.root / ".vscode/settings.json").read_text() == text
    assert [path.name for path in (project.root / ".vscode").iterdir()] == ["settings.json"]


def test_without_a_place_the_kinds_of_files_are_listed(project: Project) -> None:
    lines = project.run("schema", "editor").lines
    assert lines[0] == "policies.schema.json\tpolicies/*.yaml"
    assert len(lines) == 6
