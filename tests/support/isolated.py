"""Drivers in files, run by an OS as their isolation says, and what is left of their processes."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.drivers import write_driver
from tests.support.harness import Harness, an_os, until
from vextir_os.registry.index import build_index, write_index
from vextir_os.registry.registry import Registry

RETRY_NONE = ", retry=Retry(max_attempts=1)"


def a_driver(
    root: Path, body: str, *, name: str = "bad", options: str = "", top: str = "", form: str = "async "
) -> None:
    """Write a driver `name` for `name.wanted` whose function has this body."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    isolation = "" if "isolation=" in options else ', isolation="process"'
    source = (
        f"from vextir_os import Retry, ThrottledError, TransientError, InvalidError, ForbiddenError\n{top}\n"
        f'@driver("{name}", capabilities=["{name}.wanted"]{isolation}{options})\n'
        f"{form}def run(event: Event, ctx: Context):\n{lines}\n"
    )
    write_driver(root, name, source)


@contextlib.asynccontextmanager
async def an_os_of(root: Path, **options: Any) -> AsyncIterator[Harness]:
    """Run an OS on the drivers that a test wrote below a folder, where their processes have their folders as well."""
    write_index(root, build_index(root))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(root))
        async with an_os(root, registry=Registry.open(root), **options) as os_:
            yield os_


def at_work(root: Path) -> set[int]:
    """Return the processes, of whatever parent, session and environment, that work below a folder and are not dead."""
    found = set()
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and str(Path(entry.path, "cwd").readlink()).startswith(f"{root}/vextir-driver-"):
                state = Path(entry.path, "stat").read_text().rpartition(")")[2].split()[0]
                found |= set() if state in "ZX" else {int(entry.name)}
    return found


async def gone(root: Path, but: int = 0, within_s: float = 2.0) -> None:
    """Wait until so many processes at most work below a folder."""

    async def is_over() -> bool:
        return len(at_work(root)) <= but

    await until(is_over, within_s)
