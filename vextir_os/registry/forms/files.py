"""Which files of a folder declare drivers, and which ones such drivers read. Looks at names; opens nothing.

Agents stand in the folder itself and in its `agents/`, no deeper; YAML drivers beside the driver folders, or in one.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

AGENT_FOLDERS = ("agents", "Agents")
CONFIG = "agents.config.yaml"
SERVERS = "mcp.json"
SKILLS = "skills"
SKILL = "SKILL.md"
TOOLS = "tools"
MAIN_SLUG = "main"

NO_TEXT = "the name of the file holds bytes or marks that are no text"
RENAME = "Rename it, with letters, digits, `-` and `_`"

_AGENT = re.compile(r"(?P<stem>.+)\.(?:agent|claude)\.md", re.IGNORECASE | re.DOTALL)
_BARE = re.compile(r"(?:agent|claude)\.md", re.IGNORECASE)
_FOREIGN = re.compile(r"[^A-Za-z0-9_]")
_YAML = (".yml", ".yaml")


class AgentFile(NamedTuple):
    """A file that may declare an agent; a bare one has no name of its own and is the agent `main`."""

    path: Path
    slug: str
    bare: bool


def is_text(name: str) -> bool:
    """Whether a file name is text: other bytes stand in it as halves of surrogate pairs, which no JSON can hold."""
    return name.isprintable()


def agent_files(folder: Path) -> list[AgentFile]:
    """Return the files that declare agents, in the order of their paths."""
    homes = [folder, *(path for path in _entries(folder) if path.name in AGENT_FOLDERS and path.is_dir())]
    found = []
    for path in (path for home in homes for path in _entries(home) if path.is_file()):
        named = _AGENT.fullmatch(path.name)
        if named:
            found.append(AgentFile(path, slug_of(named["stem"]), bare=False))
        elif _BARE.fullmatch(path.name):
            found.append(AgentFile(path, MAIN_SLUG, bare=True))
    return found


def slug_of(stem: str) -> str:
    """Return the name that programs know an agent by: `daily-report` is `daily_report`."""
    slug = _FOREIGN.sub("_", stem).strip("_")
    if slug[:1].isdigit():
        return f"fn_{slug}"
    return slug or "agent_function"


def yaml_drivers(folder: Path) -> list[Path]:
    """Return the YAML files beside the driver folders, and those named `driver` in one, by path."""
    found = []
    for path in _entries(folder):
        if path.suffix.lower() in _YAML and path.is_file():
            found.append(path)
        elif path.is_dir() and not path.name.startswith("_"):
            found += [inner for inner in _entries(path) if is_yaml_driver(inner)]
    return found


def is_yaml_driver(path: Path) -> bool:
    """Whether a file of a driver folder declares a driver in YAML."""
    return path.stem == "driver" and path.suffix.lower() in _YAML and path.is_file()


def skill_files(folder: Path) -> list[Path]:
    """Return the `SKILL.md` of each skill, by path."""
    return [path for path in sorted((folder / SKILLS).rglob(SKILL)) if path.is_file()]


def tool_files(folder: Path) -> list[Path]:
    """Return the files that hold tools of the project, by name. They are listed, never imported here."""
    return [path for path in _entries(folder / TOOLS) if path.suffix == ".py" and not path.name.startswith("_")]


def shared_files(folder: Path) -> Iterator[Path]:
    """Yield the files beside the agents that say what an agent is: configuration, servers, skills, tools."""
    for name in (CONFIG, SERVERS):
        if (folder / name).is_file():
            yield folder / name
    yield from skill_files(folder)
    yield from tool_files(folder)


def _entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
