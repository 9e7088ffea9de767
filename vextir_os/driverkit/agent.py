"""What a declared agent says of itself: markdown or YAML, read and checked, as a value. Runs nothing, reads no file.

Texts stand as they are written, `$NAME` included: what the environment holds may be secret and goes into no index.
Numbers and switches were read with the environment of the build.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

Json = Mapping[str, Any]
_NOTHING: Json = MappingProxyType({})


class Delegate(NamedTuple):
    """Another agent that this one may ask; `when` says for what, or is empty for the other's own description."""

    agent: str
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSpec:
    """One declared agent.

    Attributes:
        slug: Its name among programs: route, tool and function are called so.
        name: Its name among people.
        instructions: The system prompt: the body of the markdown file.
        model: The model it asks for; empty for the one of the installation.
        trigger: Type of what sets it off, `timer_trigger`; empty for none.
        trigger_args: What the trigger is told, as it is.
        endpoints: Which of `debug_chat_ui`, `chat_api`, `mcp` are open.
        http_auth: `{"mode": "function"}`, with `entra` where that is the mode; empty for the default.
        tools: Names of tools that it may call, such as `github/*`; None for all of the project.
        tools_excluded: Names of tools that it never gets.
        mcp: Names of the MCP servers whose tools it gets.
        skills: Names of the skills that it may read.
        system_tools: Which of `web_request`, `dynamic_sessions_code_interpreter` it has.
        subagents: Whom it may ask.
        workflows: `{"exclude": […], "subagents": […]}` where it may start workflows; None where not.
        input_schema: JSON Schema of the body that sets it off; None for any.
        response_schema: JSON Schema of its answer; None for any.
        response_example: An answer as it should look, as text; empty for none.
        logged: Whether the answer of a run that nobody waits for is logged.
        substitutes: Whether names of the environment in its texts are replaced when it runs.
    """

    slug: str
    name: str
    instructions: str
    model: str = ""
    trigger: str = ""
    trigger_args: Json = field(default_factory=lambda: _NOTHING)
    endpoints: tuple[str, ...] = ()
    http_auth: Json = field(default_factory=lambda: _NOTHING)
    tools: tuple[str, ...] | None = None
    tools_excluded: tuple[str, ...] = ()
    mcp: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    system_tools: tuple[str, ...] = ()
    subagents: tuple[Delegate, ...] = ()
    workflows: Json | None = None
    input_schema: Json | None = None
    response_schema: Json | None = None
    response_example: str = ""
    logged: bool = True
    substitutes: bool = True
    metadata: Json = field(default_factory=lambda: _NOTHING)
