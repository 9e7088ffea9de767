"""The form of `agents.config.yaml`, which holds for all agents of a project. Imports pydantic."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag, field_validator

from vextir_os.registry.forms.agent_model import CLOSED, TIMEOUT_S, Auth, Excluding
from vextir_os.registry.forms.refusal import refusal

BYTES = 10_000_000
"""Largest request or answer of `web_request` that may be asked for."""


def _form(value: Any) -> str:
    return "mapping" if isinstance(value, (dict, BaseModel)) else "switch"


class Sessions(BaseModel):
    """Where code is run."""

    model_config = CLOSED
    endpoint: str = Field(min_length=1)
    client_id: str = ""


class WebRequest(BaseModel):
    """What `web_request` may reach."""

    model_config = CLOSED
    allowed_hosts: list[str] = []
    require_https: bool = True
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = 30
    max_response_bytes: Annotated[int, Field(gt=0, le=BYTES)] = 5_000_000
    max_request_bytes: Annotated[int, Field(gt=0, le=BYTES)] = 1_000_000

    @field_validator("allowed_hosts")
    @classmethod
    def _are_exact(cls, value: list[str]) -> list[str]:
        if any("*" in host or "/" in host for host in value):
            raise refusal("are no exact names of hosts", "Write each host: api.example.com")
        return value


class ConfiguredTools(BaseModel):
    """Tools of the runtime itself."""

    model_config = CLOSED
    dynamic_sessions_code_interpreter: Sessions | None = None
    web_request: Annotated[
        Annotated[Literal[False], Tag("switch")] | Annotated[WebRequest, Tag("mapping")], Discriminator(_form)
    ] = WebRequest()


class AgentsConfig(BaseModel):
    """The file agents.config.yaml."""

    model_config = CLOSED

    model: str = Field("", description="The model of agents that name none.")
    timeout: float | None = Field(None, description="Longest turn of agents that say nothing, in seconds.")
    tools: Excluding = Field(Excluding(), description="Tools that no agent gets.")
    http_auth: Auth | None = Field(None, description="Who may call agents that say nothing.")
    system_tools: ConfiguredTools = Field(ConfiguredTools(), description="Tools of the runtime itself.")

    @field_validator("timeout")
    @classmethod
    def _is_a_time(cls, value: float | None) -> float | None:
        if value is not None and not 0.001 <= value <= TIMEOUT_S:
            raise refusal("is no time-out", f"Write seconds, up to {TIMEOUT_S:g}")
        return value
