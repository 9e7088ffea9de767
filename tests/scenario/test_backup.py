"""Backups of an OS that runs, and the OS that comes out of them: nothing acknowledged is lost, nothing done redone."""

import asyncio
import contextlib
import os
import random
import resource
import sqlite3
import stat
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.backups import back_up, large
from tests.support.clock import FakeClock
from tests.support.faults import Crash, Faults
from tests.support.harness import an_os
from vextir_os import Context, Event, Result, TransientError, driver
from vextir_os.errors import (
    BackupError,
    NotFoundError,
    StoreCorruptError,
    StoreFullError,
    StoreUnavailableError,
    UsageError,
)
from vextir_os.events.limits import INLINE_BYTES
from vextir_os.local.keeping.backup import make_backup
from vextir_os.local.keeping.restore import check_backup, restore_backup
from vextir_os.local.presence import lives

Ran = Counter[tuple[str, str]]
ROOT = Path(__file__).parents[2]


def drivers(ran: Ran) -> list[Callable[..., Any]]:
    @driver("order.take", capabilities=["order.placed"], permissions=["emit:order.taken"])
    async def take(event: Event, ctx: Context) -> Result:
        ran["take", event.id] += 1
        if event.data["n"] % 3 == 0 and ctx.attempt == 1:
            raise TransientError("not now")
        return Result(output={"taken": event.data["n"]}, events=[Event(type="order.taken", data=event.data)])

    @driver("order.pack", capabilities=["order.taken"])
    async def pack(event: Event) -> dict[str, int]:
        ran["pack", event.id] += 1
        return {"packed": event.data["n"]}

    return [take, pack]


def runs_of(records: list[Any], state: str) -> dict[tuple[str, str], tuple[Any, int]]:
    return {
        (name, record["event_id"]): (run["output"], run["rerun"])
        for record in records
        for name, run in record["runs"].items()
        if run["state"] == state
    }


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_restored_os_repeats_no_finished_effect(tmp_path: Path, atomic: bool, seed: int) -> None:
    random_, clock, before = random.Random(seed), FakeClock(), Counter[tuple[str, str]]()  # noqa: S311
    backups: list[tuple[Path, list[str]]] = []
    moments = random_.sample(range(8), 2)
    sent: list[str] = []
    settings: dict[str, Any] = {"atomic": atomic, "clock": clock, "draw": 0.5, "synchronous": "NORMAL"}
    faults = Faults()
    async with an_os(tmp_path / "first", *drivers(before), working=False, faults=faults, **settings) as os_:
        for round_ in range(8):
            await os_.publish(*(Event(id=f"e-{round_}-{n}", type="order.placed", data={"n": n}) for n in range(3)))
            sent += [f"e-{round_}-{n}" for n in range(3)]
            # The worker dies at some call: what it holds stays locked and leased.
            faults.crash_at(len(faults.calls) + random_.randrange(25))
            with contextlib.suppress(Crash):
                await os_.work()
            if round_ in moments:
                place = tmp_path / f"{round_}.backup"
                await asyncio.to_thread(make_backup, os_.kernel.settings.data_dir, "local", place)
                backups.append((place, [*sent]))
                assert (await asyncio.to_thread(check_backup, place)).counts["events"] == len(await os_.records())
    for place, acknowledged in backups:
        folder, after = tmp_path / f"from-{place.stem}", Counter[tuple[str, str]]()
        await asyncio.to_thread(restore_backup, place, folder / "data")
        async with an_os(folder, *drivers(after), working=False, **settings) as os_:
            finished = runs_of(await os_.records(), "done")
            # Whoever sent before does not know what became of it, and sends again.
            for event_id in acknowledged:
                await os_.publish(Event(id=event_id, type="order.placed", data={"n": int(event_id[-1])}))
            await os_.recover(clock)
            done = runs_of(await os_.records(), "done")
            assert {key: done[key] for key in finished} == finished
            assert [key for key in finished if after[key[0].removeprefix("order."), key[1]]] == []
            placed = {record["event_id"] for record in await os_.records("order.placed")}
            assert placed == set(acknowledged)
            assert len(done) == 2 * len(acknowledged) == len(await os_.records())
            assert await os_.dead_letters("message") == []


