"""The front matter of `skills/**/SKILL.md`. Imports pydantic."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class SkillPart(BaseModel):
    """What a skill says of itself; keys that other runtimes know stand free."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(max_length=64, pattern=r"^[a-z0-9]+(?:-[a-z0-9]+)*$", description="Lower-case words and hyphens.")
    description: str = Field(min_length=1, description="When to read it.")
    metadata: dict[str, Any] = {}
