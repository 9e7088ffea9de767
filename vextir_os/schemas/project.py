"""What a project is called: from its pyproject.toml, else from its folder."""

import tomllib
from pathlib import Path
from typing import Any

from vextir_os.schemas.asyncapi import Info
from vextir_os.settings import Settings

_FILE_BYTES = 1_000_000


def info_of(settings: Settings) -> Info:
    """Return name, version and description of a project, and where its HTTP API is.

    A pyproject.toml that cannot be read is somebody else's to complain of: then the folder's name counts.
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    named = _project_table(settings.root / "pyproject.toml")
    return Info(
        title=_text(named, "name") or settings.root.resolve().name or "project",
        version=_text(named, "version") or "0",
        description=_text(named, "description"),
        host=f"{host}:{settings.port}" if settings.port else host,
    )


def _project_table(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _FILE_BYTES:
            return {}
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("project", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return {}
    return table if isinstance(table, dict) else {}


def _text(table: dict[str, Any], name: str) -> str:
    value = table.get(name, "")
    return value if isinstance(value, str) else ""
