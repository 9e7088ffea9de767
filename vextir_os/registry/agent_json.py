"""What a declared agent says of itself as JSON, as the index holds it, and back. Pure."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from vextir_os.driverkit.agent import AgentSpec, Delegate

_NAMES = tuple(each.name for each in fields(AgentSpec))
_LISTS = ("endpoints", "tools_excluded", "mcp", "skills", "system_tools")


def agent_to_json(spec: AgentSpec) -> dict[str, Any]:
    """Return an agent as JSON."""
    entry = {name: _plain(getattr(spec, name)) for name in _NAMES}
    return entry | {"subagents": [list(delegate) for delegate in spec.subagents]}


def agent_from_json(entry: Mapping[str, Any]) -> AgentSpec:
    """Return the agent. Raises `TypeError` or `KeyError` for what `agent_to_json` did not write."""
    return AgentSpec(
        **{
            **entry,
            **{name: tuple(entry[name]) for name in _LISTS},
            "tools": None if entry["tools"] is None else tuple(entry["tools"]),
            "subagents": tuple(Delegate(*delegate) for delegate in entry["subagents"]),
        }
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
