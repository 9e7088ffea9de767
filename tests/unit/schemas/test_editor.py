"""Schemas for editors: they take whatever the readers take, and refuse what can be seen without reading more."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from pydantic import BaseModel, ValidationError

from scripts.editor_schemas import FOLDER, files
from tests.scenario.cli.vextir import POLICIES
from tests.unit.policy import test_loader as loader
from tests.unit.registry.forms.test_samples import DESK, HELPER, TRIAGE
from vextir_os.errors import YamlProblemsError
from vextir_os.policy.reader import read_policies
from vextir_os.registry.forms.agent_model import AgentPart
from vextir_os.registry.forms.config_model import AgentsConfig
from vextir_os.registry.forms.mcp_model import McpFile
from vextir_os.registry.forms.yaml_driver_model import DriverFile, DriverPart
from vextir_os.schemas.editor import KINDS, editor_settings
from vextir_os.yamlio import load_yaml

ROOT = Path(__file__).parents[3]
SCHEMAS = {kind.name: Draft7Validator(kind.schema()) for kind in KINDS}


def takes(kind: str, value: Any) -> bool:
    return SCHEMAS[kind].is_valid(value)


def test_the_files_of_the_repository_are_what_the_models_say() -> None:
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == files(), "run: make pages"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_is_a_schema(kind: Any) -> None:
    Draft7Validator.check_schema(kind.schema())
    assert kind.schema() == kind.schema()


def policy_texts() -> Iterator[str]:
    """Yield every policy of the repository and its pages."""
    yield loader.GOOD
    yield POLICIES
    for path in (*ROOT.glob("policies/*.yaml"), *ROOT.glob("vextir_os/scaffold/templates/**/polic*/*.tmpl")):
        yield re.sub(r"\$\{\w+\}|\$\w+|\{\{\w+\}\}", "name", path.read_text())
    for page in ROOT.glob("docs/guides/*.md"):
        yield from (text for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
                    if text.startswith("policies:"))  # fmt: skip


def test_every_policy_of_the_repository_is_taken() -> None:
    texts = list(policy_texts())
    assert len(texts) > 5
    for text in texts:
        document = load_yaml(text, "policies/a.yaml")
        assert read_policies(document).problems == ()
        assert takes("policies", document.value), text


def bad_policies() -> list[tuple[str, str]]:
    (mark,) = vars(loader.test_a_problem_is_named_with_place_and_remedy)["pytestmark"]
    return [(text, found) for text, found in mark.args[1] if isinstance(text, str)]


SEEN_BY_THE_READER_ALONE = ("the tag `!!python", "is a boolean in YAML 1.1", "bytes of YAML", "`http:*evil.com`")


def test_every_policy_that_is_wrong_in_its_form_is_refused() -> None:
    rows = bad_policies()
    assert len(rows) > 20
    for text, found in rows:
        if not any(reason in found for reason in SEEN_BY_THE_READER_ALONE):
            assert not takes("policies", load_yaml(text, "a").value), found


TEXTS = st.text(st.sampled_from("abz019A*.:/_-{[ é\n"), max_size=12)
ACTIONS = st.builds(
    "{}:{}".format, st.sampled_from(["publish", "emit", "tool", "model", "http", "secret", "context.read", "x"]),
    TEXTS | st.sampled_from(["a.*", "chat/*", "**", "*.example.com", "/a/**", "fe80::1", "10.0.0.1", "mail/send"]),
)  # fmt: skip


@given(
    st.fixed_dictionaries(
        {"id": st.sampled_from(["a", "b-1"]), "effect": st.sampled_from(["allow", "deny"]),
         "match": st.fixed_dictionaries(
             {"action": ACTIONS | st.lists(ACTIONS, max_size=2)},
             optional={"event": TEXTS, "users": TEXTS | st.lists(TEXTS, max_size=2), "drivers": TEXTS,
                       "tenants": TEXTS})},
        optional={"priority": st.integers(-1, 1001), "reason": st.text(max_size=6)},
    )
)  # fmt: skip
def test_whatever_the_reader_of_policies_takes_is_taken(policy: dict[str, Any]) -> None:
    try:
        document = load_yaml(json.dumps({"policies": [policy]}), "a")
    except YamlProblemsError:
        return
    if not read_policies(document).problems:
        assert takes("policies", document.value), policy


def front_matter(text: str) -> Any:
    return yaml.safe_load(text.split("---\n")[1])


DRIVER = {"id": "email_assistant", "system_prompt": "Be kind.", "capabilities": ["email.*"]}
SERVERS = {"crm": {"url": "https://crm.example.com/mcp"}, "files": {"command": "npx", "args": ["x"], "timeout": "$T"}}
GOOD: list[tuple[str, type[BaseModel], Any]] = [
    ("agent", AgentPart, front_matter(TRIAGE)),
    ("agent", AgentPart, front_matter(HELPER)),
    ("agent", AgentPart, front_matter(DESK)),
    (
        "agent",
        AgentPart,
        {"name": "a", "description": "b", "logger": "false", "timeout": 30, "mcp": {"exclude": ["x"]}},
    ),
    ("agents-config", AgentsConfig, {"timeout": "12.5", "system_tools": {"web_request": False}}),
    ("mcp", McpFile, {"servers": {"crm": SERVERS["crm"]}}),
    ("mcp", McpFile, {"mcpServers": {}, "servers": None}),
    ("driver", DriverFile, {"driver": DRIVER}),
    ("driver", DriverFile, {"driver": {**DRIVER, "timeout": "30s", "tools": ["web/search"]}}),
]
BAD: list[tuple[str, type[BaseModel], Any]] = [
    ("agent", AgentPart, {"name": "a"}),
    ("agent", AgentPart, {"name": "a", "description": "b", "modle": "x"}),
    ("agent", AgentPart, {"name": "a", "description": "b", "timeout": 4000}),
    ("agent", AgentPart, {"name": "a", "description": "b", "trigger": "http"}),
    ("agent", AgentPart, {"name": "a", "description": "b", "mcp": {"include": []}}),
    ("agents-config", AgentsConfig, {"timeout": "soon"}),
    ("agents-config", AgentsConfig, {"system_tools": {"web_request": {"max_response_bytes": 0}}}),
    ("mcp", McpFile, {"servers": {}, "mcpServers": {}}),
    ("mcp", McpFile, {}),
    ("mcp", McpFile, {"servers": {"a": {"url": "https://a", "command": "b"}}}),
    ("mcp", McpFile, {"servers": {"a": {}}}),
    ("mcp", McpFile, {"servers": {"a": {"type": "sse", "url": "https://a"}}}),
    ("driver", DriverFile, {"driver": {**DRIVER, "system_prompt": ""}}),
    ("driver", DriverFile, {"driver": {**DRIVER, "type": "tool"}}),
    ("driver", DriverFile, {"drivers": DRIVER}),
    ("driver", DriverFile, {"driver": {**DRIVER, "concurrency": "2"}}),
]


def named(row: Any) -> str:
    return f"{row[0]}-{json.dumps(row[2])[:60]}"


@pytest.mark.parametrize("row", GOOD, ids=named)
def test_what_a_model_takes_is_taken(row: tuple[str, type[BaseModel], Any]) -> None:
    kind, model, value = row
    model.model_validate(value)
    assert takes(kind, value), [error.message for error in SCHEMAS[kind].iter_errors(value)]


@pytest.mark.parametrize("row", BAD, ids=named)
def test_what_a_model_refuses_for_its_form_is_refused(row: tuple[str, type[BaseModel], Any]) -> None:
    kind, model, value = row
    with pytest.raises(ValidationError):
        model.model_validate(value)
    assert not takes(kind, value)


def test_names_of_the_environment_may_stand_for_values() -> None:
    agent = {"name": "a", "description": "b", "timeout": "$SECONDS", "logger": "%LOG%"}
    assert takes("agent", agent)
    assert takes("agents-config", {"http_auth": "$MODE"})
    assert takes("mcp", {"servers": SERVERS})
    assert not takes("agent", {**agent, "timeout": "long"})


def test_triggers_are_completed() -> None:
    trigger = {"name": "a", "description": "b", "trigger": {"type": "http_triger"}}
    assert not takes("agent", trigger)
    assert takes("agent", {**trigger, "trigger": {"type": "http_trigger", "args": {"route": "x"}}})


def test_settings_of_an_editor_keep_what_they_hold() -> None:
    given: dict[str, Any] = {
        "editor.tabSize": 4,
        "yaml.schemas": {"mine.json": "x.yaml"},
        "json.schemas": [{"url": "theirs"}],
    }
    once = editor_settings(".vscode/vextir", given)
    assert once["editor.tabSize"] == 4
    assert once["yaml.schemas"]["mine.json"] == "x.yaml"
    assert once["yaml.schemas"]["./.vscode/vextir/policies.schema.json"] == ["policies/*.yaml"]
    assert [each["url"] for each in once["json.schemas"]] == ["theirs", "./.vscode/vextir/mcp.schema.json"]
    assert editor_settings(".vscode/vextir", once) == once


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 5000), st.floats(-1, 5000, allow_nan=False),
    st.sampled_from(["true", "No", "30", "1e2", "1_0", " 7 ", "http_trigger", "entra", "x", ""]),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["exclude", "agent", "type", "args", "mode", "servers"]), inner, max_size=2)
    ),
    max_leaves=4,
)
LEAST: dict[str, dict[str, Any]] = {"agent": {"name": "a", "description": "b"}, "agents-config": {}}
MODELS: dict[str, type[BaseModel]] = {"agent": AgentPart, "agents-config": AgentsConfig, "driver": DriverFile}


@given(st.sampled_from(sorted(MODELS)), st.data())
def test_whatever_a_model_takes_is_taken(kind: str, data: st.DataObject) -> None:
    model = MODELS[kind]
    fields = (DriverPart if kind == "driver" else model).model_fields
    given_ = data.draw(st.dictionaries(st.sampled_from(sorted(fields)), VALUES, max_size=2))
    value = {"driver": {**DRIVER, **given_}} if kind == "driver" else {**LEAST[kind], **given_}
    try:
        taken = model.model_validate(value)
    except ValidationError:
        return
    # `true` as seconds and `1` as a switch are read, and meant by nobody: an editor may well point at them.
    if any(
        type(said) in (bool, int, float) and isinstance(said, bool) is not isinstance(getattr(taken, name), bool)
        for name, said in given_.items()
        if kind != "driver"
    ):
        return
    assert takes(kind, value), (value, [error.message for error in SCHEMAS[kind].iter_errors(value)])
