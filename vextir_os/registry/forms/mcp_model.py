"""The form of `mcp.json`: which MCP servers there are. Reads what the runtimes of others read, and says no to the rest.

Imports pydantic. Connecting to a server is not its business.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from vextir_os.registry.forms.agent_model import CLOSED
from vextir_os.registry.forms.refusal import refusal

_REMOTE = ("http", "streamable-http")


class ServerAuth(BaseModel):
    """A token of the managed identity, over the static headers."""

    model_config = CLOSED
    scope: str = Field(min_length=1)
    client_id: str = ""


class Server(BaseModel):
    """One MCP server: a URL, or a program that is started."""

    model_config = CLOSED

    type: Literal["http", "streamable-http", "stdio"] | None = None
    url: str | None = None
    headers: dict[str, str] = {}
    auth: ServerAuth | None = None
    command: str | None = None
    args: list[str] = []
    env: dict[str, str] = {}
    cwd: str | None = None
    envFile: str | None = None  # noqa: N815  (the key as it is written)
    tools: list[str] = ["*"]
    effects: dict[str, Any] = {}
    timeout: float | None = Field(None, gt=0)
    disabled: bool = False
    oauth: dict[str, Any] | None = None
    sandboxEnabled: bool | None = None  # noqa: N815
    sandbox: dict[str, Any] | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_one_of_two(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            if value.get("type") == "sse":
                raise refusal("is of type `sse`, which MCP has given up", 'Write "type": "http"')
            remote = value.get("type") in _REMOTE or "url" in value
            if remote and "command" in value:
                raise refusal("has a `url` and a `command`", "Keep one of them")
            if remote and not value.get("url"):
                raise refusal("has no `url`", "Write where the server is")
            if not remote and not value.get("command"):
                raise refusal("has neither `url` nor `command`", "Write where the server is, or what starts it")
        return value


class McpFile(BaseModel):
    """The file mcp.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    servers: dict[str, Server] | None = None
    mcpServers: dict[str, Server] | None = None  # noqa: N815
    inputs: list[dict[str, Any]] = []

    @model_validator(mode="after")
    def _has_one_list(self) -> "McpFile":
        if (self.servers is None) == (self.mcpServers is None):
            both = self.servers is not None
            raise refusal("has both `servers` and `mcpServers`" if both else "has no `servers`", "Keep `servers`")
        return self

    def all(self) -> Mapping[str, Server]:
        """Return the servers by name."""
        return self.servers or self.mcpServers or {}