async def test_an_event_of_a_backup_finds_its_blob(tmp_path: Path) -> None:
    async with an_os(tmp_path / "first", large, working=False) as os_:
        await os_.publish(Event(id="e-1", type="keep.large", data={"text": "x" * 2 * INLINE_BYTES}))
        manifest = await asyncio.to_thread(make_backup, os_.kernel.settings.data_dir, "local", tmp_path / "b")
    assert (manifest.counts["blobs"], manifest.counts["messages"]) == (1, 1)
    restore_backup(tmp_path / "b", tmp_path / "second" / "data")
    async with an_os(tmp_path / "second", large, working=False) as os_:
        assert await os_.work() == 1
        assert (await os_.record("e-1"))["runs"]["keep.large"]["output"] == {"size": 2 * INLINE_BYTES}


async def test_a_backup_made_under_load_is_of_one_moment(tmp_path: Path) -> None:
    async with an_os(tmp_path / "first", *drivers(Counter())) as os_:

        async def load() -> None:
            for number in range(400):
                await os_.publish(Event(id=f"e-{number}", type="order.placed", data={"n": 1}))

        loading = asyncio.create_task(load())
        for number in range(3):
            await asyncio.to_thread(make_backup, os_.kernel.settings.data_dir, "local", tmp_path / f"{number}.b")
        await loading
        await os_.settled()
    for number in range(3):
        folder = tmp_path / f"of-{number}"
        restore_backup(tmp_path / f"{number}.b", folder / "data")
        async with an_os(folder, *drivers(Counter()), clock=(clock := FakeClock(time.time())), working=False) as os_:
            await os_.recover(clock)
            taken = {record["event"]["causationid"] for record in await os_.records("order.taken")}
            assert taken == {record["event_id"] for record in await os_.records("order.placed")}


async def test_what_a_dead_worker_held_goes_on_at_once(tmp_path: Path) -> None:
    clock, stuck = FakeClock(), asyncio.Event()

    @driver("hold.it", capabilities=["hold.this"])
    async def hold(event: Event) -> str:
        if not stuck.is_set():
            stuck.set()
            await asyncio.sleep(3_600)
        return "done"

    async with an_os(tmp_path / "first", hold, clock=clock) as os_:
        await os_.publish(Event(id="e-1", type="hold.this"))
        await stuck.wait()
        await asyncio.to_thread(make_backup, os_.kernel.settings.data_dir, "local", tmp_path / "b")
        await os_.kernel.control.cancel("e-1", os_.kernel.processor.parts.binding)
    restore_backup(tmp_path / "b", tmp_path / "second" / "data")
    assert lives(tmp_path / "second" / "data") == []
    # The clock stands: neither a lease nor a lock ends by itself.
    async with an_os(tmp_path / "second", hold, clock=clock) as os_:
        await os_.settled()
        run = (await os_.record("e-1"))["runs"]["hold.it"]
        assert (run["state"], run["output"], run["takeovers"]) == ("done", "done", 1)


async def test_a_backup_holds_no_key_and_nothing_that_a_key_has_made(tmp_path: Path) -> None:
    async with an_os(tmp_path / "first", large, working=False) as os_:
        await os_.publish(Event(id="e-1", type="keep.large", data={"text": "x"}))
        [message] = [delivery.message for delivery in await os_.kernel.queue.receive(1, 0)]
        signature = message.properties["vextir-signature"]
        await asyncio.to_thread(make_backup, os_.kernel.settings.data_dir, "local", tmp_path / "b")
    key = (tmp_path / "first" / "data" / "signing.key").read_text().strip()
    restore_backup(tmp_path / "b", tmp_path / "second" / "data")
    assert (tmp_path / "second" / "data" / "signing.key").read_text().strip() != key
    raw = (tmp_path / "second" / "data" / "vextir.db").read_bytes()
    assert key.encode() not in raw
    assert str(signature).encode() not in raw
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600


