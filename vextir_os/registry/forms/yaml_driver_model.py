"""The form of a driver in YAML: `driver: {id: email_assistant, type: agent, system_prompt: …, capabilities: […]}`.

One truth: the reader checks files against this model, and editors get its JSON Schema. Imports pydantic.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)


class DriverPart(BaseModel):
    """What a driver in YAML says of itself; the OS runs it as an agent."""

    model_config = _STRICT

    id: str = Field(description="Lower-case name, unique in the project: email_assistant.")
    type: Literal["agent"] = Field("agent", description="What it is; a driver of another kind needs code.")
    name: str = Field("", description="Name among people; by default the id.")
    version: str = Field("1", description="The driver's own version.")
    description: str = Field("", description="One line that says what it does.")
    model: str = Field("", description="The model it asks for; by default the one of the installation.")
    system_prompt: str = Field(min_length=1, description="Its instructions.")
    tools: list[str] = Field([], description="Tools that it may call: web/search, github/*.")
    capabilities: list[str] = Field(description="Event types or patterns that it handles.")
    permissions: list[str] = Field([], description="What it may use beside its model and its tools: emit:mail.*.")
    timeout: str | int | float = Field("15m", description="Longest turn of one run: 30s, 5m, or seconds.")
    concurrency: int | None = Field(None, description="Runs at once, over all workers.")
    throttle: str | None = Field(None, description="Starts in any period: 100/m.")


class DriverFile(BaseModel):
    """A file drivers/NAME.yml, or drivers/NAME/driver.yml."""

    model_config = _STRICT

    driver: DriverPart
