"""Hot reload in `vextir dev`: a change of files is built in a process of its own, and taken if nothing is wrong.

What is wrong is told with file and line, and the old drivers and policies stay at work.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from vextir_os.cli.indexing import packs_of
from vextir_os.errors import StaleIndexError, VextirError
from vextir_os.kernel import Kernel
from vextir_os.local.changes import changes
from vextir_os.local.reload import Reload
from vextir_os.policy.model import Bundle
from vextir_os.registry.manifest_json import Index
from vextir_os.settings import Settings

BUILD_S = 60.0
"""Seconds that a build may take: a driver's module may wait for ever while it is imported."""

_END_S = 2.0
SAID_BYTES = 16_000
"""What a build says of problems, at most; one that says more is ended."""

Tell = Callable[[str, Sequence[str], bool], None]
"""Told of a reload in one line, with further lines, and whether it is good news."""


@contextlib.asynccontextmanager
async def reloading(
    kernel: Kernel, index: Index, tell: Tell, *, builds: bool, allow: Callable[[Bundle], None]
) -> AsyncIterator[None]:
    """Exchange drivers and policies whenever their files change, while the body runs.

    Args:
        kernel: The OS.
        index: Its drivers.
        tell: Told of each reload.
        builds: Whether this process builds the index; else it takes the one that another process has built.
        allow: Raises where policies may not be taken by a running OS.
    """
    reload = Reload(kernel, index)
    task = asyncio.create_task(_reload(kernel, reload, tell, builds, allow))
    # What is watched is watched from here on.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await reload.close()


async def _reload(kernel: Kernel, reload: Reload, tell: Tell, builds: bool, allow: Callable[[Bundle], None]) -> None:
    settings = kernel.settings
    try:
        async for _ in changes(settings.root, own=not builds):
            try:
                said = await _exchange(reload, settings, builds, allow)
            except Exception as error:  # noqa: BLE001 - whatever a file holds: the next change is looked at all the same
                said = f"{type(error).__name__}: {error}"
            if isinstance(said, str):
                tell("not reloaded, what runs stays as it is", said.splitlines(), False)
            elif said:
                tell(f"reloaded: {', '.join(said)}", (), True)
    except OSError as error:
        tell("changes of files are not seen any more: start anew to take them", [str(error)], False)


async def _exchange(
    reload: Reload, settings: Settings, builds: bool, allow: Callable[[Bundle], None]
) -> Sequence[str] | str:
    """Take what the files say now; return what has changed, or what is wrong."""
    from vextir_os.policy.loader import load_policies

    problems: list[str] = []
    bundle = index = None
    try:
        bundle = await asyncio.to_thread(load_policies, settings.root / "policies")
        allow(bundle)
    except VextirError as error:
        problems.append(str(error))
    try:
        index = await _index(settings, builds)
    except (VextirError, OSError) as error:
        problems.append(str(error))
    if isinstance(index, str):
        problems.append(index)
    if problems or bundle is None or not isinstance(index, Index):
        return "\n".join(problems)
    try:
        return reload.exchange(index, bundle)
    except VextirError as error:
        return str(error)


async def _index(settings: Settings, builds: bool) -> Index | str:
    """Return the index of the files as they are now, or what is wrong with them."""
    from vextir_os.registry.index import check_fresh, load_index

    def fresh() -> Index | None:
        with contextlib.suppress(StaleIndexError):
            index = load_index(settings.root)
            if not builds or not check_fresh(settings.root, index, packs_of(settings)):
                return index
        return None

    found = await asyncio.to_thread(fresh)
    if found is None and builds:
        wrong = await build_apart(settings.root)
        if wrong:
            return wrong
        found = await asyncio.to_thread(load_index, settings.root)
    return found if found is not None else "there is no usable driver index"


async def build_apart(root: Path) -> str:
    """Build the index in a process of its own, where a module may do what it likes; return what is wrong."""
    # -P: a module in the project's folder must not stand in for one of ours.
    command = [sys.executable, "-P", "-m", "vextir_os.cli", "build", "--project", str(root)]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1"},
    )
    said = b""
    try:
        async with asyncio.timeout(BUILD_S):
            # To its end, whatever it says: a process whose pipe is full is never seen to end.
            while process.stderr is not None and (more := await process.stderr.read(SAID_BYTES)):
                said = (said + more)[:SAID_BYTES]
                if len(said) == SAID_BYTES and process.returncode is None:
                    process.kill()
            code = await process.wait()
    except TimeoutError:
        return f"the build did not end within {BUILD_S:g} s: does a driver's module wait for something?"
    finally:
        if process.returncode is None:
            process.kill()
            # Not longer: what it has started may hold on to the pipe.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_END_S):
                    await process.wait()
    if code == 0:
        return ""
    return said.decode("utf-8", "replace").strip() or f"the build ended with exit code {code}"