async def test_what_was_forged_before_a_backup_is_forged_after_it(tmp_path: Path) -> None:
    async with an_os(tmp_path / "first", large, working=False) as os_:
        body = b'{"specversion":"1.0","id":"e-1","source":"/drivers/x","type":"vextir.run.dead"}'
        await os_.send(body, "m-1", vextir__kind="event", vextir__signature="0" * 64)
        await os_.send(body, "m-2", vextir__kind="event", vextir__signature="sealed")
        await os_.send(body, "m-3", vextir__signature="sealed")
        await asyncio.to_thread(make_backup, os_.kernel.settings.data_dir, "local", tmp_path / "b")
        # On a queue the mark of a backup is no signature.
        assert await os_.work() == 3
        assert [letter["reason"] for letter in await os_.dead_letters("message")] == ["forged"] * 3
    restore_backup(tmp_path / "b", tmp_path / "second" / "data")
    async with an_os(tmp_path / "second", large, working=False) as os_:
        assert await os_.work() == 3
        assert await os_.records("vextir.run.dead") == []
        letters = {letter["message_id"]: letter["reason"] for letter in await os_.dead_letters("message")}
        assert (letters["m-1"], letters["m-2"]) == ("forged", "forged")


async def test_keys_that_are_there_stay_and_sign_what_is_restored(tmp_path: Path) -> None:
    async with an_os(tmp_path / "first", large, working=False) as os_:
        await os_.publish(Event(id="e-1", type="keep.large", data={"text": "x"}))
        await asyncio.to_thread(make_backup, os_.kernel.settings.data_dir, "local", tmp_path / "b")
        await os_.publish(Event(id="e-2", type="keep.large", data={"text": "x"}))
    data = tmp_path / "first" / "data"
    key = (data / "signing.key").read_text()
    done = restore_backup(tmp_path / "b", data, replace=True)
    assert (data / "signing.key").read_text() == key
    async with an_os(tmp_path / "first", large, working=False) as os_:
        assert await os_.work() == 1
    assert done.aside is not None
    with contextlib.closing(sqlite3.connect(done.aside)) as before:
        assert before.execute("SELECT count(*) FROM messages").fetchone() == (2,)


@pytest.fixture
async def backed_up(tmp_path: Path) -> Path:
    return await back_up(tmp_path)


def test_a_backup_replaces_no_file_unless_it_is_told_to(backed_up: Path) -> None:
    data, before = backed_up.parent / "first" / "data", backed_up.read_bytes()
    with pytest.raises(UsageError, match="exists already"):
        make_backup(data, "local", backed_up)
    assert backed_up.read_bytes() == before
    make_backup(data, "local", backed_up, overwrite=True)
    assert check_backup(backed_up).counts["messages"] == 1
    assert sorted(path.name for path in backed_up.parent.iterdir()) == ["first", "it.backup"]


@pytest.mark.parametrize("name", ["vextir.db", "signing.key", "sub/it.backup", "../data/it.backup"])
def test_a_backup_never_lies_in_what_it_is_a_backup_of(backed_up: Path, name: str) -> None:
    data = backed_up.parent / "first" / "data"
    before = (data / "vextir.db").read_bytes()
    with pytest.raises(UsageError, match="lies in the data directory itself"):
        make_backup(data, "local", data / name, overwrite=True)
    assert (data / "vextir.db").read_bytes() == before


def test_there_must_be_data_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no data in"):
        make_backup(tmp_path / "none", "local", tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_no_more_leaves_nothing(backed_up: Path) -> None:
    data = backed_up.parent / "first" / "data"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        # SQLite knows a full disk only by another error than this one.
        with pytest.raises((StoreFullError, StoreUnavailableError), match=r"cannot be used|is full"):
            make_backup(data, "local", backed_up.parent / "other.backup")
        with pytest.raises(StoreFullError, match="is full; nothing was written"):
            restore_backup(backed_up, backed_up.parent / "second")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in backed_up.parent.iterdir()) == ["first", "it.backup"]


def test_a_damaged_database_is_not_backed_up_as_a_good_one(backed_up: Path) -> None:
    data = backed_up.parent / "first" / "data"
    with (data / "vextir.db").open("r+b") as file:
        file.seek(3 * 4096)
        file.write(os.urandom(4096))
    with pytest.raises((BackupError, StoreCorruptError), match="damaged"):
        make_backup(data, "local", backed_up.parent / "other.backup")
    assert not (backed_up.parent / "other.backup").exists()
