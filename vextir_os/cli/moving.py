"""`vextir export` and `vextir import`: records as lines of JSON, out of one OS and into another, of any number."""

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from vextir_os.cli import screen
from vextir_os.cli.errors import Exit, error_lines
from vextir_os.cli.options import Flag, Project
from vextir_os.cli.project import open_to_read, settings_of
from vextir_os.errors import BlobMismatchError, NotFoundError, StoreError, UsageError
from vextir_os.events.filters import EventFilter
from vextir_os.local.loop import run
from vextir_os.settings import Settings

Terms = Annotated[str, Parameter(help="Terms such as type:mail.*, since:30d, until:2026-06-15; all must hold.")]
BlobsOut = Annotated[
    Path | None,
    Parameter(help="A folder for data over 64 KB, one file each; else it is in its line.", show_default=False),
]
BlobsIn = Annotated[Path | None, Parameter(help="The folder with the files of an export.", show_default=False)]
File = Annotated[str, Parameter(help="The file; - for stdin.", allow_leading_hyphen=True)]
Publish = Annotated[Flag, Parameter(help="Publish the events, which are run then, instead of keeping their history.")]

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


def export(*terms: Terms, blobs: BlobsOut = None, project: Project = None) -> int:
    """Write records to stdout, one per line, the oldest first: event, decision, runs with their outputs."""
    keep = EventFilter.parse(" ".join(terms))
    settings = settings_of(project)
    if blobs is not None:
        try:
            blobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"the folder {blobs} cannot be made: {error.strerror or error}") from None
    return run(_export(settings, keep, blobs))


async def _export(settings: Settings, keep: EventFilter, folder: Path | None) -> int:
    from vextir_os.cli.text import counted, visible_json
    from vextir_os.runs import exporting

    to, hints = screen.stdout(), screen.stderr()
    count, lost = 0, 0
    async with open_to_read(settings) as kernel:
        async for record in exporting.wanted(kernel.store, settings.tenant, keep, now=kernel.clock.time()):
            try:
                line = await exporting.line(record, kernel.blobs, None if folder is None else _keeper(folder))
            except StoreError as error:
                error.where = f"event {record['event_id']}"
                hints.write(*error_lines(hints, error))
                lost += 1
                continue
            to.write(visible_json(line))
            count += 1
    hints.write(f"{counted(count, 'event')} written")
    return Exit.FAILED if lost else Exit.DONE


def import_(file: File, /, *, publish: Publish = False, blobs: BlobsIn = None, project: Project = None) -> int:
    """Bring in the lines of an export: as history, for which nothing runs; twice changes nothing."""
    from vextir_os.cli.importing import bring_in

    return run(bring_in(settings_of(project), file, _fetcher(blobs), publish=publish))


def _keeper(folder: Path) -> Callable[[bytes], Awaitable[str]]:
    from vextir_os.local.keeping.files import beside, put_in_place

    def write(raw: bytes) -> str:
        digest = hashlib.sha256(raw).hexdigest()
        place = folder / digest
        if not place.exists():
            with beside(place) as file:
                file.write_bytes(raw)
                put_in_place(file, place, overwrite=True)
        return digest

    async def keep(raw: bytes) -> str:
        return await asyncio.to_thread(write, raw)

    return keep


def _fetcher(folder: Path | None) -> Callable[[str], Awaitable[bytes]]:
    from vextir_os.cli.files import read_bytes

    async def fetch(digest: str) -> bytes:
        if folder is None:
            raise UsageError("its data is in a file beside the export", hint="Name their folder: --blobs DIR")
        if not _SHA256.fullmatch(digest) or not (folder / digest).is_file():
            raise NotFoundError(f"there is no file {digest[:80]!r} in {folder}")
        raw = read_bytes(folder / digest)
        if hashlib.sha256(raw).hexdigest() != digest:
            raise BlobMismatchError(f"{folder / digest} is damaged: it does not have the hash that is its name")
        return raw

    return fetch
