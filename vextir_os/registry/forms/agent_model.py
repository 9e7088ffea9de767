"""The front matter of `NAME.agent.md`. One truth for the reader and for editors. Imports pydantic.

Values come from YAML in which names of the environment were replaced, so numbers and booleans may be texts.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, StrictBool, Tag, field_validator

from vextir_os.registry.forms.refusal import refusal

CLOSED = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
TIMEOUT_S = 3600.0
"""Longest time-out of an agent, in seconds."""


def _form(value: Any) -> str:
    return "mapping" if isinstance(value, (dict, BaseModel)) else "switch"


def _auth_form(value: Any) -> str:
    return "mapping" if isinstance(value, (dict, BaseModel)) else "mode"


class Excluding(BaseModel):
    """All but some."""

    model_config = CLOSED
    exclude: list[str] = []


Chosen = Annotated[Annotated[bool, Tag("switch")] | Annotated[Excluding, Tag("mapping")], Discriminator(_form)]
"""`true` for all, `false` for none, or all but some."""

Mode = Literal["function", "admin", "anonymous", "entra"]


class Entra(BaseModel):
    """Whose tokens are taken."""

    model_config = CLOSED
    tenant_id: str = ""
    allowed_audiences: list[str] = []
    allowed_client_ids: list[str] = []


class AuthPart(BaseModel):
    """Who may call over HTTP."""

    model_config = CLOSED
    mode: Mode
    entra: Entra | None = None


Auth = Annotated[Annotated[Mode, Tag("mode")] | Annotated[AuthPart, Tag("mapping")], Discriminator(_auth_form)]


class AuthHolder(BaseModel):
    """`http_auth` where it stands among the arguments of a trigger."""

    model_config = CLOSED
    http_auth: Auth


class Trigger(BaseModel):
    """What sets the agent off."""

    model_config = CLOSED
    type: str
    args: dict[str, Any] = {}


class Endpoints(BaseModel):
    """Ways to talk to the agent."""

    model_config = CLOSED
    debug_chat_ui: bool = False
    chat_api: bool = False
    mcp: bool = False
    http_auth: Auth | None = None


class SystemTools(BaseModel):
    """Tools of the runtime itself; `false` takes one away."""

    model_config = CLOSED
    dynamic_sessions_code_interpreter: bool = True
    web_request: bool = True


class Delegate(BaseModel):
    """Another agent that this one may ask."""

    model_config = CLOSED
    agent: str
    when: str = ""


class Workflows(BaseModel):
    """Whether the agent may start workflows."""

    model_config = CLOSED
    enabled: StrictBool = False
    exclude: list[str] = []
    subagents: list[Delegate] = []


class AgentPart(BaseModel):
    """What an agent in markdown says of itself; its instructions stand below."""

    model_config = CLOSED

    name: str = Field(min_length=1, description="Its name among people.")
    description: str = Field(min_length=1, description="What it does; other agents choose it by this.")
    trigger: Trigger | None = Field(None, description="What sets it off.")
    builtin_endpoints: Annotated[
        Annotated[bool, Tag("switch")] | Annotated[Endpoints, Tag("mapping")], Discriminator(_form)
    ] = Field(False, description="true for all three.")
    model: str = Field("", description="The model it asks for.")
    timeout: float | None = Field(None, description="Longest turn of one run, in seconds.")
    logger: bool = Field(True, description="Log the answers of runs that nobody waits for.")
    substitute_variables: bool = Field(True, description="Replace $NAME and %NAME% from the environment.")
    system_tools: SystemTools = Field(SystemTools(), description="Tools of the runtime itself.")
    mcp: Chosen = Field(True, description="MCP servers.")
    skills: Chosen = Field(True, description="Skills.")
    tools: Chosen = Field(True, description="Tools of the project.")
    subagents: list[Delegate] = Field([], description="Agents that it may ask.")
    workflows: Workflows = Field(Workflows(), description="Whether it may start workflows; on main only.")
    input_schema: dict[str, Any] | None = Field(None, description="JSON Schema of the body; http_trigger only.")
    response_schema: dict[str, Any] | None = Field(None, description="JSON Schema of the answer; http_trigger only.")
    response_example: str = Field("", description="An answer as it should look; http_trigger only.")
    metadata: dict[str, Any] = Field({}, description="Free.")

    @field_validator("timeout")
    @classmethod
    def _is_a_time(cls, value: float | None) -> float | None:
        if value is not None and not 0.001 <= value <= TIMEOUT_S:
            raise refusal("is no time-out", f"Write seconds, up to {TIMEOUT_S:g}")
        return value
