"""Schemas by which editors check and complete the files that people write: policies, drivers and agents as text.

Made of the models and rules that the readers check by. An editor's schema refuses less than the reader, which alone
sees other files and the environment; what the reader takes, the schema takes as well, but for `true` where seconds are
asked for and `1` where a switch is. Imports pydantic.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from vextir_os.policy.schema import policy_schema
from vextir_os.registry.forms.agent_model import TIMEOUT_S, AgentPart
from vextir_os.registry.forms.config_model import AgentsConfig
from vextir_os.registry.forms.mcp_model import McpFile
from vextir_os.registry.forms.skill_model import SkillPart
from vextir_os.registry.forms.triggers import TRIGGERS
from vextir_os.registry.forms.yaml_driver_model import DriverFile

DIALECT = "http://json-schema.org/draft-07/schema#"
"""What editors know best."""

# What stands for a value as a text: by itself, or as a name of the environment.
_NUMBER, _SWITCH, _NAMED = "[0-9$%]", "^[A-Za-z01]{1,5}$|[$%]", "[$%]"
_ONE_LIST = [
    {"required": ["servers"], "properties": {"mcpServers": {"type": "null"}}},
    {"required": ["mcpServers"], "properties": {"servers": {"type": "null"}}},
]
_ONE_WAY = [
    {"required": ["url"], "not": {"required": ["command"]}},
    {"required": ["command"], "not": {"required": ["url"]}},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of file.

    Attributes:
        name: Of its schema: `policies` for `policies.schema.json`.
        title: What it is.
        files: Where such files are, as globs from the project folder.
        language: `yaml` or `json`; of markdown, the front matter is YAML.
        make: Makes the schema.
    """

    name: str
    title: str
    files: tuple[str, ...]
    language: str
    make: Callable[[], dict[str, Any]]

    def schema(self) -> dict[str, Any]:
        """Return the schema; always the same."""
        return {"$schema": DIALECT, **self.make(), "title": self.title}

    @property
    def file(self) -> str:
        """Name of the schema's file."""
        return f"{self.name}.schema.json"


def _driver() -> dict[str, Any]:
    return _of(DriverFile)


def _agent() -> dict[str, Any]:
    schema = _timed(_of(AgentPart))
    schema["$defs"]["Trigger"]["properties"]["type"]["enum"] = list(TRIGGERS)
    return _texts_too(schema)


def _agents_config() -> dict[str, Any]:
    return _texts_too(_timed(_of(AgentsConfig)))


def _servers() -> dict[str, Any]:
    schema = _of(McpFile) | {"oneOf": _ONE_LIST}
    schema["$defs"]["Server"] |= {"oneOf": _ONE_WAY}
    return _texts_too(schema)


def _skill() -> dict[str, Any]:
    return _of(SkillPart)


KINDS = (
    Kind(name="policies", title="Policies", files=("policies/*.yaml",), language="yaml", make=policy_schema),
    Kind(
        name="driver",
        title="A driver in YAML",
        files=("drivers/*.yml", "drivers/*.yaml", "drivers/*/driver.yml", "drivers/*/driver.yaml"),
        language="yaml",
        make=_driver,
    ),
    Kind(name="agent", title="Front matter of an agent", files=("*.agent.md",), language="markdown", make=_agent),
    Kind(
        name="agents-config",
        title="What holds for all agents",
        files=("agents.config.yaml",),
        language="yaml",
        make=_agents_config,
    ),
    Kind(name="mcp", title="MCP servers", files=("mcp.json",), language="json", make=_servers),
    Kind(name="skill", title="Front matter of a skill", files=("SKILL.md",), language="markdown", make=_skill),
)
"""Every kind of file that a model or a table of rules describes."""


def editor_settings(folder: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of VS Code with our schemas, and with all that they hold beside.

    Args:
        folder: Where the schemas are, from the project folder: `.vscode/vextir`.
        given: The settings that there are.
    """
    yaml = {f"./{folder}/{kind.file}": list(kind.files) for kind in KINDS if kind.language == "yaml"}
    json = [
        {"fileMatch": list(kind.files), "url": f"./{folder}/{kind.file}"} for kind in KINDS if kind.language == "json"
    ]
    urls = {each["url"] for each in json}
    others = [each for each in given.get("json.schemas", []) if each.get("url") not in urls]
    return {
        **given,
        "yaml.schemas": {**given.get("yaml.schemas", {}), **yaml},
        "json.schemas": [*others, *json],
    }


def _of(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _timed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with the bounds of `timeout`, which a validator of the model knows alone."""
    for each in schema["properties"]["timeout"]["anyOf"]:
        if each.get("type") == "number":
            each |= {"minimum": 0.001, "maximum": TIMEOUT_S}
    return schema


def _texts_too(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema in which the environment may be put in: numbers, switches and words may be texts that name it."""
    changed: dict[str, Any] = _with_texts(schema)
    return changed


def _with_texts(part: Any) -> Any:
    if isinstance(part, list):
        return [_with_texts(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "type" in part and ("enum" in part or part["type"] in ("number", "integer", "boolean")) and "const" not in part:
        told = {name: part[name] for name in ("title", "description", "default") if name in part}
        own = {name: value for name, value in part.items() if name not in told}
        text = _NAMED if "enum" in part else _SWITCH if part["type"] == "boolean" else _NUMBER
        return {**told, "anyOf": [own, {"type": "string", "pattern": text}]}
    return {name: _inside(name, value) for name, value in part.items()}


def _inside(name: str, value: Any) -> Any:
    if name in ("properties", "$defs"):
        return {key: _with_texts(each) for key, each in value.items()}
    return value if name in ("default", "enum", "const", "required") else _with_texts(value)
