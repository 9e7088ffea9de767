"""Codes of the store, the queue and the blobs, met on real files: 5xx."""

import contextlib
import sqlite3
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path

from tests.docs.provoked.seen import Provocation, Seen, raised
from tests.support.clock import FakeClock
from tests.support.harness import an_os
from vextir_os.adapters.sqlite.entities import EntityProperties
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.events.event import Event
from vextir_os.local.keeping.backup import make_backup
from vextir_os.local.keeping.restore import restore_backup
from vextir_os.ports.blobs import BlobRef
from vextir_os.ports.queue import Message

DOCUMENT = {"id": "r1", "pk": "p", "v": 1}


@contextlib.asynccontextmanager
async def a_storage(folder: Path, **given: float) -> AsyncIterator[SqliteStorage]:
    async with open_storage(folder / "vextir.db", **given) as storage:  # type: ignore[arg-type]  # numbers by name
        await storage.broker.declare("events")
        await storage.broker.declare("ordered", EntityProperties(requires_session=True))
        yield storage


async def refused(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        run = lambda connection, _now: connection.execute("SELECT nothing FROM nowhere")  # noqa: E731
        return await raised(lambda: storage.store._database.submit(run))


async def not_found(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        return await raised(lambda: storage.store.read("events", "p", "r1"))


async def exists(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        await storage.store.create("events", DOCUMENT)
        return await raised(lambda: storage.store.create("events", DOCUMENT))


async def conflict(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        await storage.store.create("events", DOCUMENT)
        return await raised(lambda: storage.store.replace("events", DOCUMENT, if_match="a"))


async def unavailable(folder: Path) -> Seen:
    (folder / "vextir.db").mkdir()
    return await raised(open_storage(folder / "vextir.db").start)


async def busy(folder: Path) -> Seen:
    async with a_storage(folder, busy_timeout_s=0.01) as storage:
        with contextlib.closing(sqlite3.connect(folder / "vextir.db")) as other:
            other.execute("BEGIN IMMEDIATE")
            return await raised(lambda: storage.store.create("events", DOCUMENT))


async def full(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        pages = (folder / "vextir.db").stat().st_size // 4096
    async with a_storage(folder, max_pages=max(pages, 1)) as storage:
        return await raised(lambda: storage.store.create("events", {**DOCUMENT, "text": "x" * 500_000}))


async def corrupt(folder: Path) -> Seen:
    path = folder / "vextir.db"
    async with a_storage(folder):
        pass
    raw = path.read_bytes()
    path.write_bytes(raw[:100] + b"\xff" * (len(raw) - 100))
    return await raised(open_storage(path).start)


async def foreign(folder: Path) -> Seen:
    (folder / "vextir.db").write_text("# notes\n", encoding="utf-8")
    return await raised(open_storage(folder / "vextir.db").start)


async def lock_lost(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        queue = storage.queue("events")
        await queue.send([Message(id="m-1", body=b"{}")])
        (delivery,) = await queue.receive(1, 0)
        await queue.complete(delivery.token)
        return await raised(lambda: queue.complete(delivery.token))


async def session_locked(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        await storage.broker.accept_session("ordered", "customer-7", 0)
        return await raised(lambda: storage.broker.accept_session("ordered", "customer-7", 0))


async def blob_mismatch(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        await storage.blobs.put("r1/data", b"what was written since")
        return await raised(lambda: storage.blobs.get(BlobRef.of("r1/data", b"what was promised")))


async def invalid_request(folder: Path) -> Seen:
    async with a_storage(folder) as storage:
        return await raised(lambda: storage.blobs.put("data", b"x"))


async def queue_full(folder: Path) -> Seen:
    clock = FakeClock()
    async with an_os(folder, clock=clock, working=False, max_queue_depth=1) as os:
        for number in range(2):
            await os.publish(Event(id=f"e-{number}", type="order.placed"))
            clock.advance(1)
        return await raised(lambda: os.publish(Event(type="order.placed")))


async def disk_low(folder: Path) -> Seen:
    async with an_os(folder, working=False, max_database=1) as os:
        return await raised(lambda: os.publish(Event(type="order.placed")))


async def backup(folder: Path) -> Seen:
    (folder / "monday.vxb").write_bytes(b"not a backup")
    return await raised(partial(restore_backup, folder / "monday.vxb", folder / "data"))


async def in_use(folder: Path) -> Seen:
    async with an_os(folder, working=False):
        make_backup(folder / "data", "local", folder / "monday.vxb")
    return await raised(partial(restore_backup, folder / "monday.vxb", folder / "data"))


async def gone(folder: Path) -> Seen:
    clock = FakeClock()
    async with open_storage(folder / "vextir.db", clock, memories={"events": 600.0}) as storage:
        await storage.store.create("events", {**DOCUMENT, "ttl": 60})
        clock.advance(120)
        return await raised(lambda: storage.store.read("events", "p", "r1"))


OF_STORE: Mapping[str, Provocation] = {
    "VX500": refused,
    "VX501": not_found,
    "VX502": exists,
    "VX503": conflict,
    "VX504": unavailable,
    "VX505": busy,
    "VX506": full,
    "VX507": corrupt,
    "VX508": foreign,
    "VX509": lock_lost,
    "VX510": session_locked,
    "VX511": blob_mismatch,
    "VX512": invalid_request,
    "VX514": queue_full,
    "VX515": disk_low,
    "VX516": backup,
    "VX517": in_use,
    "VX518": gone,
}
