"""What earlier releases have written is read by this one: data directories, backups, exports, documents, indexes."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.golden.__main__ import make
from tests.golden.cast import DONE, PLAYED_AT, WAITING, drivers
from tests.support.clock import FakeClock
from tests.support.harness import ANN, Harness, an_os
from vextir_os.errors import StaleIndexError
from vextir_os.local.keeping.migrating import migrate_copy
from vextir_os.local.keeping.restore import check_backup, restore_backup
from vextir_os.processor.importing import Importer
from vextir_os.registry.manifest_json import decode_index
from vextir_os.runs import history, reading
from vextir_os.runs.kinds import unreadable
from vextir_os.runs.letters import letter_view

BOTH = pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])
RELEASES = sorted(path for path in Path(__file__).parent.iterdir() if path.name[:1].isdigit())
AFTER = {"g-1": "ok", "g-2": "failed", "g-3": "ok", "g-4": "unrouted", "g-5": "denied", "g-6": "ok", "g-7": "queued"}

pytestmark = pytest.mark.parametrize("release", RELEASES, ids=lambda path: path.name)


@pytest.fixture
def data(release: Path, tmp_path: Path) -> Path:
    """A project folder with a copy of the release's data directory."""
    with zipfile.ZipFile(release / "data.zip") as archive:
        archive.extractall(tmp_path / "data")
    (tmp_path / "data" / "signing.key").chmod(0o600)
    return tmp_path


async def statuses(os: Harness) -> dict[str, str]:
    return {record["event_id"]: reading.row(record)["status"] for record in await os.records()}


async def goes_on(folder: Path, atomic: bool) -> None:
    """Check that the OS of a folder knows what was done, and ends what was not."""
    clock = FakeClock(PLAYED_AT)
    async with an_os(folder, *drivers(), clock=clock, atomic=atomic, working=False, draw=0.5) as os:
        before = {record["event_id"]: record["runs"] for record in await os.records()}
        known = await statuses(os)
        assert {name: known[name] for name in AFTER} == AFTER
        # Sent again, what is known does not run again.
        await os.publish(*DONE)
        await os.work()
        after = {record["event_id"]: record["runs"] for record in await os.records()}
        assert {name: after[name] for name in AFTER if name != "g-7"} == {
            name: before[name] for name in AFTER if name != "g-7"
        }
        await os.recover(clock)
        end = await statuses(os)
        assert {event.id: end[event.id] for event in WAITING} == {"w-1": "ok", "w-2": "ok", "w-3": "ok"}
        assert (await os.record("g-7"))["runs"]["golden.later"]["output"] == "came back"
        [letter] = await os.dead_letters("run")
        await os.kernel.dead_letters.replay(letter["id"], ANN)
        await os.recover(clock)
        assert (await statuses(os))["g-2"] == "ok"
        [message] = await os.dead_letters("message")
        assert letter_view(message)["body"]["text"] == "this is no event"


@BOTH
async def test_its_data_directory_goes_on(data: Path, atomic: bool) -> None:
    await goes_on(data, atomic)


@BOTH
async def test_its_backup_is_restored_and_goes_on(release: Path, tmp_path: Path, atomic: bool) -> None:
    assert check_backup(release / "it.backup").counts["events"] >= len(AFTER)
    restore_backup(release / "it.backup", tmp_path / "data")
    await goes_on(tmp_path, atomic)


async def test_its_export_is_imported(release: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (release / "export.jsonl").read_text(encoding="utf-8").splitlines()]

    async def none(_digest: str) -> bytes:
        raise AssertionError("all data is in the lines")

    async with an_os(tmp_path, *drivers(), clock=FakeClock(PLAYED_AT), working=False) as os:
        taken = await Importer(os.kernel.processor.parts, none).take(lines, ANN)
        of = {line["event"]["id"]: what for line, what in zip(lines, taken, strict=True)}
        assert {name: what for name, what in of.items() if what != "imported"} == {"g-7": "unfinished"}
        found = await statuses(os)
        assert {name: found[name] for name in AFTER if name != "g-7"} == {
            name: status for name, status in AFTER.items() if name != "g-7"
        }


def test_its_documents_are_read(release: Path) -> None:
    documents: list[dict[str, Any]] = json.loads((release / "documents.json").read_text(encoding="utf-8"))
    assert {one["container"] for one in documents} == {"events", "deadletters", "state"}
    assert [why for one in documents if (why := unreadable(one["document"]))] == []
    for one in documents:
        if one["container"] == "events":
            assert reading.view(one["document"])["status"] in {*AFTER.values(), "ok"}
            assert history.check_line(history.exported(one["document"]))


def test_its_database_is_brought_up_to_date_without_a_problem(data: Path) -> None:
    assert migrate_copy(data / "data").problems == []


def test_its_driver_index_is_read_or_said_to_be_stale(release: Path) -> None:
    try:
        found = [manifest.id for manifest in decode_index((release / "index.json").read_bytes()).manifests]
    except StaleIndexError as error:
        # It is made anew from the drivers, so it need not be read for ever.
        found = [error.hint]
    assert found in (["golden.echo"], ["Run: vextir build"])


def test_golden_data_are_small(release: Path) -> None:
    assert sum(path.stat().st_size for path in release.rglob("*") if path.is_file()) < 150_000


def test_they_are_made_by_what_is_here(release: Path, tmp_path: Path) -> None:
    make(tmp_path / "new")
    made = {path.relative_to(tmp_path / "new") for path in (tmp_path / "new").rglob("*")}
    assert {path.relative_to(release) for path in release.rglob("*")} <= made
