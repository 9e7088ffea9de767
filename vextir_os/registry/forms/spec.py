"""From a checked agent to its `AgentSpec`: texts as they are written, numbers and switches as they were read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vextir_os.driverkit.agent import AgentSpec, Delegate
from vextir_os.registry.forms.files import MAIN_SLUG
from vextir_os.registry.forms.fitting import at
from vextir_os.registry.forms.markdown import Page

if TYPE_CHECKING:
    from vextir_os.registry.forms.agent_model import AgentPart, Chosen
    from vextir_os.registry.forms.agent_model import Delegate as DelegatePart
    from vextir_os.registry.forms.config_model import AgentsConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What all agents of a folder share.

    Attributes:
        config: `agents.config.yaml` as it was read; None where there is none.
        written: The same as it is written.
        servers: Names of the MCP servers; None where `mcp.json` cannot be used.
        skills: Names of the skills.
        tools: Names of the files with tools.
    """

    config: "AgentsConfig | None"
    written: Mapping[str, Any]
    servers: tuple[str, ...] | None
    skills: tuple[str, ...]
    tools: tuple[str, ...]


def spec_of(slug: str, part: "AgentPart", page: Page, around: Around, *, substitutes: bool) -> AgentSpec:
    """Return what an agent says of itself, with what the configuration adds."""
    written: Mapping[str, Any] = page.front.value
    config = around.config
    asked_tools = part.tools is not False
    return AgentSpec(
        slug=slug,
        name=str(written["name"]),
        instructions=page.body,
        model=str(written.get("model") or around.written.get("model") or ""),
        trigger=part.trigger.type if part.trigger else "",
        trigger_args=at(written, ("trigger", "args")) or {},
        endpoints=_endpoints(part),
        http_auth=_auth(part, written, around.written),
        tools=None if asked_tools else (),
        tools_excluded=tuple(dict.fromkeys([*_excluded(written), *_excluded(around.written)])),
        mcp=_chosen(part.mcp, around.servers or ()),
        skills=_chosen(part.skills, around.skills),
        system_tools=_system_tools(part, config) if asked_tools else (),
        subagents=tuple(_delegates(part.subagents, at(written, ("subagents",)))),
        workflows=_workflows(slug, part, at(written, ("workflows",)) or {}),
        input_schema=at(written, ("input_schema",)),
        response_schema=at(written, ("response_schema",)),
        response_example=str(written.get("response_example", "")),
        logged=part.logger,
        substitutes=part.substitute_variables and substitutes,
        metadata=at(written, ("metadata",)) or {},
    )


def _endpoints(part: "AgentPart") -> tuple[str, ...]:
    asked = part.builtin_endpoints
    if isinstance(asked, bool):
        return ("debug_chat_ui", "chat_api", "mcp") if asked else ()
    # The chat page talks to the chat API.
    chat = asked.chat_api or asked.debug_chat_ui
    return tuple(
        name for name, on in (("debug_chat_ui", asked.debug_chat_ui), ("chat_api", chat), ("mcp", asked.mcp)) if on
    )


def _auth(part: "AgentPart", written: Mapping[str, Any], config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return who may call over HTTP: what the agent says, else what the configuration says."""
    asked = at(written, ("builtin_endpoints", "http_auth"))
    if part.trigger and part.trigger.type == "http_trigger":
        asked = at(written, ("trigger", "args", "http_auth")) or asked
    asked = asked or config.get("http_auth") or {}
    return {"mode": asked} if isinstance(asked, str) else asked


def _system_tools(part: "AgentPart", config: "AgentsConfig | None") -> tuple[str, ...]:
    configured = config.system_tools if config else None
    found = []
    if part.system_tools.web_request and not (configured and configured.web_request is False):
        found.append("web_request")
    if part.system_tools.dynamic_sessions_code_interpreter and configured and (
        configured.dynamic_sessions_code_interpreter is not None
    ):  # fmt: skip
        found.append("dynamic_sessions_code_interpreter")
    return tuple(found)


def _workflows(slug: str, part: "AgentPart", written: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if slug != MAIN_SLUG or not part.workflows.enabled:
        return None
    delegates = _delegates(part.workflows.subagents, written.get("subagents"))
    return {"exclude": list(written.get("exclude") or ()), "subagents": [list(one) for one in delegates]}


def _delegates(parts: "Sequence[DelegatePart]", written: Any) -> Iterator[Delegate]:
    """Yield whom an agent may ask: names are those of files, and what is said of them is as it is written."""
    for part, said in zip(parts, written or (), strict=True):
        yield Delegate(part.agent, said.get("when", ""))


def _excluded(written: Mapping[str, Any]) -> Sequence[str]:
    return at(written, ("tools", "exclude")) or ()


def _chosen(chosen: "Chosen", names: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(chosen, bool):
        return names if chosen else ()
    return tuple(name for name in names if name not in chosen.exclude)
