"""Seeing that files of a project change: its drivers, policies and agents. Says that something did, not what."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vextir_os.registry.forms.files import AGENT_FOLDERS, CONFIG, SERVERS

if TYPE_CHECKING:
    from watchfiles import Change

FOLDERS = ("drivers", "policies", "agents", "skills", "tools")
"""Folders of a project whose files are seen, at any depth; of the project's own folder the files in it."""

_STEP_MS = 50
_LONGEST_MS = 1_000
_OWN = frozenset({"index.json"})
_SUFFIXES = frozenset({".py", ".md", ".yaml", ".yml", ".json", ".toml", ".txt"})


def matters(path: str, *, own: bool) -> bool:
    """Whether a file that has changed may mean other drivers or policies.

    Args:
        path: Of the file.
        own: Whether the index, which the OS writes by itself, is meant too.
    """
    name = Path(path).name
    if name in _OWN:
        return own
    return not name.startswith((".", "_")) and "__pycache__" not in path and Path(name).suffix in {"", *_SUFFIXES}


def matters_beside(path: str) -> bool:
    """Whether a file in the project's own folder may mean other drivers: an agent, or what agents share.

    Others may change all the time: a log that somebody writes there must not be what makes its next line.
    """
    name = Path(path).name
    return name.lower().endswith(".md") or name in {CONFIG, SERVERS, *FOLDERS, *AGENT_FOLDERS}


async def changes(root: Path, *, own: bool = False) -> AsyncIterator[None]:
    """Yield whenever files have changed and then stood still for a moment; until cancelled.

    Args:
        root: The project root.
        own: Whether a new index counts, for a process that builds none.

    Raises:
        OSError: The system watches no more files.
    """
    seen = asyncio.Event()
    while True:
        folders = [root / name for name in FOLDERS if (root / name).is_dir()]
        watching = [asyncio.create_task(_watch([root], seen, deep=False, own=own))]
        if folders:
            watching.append(asyncio.create_task(_watch(folders, seen, deep=True, own=own)))
        try:
            # A folder that comes, or goes, is another thing to watch.
            while folders == [root / name for name in FOLDERS if (root / name).is_dir()]:
                await _seen_or_failed(seen, watching)
                seen.clear()
                yield
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)


async def _watch(paths: Sequence[Path], seen: asyncio.Event, *, deep: bool, own: bool) -> None:
    from watchfiles import awatch

    def is_meant(_change: "Change", path: str) -> bool:
        return matters(path, own=own) and (deep or matters_beside(path))

    async for _ in awatch(*paths, watch_filter=is_meant, recursive=deep, step=_STEP_MS, debounce=_LONGEST_MS):
        seen.set()


async def _seen_or_failed(seen: asyncio.Event, watching: Sequence["asyncio.Task[None]"]) -> None:
    waiting = asyncio.create_task(seen.wait())
    try:
        await asyncio.wait([waiting, *watching], return_when=asyncio.FIRST_COMPLETED)
        for task in watching:
            if task.done():
                error = None if task.cancelled() else task.exception()
                raise OSError(f"nothing is watched any more: {error}") from error
    finally:
        waiting.cancel()
