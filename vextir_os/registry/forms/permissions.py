"""What a declared agent may ever use, drawn from what it declares. Pure. A policy must allow each use as well."""

from collections.abc import Sequence

from vextir_os.driverkit.agent import AgentSpec
from vextir_os.errors import ActionError
from vextir_os.policy.grammar import parse_action

PROJECT_TOOLS = "project"
"""Name under which tools of `tools/*.py` stand, where MCP servers have theirs."""


def for_model(model: str) -> str:
    """Return the permission for a model by name; for any where none is named, or a name of the environment."""
    return _first_valid(f"model:chat/{model}", "model:chat/*")


def for_tool(tool: str) -> str:
    """Return the permission for a tool: `github/create_issue` of that server, `web_search` of any."""
    return f"tool:{tool}" if "/" in tool else f"tool:*/{tool}"


def for_agent(spec: AgentSpec, hosts: Sequence[str]) -> tuple[str, ...]:
    """Return the permissions of an agent in markdown.

    Args:
        spec: What it declares.
        hosts: The only hosts that `web_request` may reach; empty for any.
    """
    wanted = [for_model(spec.model)]
    if spec.tools is None:
        wanted.append(f"tool:{PROJECT_TOOLS}/*")
    wanted += [f"tool:{server}/*" for server in spec.mcp]
    if "web_request" in spec.system_tools:
        named = [f"http:{host}" for host in hosts]
        wanted += named if named and all(map(_is_action, named)) else ["http:**"]
    delegates = [*spec.subagents, *(spec.workflows or {}).get("subagents", ())]
    wanted += [f"call:agent.{delegate[0].lower()}" for delegate in delegates]
    return tuple(dict.fromkeys(wanted))


def _first_valid(*texts: str) -> str:
    """Return the first text that is an action, the last one in any case."""
    return next(filter(_is_action, texts[:-1]), texts[-1])


def _is_action(text: str) -> bool:
    try:
        parse_action(text)
    except ActionError:
        return False
    return "$" not in text and "%" not in text
