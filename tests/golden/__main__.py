"""`python -m tests.golden`: makes the golden data of this release, `tests/golden/<version>/`. Done once per release.

Tests of every later release read them with the code of that release, so a folder that is there is never made anew.
"""

import asyncio
import json
import sqlite3
import sys
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path

import vextir_os
from tests.golden.cast import DONE, PLAYED_AT, SOURCE, WAITING, drivers
from tests.support.clock import FakeClock
from tests.support.harness import ALLOW_ALL, an_os
from vextir_os.cli.text import visible_json
from vextir_os.events import jsonio
from vextir_os.events.filters import EventFilter
from vextir_os.local.keeping.backup import make_backup
from vextir_os.policy.model import Match, Policy
from vextir_os.registry.index import build_index, write_index
from vextir_os.runs import exporting

FOLDER = Path(__file__).parent
DENIED = Policy(id="deny", effect="deny", match=Match(action=("process:golden.denied",)), priority=900, reason="no")


async def play(folder: Path) -> list[str]:
    """Play the events in `folder/data`, and return the lines of an export."""
    clock = FakeClock(PLAYED_AT)
    policies = (*ALLOW_ALL, DENIED)
    async with an_os(folder, *drivers(), clock=clock, working=False, draw=0.5, policies=policies) as os:
        await os.publish(*DONE)
        await os.work()
        await os.send(b"this is no event", "m-1")
        await os.work()
        await os.publish(*WAITING)
        records = exporting.wanted(os.kernel.store, "local", EventFilter.parse(""), now=clock.time())
        return [visible_json(await exporting.line(record, os.kernel.blobs, None)) async for record in records]


def make(to: Path) -> None:
    """Make the golden data in a folder that is not there yet."""
    to.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A key that everybody knows, so that these files are the same whoever makes them.
        (folder / "data").mkdir(mode=0o700)
        (folder / "data" / "signing.key").write_text("0123456789abcdef" * 4 + "\n")
        (folder / "data" / "signing.key").chmod(0o600)
        lines = asyncio.run(play(folder))
        make_backup(folder / "data", "local", to / "it.backup")
        with closing(sqlite3.connect(folder / "data" / "vextir.db", isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchone()
            connection.execute("VACUUM")
            rows = connection.execute("SELECT container, body FROM documents ORDER BY row").fetchall()
        with zipfile.ZipFile(to / "data.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for file in ("vextir.db", "signing.key"):
                member = zipfile.ZipInfo(file)
                member.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(member, (folder / "data" / file).read_bytes())
        (folder / "drivers" / "echo").mkdir(parents=True)
        (folder / "drivers" / "echo" / "driver.py").write_text(SOURCE)
        (to / "index.json").write_bytes(write_index(folder, build_index(folder)).read_bytes())
    (to / "export.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    documents = [{"container": container, "document": jsonio.loads(body)} for container, body in rows]
    (to / "documents.json").write_text(json.dumps(documents, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    place = FOLDER / vextir_os.__version__.rpartition(".")[0]
    if place.exists():
        sys.exit(f"{place} is there already: golden data are made once")
    make(place)
    sys.stdout.write(f"{place}\n")
