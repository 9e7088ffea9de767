"""The writer: groups, savepoints, durability levels, waiting receivers, and the end."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.clock import FakeClock
from vextir_os.adapters.sqlite import documents, receive, sessions
from vextir_os.adapters.sqlite.core import LOCKED, Core
from vextir_os.adapters.sqlite.database import Database
from vextir_os.adapters.sqlite.engine import Engine
from vextir_os.adapters.sqlite.storage import SqliteStorage, open_storage
from vextir_os.adapters.sqlite.units import Waiter
from vextir_os.errors import AlreadyExistsError, NotFoundError, StoreFullError, StoreUnavailableError
from vextir_os.ports.queue import Message
from vextir_os.ports.store import Where


def prepare(connection: sqlite3.Connection, _now: float) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS t(a)")


def rows(connection: sqlite3.Connection, _now: float) -> list[int]:
    return [value for (value,) in connection.execute("SELECT a FROM t ORDER BY rowid")]


class CountingEngine(Engine):
    """Counts the commits."""

    commits = 0

    def committed(self) -> None:
        self.commits += 1
        super().committed()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(str(tmp_path / "v.db"), clock=FakeClock(), companion=Engine(Core()))
    await database.start(prepare)
    yield database
    await database.close()


async def test_units_of_one_turn_share_one_transaction(tmp_path: Path) -> None:
    engine = CountingEngine(Core())
    database = Database(str(tmp_path / "v.db"), clock=FakeClock(), companion=engine)
    await database.start(prepare)
    engine.commits = 0
    await asyncio.gather(*(database.submit(rows) for _ in range(50)))
    assert engine.commits == 1
    await database.submit(rows)
    await database.submit(rows)
    assert engine.commits == 3
    await database.close()


async def test_a_unit_that_fails_takes_back_its_own_writes_only(database: Database) -> None:
    def failing(connection: sqlite3.Connection, _now: float) -> None:
        connection.execute("INSERT INTO t VALUES(99)")
        raise AlreadyExistsError("two")

    def one_unit(connection: sqlite3.Connection, _now: float) -> None:
        connection.execute("INSERT INTO t VALUES(1)")

    results = await asyncio.gather(
        database.submit(one_unit), database.submit(failing), database.submit(one_unit), return_exceptions=True
    )
    assert [str(result) for result in results] == ["None", "two", "None"]
    assert await database.read(rows) == [1, 1]


async def test_a_bug_in_a_unit_reaches_its_caller_and_nobody_else(database: Database) -> None:
    def wrong(connection: sqlite3.Connection, _now: float) -> None:
        connection.execute("INSERT INTO t VALUES(99)")
        connection.execute("SELECT * FROM no_such_table")

    failing, fine = database.submit(wrong), database.submit(rows)
    with pytest.raises(Exception, match=r"SQLite refused a statement on .*no such table: no_such_table"):
        await failing
    assert await fine == []


async def test_a_read_sees_what_was_answered_before_it(database: Database) -> None:
    def one_unit(connection: sqlite3.Connection, _now: float) -> None:
        connection.execute("INSERT INTO t VALUES(1)")

    for expected in range(1, 30):
        await database.submit(one_unit, durable=expected % 2 == 0)
        assert len(await database.read(rows)) == expected


async def test_a_reader_cannot_write(database: Database) -> None:
    def write(connection: sqlite3.Connection, _now: float) -> None:
        connection.execute("INSERT INTO t VALUES(1)")

    with pytest.raises(Exception, match="attempt to write a readonly database"):
        await database.read(write)


async def test_only_a_group_with_a_durable_unit_waits_for_the_disk(database: Database) -> None:
    marks = iter(range(1000))

    def level(connection: sqlite3.Connection, _now: float) -> int:
        # A pragma is read while it is prepared: the text must be new each time.
        found: int = connection.execute(f"PRAGMA synchronous -- {next(marks)}").fetchone()[0]
        return found

    full, normal = 2, 1
    assert await database.submit(level, durable=True) == full
    assert await database.submit(level, durable=False) == normal
    assert await database.submit(level, durable=False) == normal
    assert await database.submit(level, durable=True) == full
    together = [database.submit(level, durable=False), database.submit(level, durable=True)]
    assert await asyncio.gather(*together) == [full, full]


async def test_the_option_normal_never_waits_for_the_disk(tmp_path: Path) -> None:
    def level(connection: sqlite3.Connection, _now: float) -> int:
        found: int = connection.execute("PRAGMA synchronous").fetchone()[0]
        return found

    database = Database(str(tmp_path / "v.db"), clock=FakeClock(), companion=Engine(Core()), synchronous="NORMAL")
    await database.start(prepare)
    assert await database.submit(level, durable=True) == 1
    await database.close()


async def test_a_large_backlog_is_done_in_order(database: Database) -> None:
    def unit(number: int) -> "asyncio.Future[None]":
        return database.submit(lambda connection, _: connection.execute("INSERT INTO t VALUES(?)", (number,)) and None)

    await asyncio.gather(*(unit(number) for number in range(2000)))
    assert await database.read(rows) == list(range(2000))


async def test_a_result_that_nobody_waits_for_any_more_is_undone(database: Database) -> None:
    undone: list[str] = []
    ran = threading.Event()

    def unit(_connection: sqlite3.Connection, _now: float) -> str:
        ran.set()
        return "lock"

    future = database.submit(unit, undo=undone.append)
    await asyncio.sleep(0)
    # The loop stands still here: the unit runs, and its answer waits for the loop.
    assert ran.wait(10)
    future.cancel()
    await database.submit(rows)
    assert undone == ["lock"]


async def test_a_unit_that_was_cancelled_before_it_ran_takes_nothing(database: Database) -> None:
    undone: list[str] = []
    future = database.submit(lambda *_: "lock", undo=undone.append)
    future.cancel()
    await database.submit(rows)
    assert undone == []


async def test_messages_that_were_locked_for_a_cancelled_receive_go_back_uncounted(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        await storage.queue("q").send([Message(id="m", body=b"")])
        task = asyncio.create_task(storage.queue("q").receive(1, 0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with contextlib.closing(sqlite3.connect(path)) as other:
            while other.execute("SELECT state FROM messages").fetchone() != (LOCKED,):
                """The loop stands still until the writer has locked the message."""
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        [delivery] = await storage.queue("q").receive(1, 30)
        assert (delivery.message.id, delivery.count) == ("m", 1)


async def test_what_a_failed_group_declared_is_not_remembered(tmp_path: Path) -> None:
    async with open_storage(tmp_path / "v.db", max_pages=80) as storage:
        await storage.broker.declare("q")
        declared = storage.broker.declare("new")

        async def send_large() -> None:
            await storage.queue("q").send([Message(id="large", body=bytes(1_000_000))])

        errors = await asyncio.gather(declared, send_large(), return_exceptions=True)
        assert [type(error) for error in errors] == [StoreFullError, StoreFullError]
        with pytest.raises(NotFoundError, match="no queue 'new'"):
            await storage.queue("new").send([Message(id="m", body=b"")])


async def test_a_database_that_is_closed_says_so(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "v.db")
    with pytest.raises(StoreUnavailableError, match=r"is not open; nothing was written\. Start the storage first"):
        await storage.store.create("events", {"id": "r", "pk": "p"})
    await storage.start()
    await storage.close()
    await storage.close()
    for refused in (storage.store.create("events", {"id": "r", "pk": "p"}), storage.store.read("events", "p", "r")):
        with pytest.raises(StoreUnavailableError, match="is not open"):
            await refused


async def test_closing_finishes_what_was_submitted(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "v.db")
    await storage.start()
    await storage.broker.declare("q")
    sends = [storage.broker.send("q", [Message(id=f"m{n}", body=b"")]) for n in range(20)]
    await storage.close()
    assert len({sequence for [sequence] in await asyncio.gather(*sends)}) == 20
    async with open_storage(tmp_path / "v.db") as again:
        assert (await again.broker.counts("q")).active == 20


async def test_closing_ends_every_wait_with_nothing(tmp_path: Path) -> None:
    storage = open_storage(tmp_path / "v.db")
    await storage.start()
    await storage.broker.declare("q")
    tasks = [asyncio.create_task(storage.queue("q").receive(1, 3600)) for _ in range(3)]
    await asyncio.sleep(0)
    await storage.close()
    assert await asyncio.gather(*tasks) == [(), (), ()]


async def test_a_message_and_its_waiting_receiver_share_one_commit(tmp_path: Path) -> None:
    engine = CountingEngine(core := Core())
    storage = SqliteStorage(Database(str(tmp_path / "v.db"), clock=FakeClock(), companion=engine), core, {}, {})
    async with storage:
        await storage.broker.declare("q")
        task = asyncio.create_task(storage.queue("q").receive(1, 60))
        await asyncio.sleep(0)
        await storage.broker.counts("q")
        engine.commits = 0
        await storage.queue("q").send([Message(id="m", body=b"")])
        assert [delivery.message.id for delivery in await task] == ["m"]
        assert engine.commits == 1


async def test_a_waiter_whose_turn_fails_with_the_whole_group_goes_on_waiting(tmp_path: Path) -> None:
    core = Core()
    database = Database(str(tmp_path / "v.db"), clock=FakeClock(), companion=Engine(core), max_pages=60)
    await database.start(prepare)
    room = {"bytes": 1_000_000}

    def attempt(connection: sqlite3.Connection, _now: float) -> str | None:
        if room["bytes"] == 0:
            return "served"
        connection.execute("INSERT INTO t VALUES(zeroblob(?))", (room["bytes"],))
        return "too large"

    def touch(_connection: sqlite3.Connection, _now: float) -> None:
        core.touched.add(1)

    waiting = database.submit(lambda *_: Waiter(1, attempt, 1e9, "nothing"))
    await database.submit(rows)
    with pytest.raises(StoreFullError, match="is full"):
        await database.submit(touch)
    assert not waiting.done()
    room["bytes"] = 0
    await database.submit(touch)
    assert await waiting == "served"
    await database.close()


async def test_turns_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    async with open_storage(path) as storage:
        await storage.broker.declare("q")
        await storage.queue("q").send([Message(id=f"a{n}", body=b"", flow="a") for n in range(50)])
        await storage.queue("q").receive(5, 0)
    async with open_storage(path) as storage:
        await storage.queue("q").send([Message(id="a-new", body=b"", flow="a"), Message(id="b", body=b"", flow="b")])
        received = [d.message.id for d in await storage.queue("q").receive(100, 0)]
    assert received.index("b") <= 1
    assert received[-1] == "a-new"


async def test_a_new_lookup_member_is_filled_for_documents_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "v.db"
    async with open_storage(path, lookups={}) as storage:
        await storage.store.create("events", {"id": "r", "pk": "p", "event_id": "e1"})
    async with open_storage(path, lookups={"events": "event_id"}) as storage:
        assert await lookups(storage) == ["e1"]
    async with open_storage(path, lookups={}) as storage:
        assert await lookups(storage) == [None]


async def lookups(storage: SqliteStorage) -> list[str | None]:
    found: list[str | None] = await storage._database.read(
        lambda connection, _: [value for (value,) in connection.execute("SELECT lookup FROM documents")]
    )
    return found


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (receive._LOCK_NEXT, "messages_ready (entity=?)"),
        (receive._LOCK_IN_SESSION, "messages_in_session (entity=? AND session=?)"),
        (sessions._NEXT, "sessions_waiting (entity=?"),
        (documents._READ, "documents_key (container=? AND pk=? AND id=?)"),
        (documents._UPDATE, "INTEGER PRIMARY KEY (rowid=?)"),
        ("SELECT seq FROM messages WHERE locked_until <= ?", "messages_locked"),
        ("SELECT seq FROM messages WHERE state = 2 AND visible_at <= ? ORDER BY visible_at, seq", "messages_scheduled"),
        ("SELECT seq FROM messages WHERE expires_at <= ? AND locked_until IS NULL", "messages_expiring"),
    ],
    ids=lambda value: value[:40],
)
async def test_every_frequent_statement_is_an_index_seek(database: Database, query: str, index: str) -> None:
    def plan(connection: sqlite3.Connection, _now: float) -> str:
        numbers = [0] * query.count("?")
        return "; ".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}", numbers))

    found = await database.submit(plan)
    assert index in found
    assert "SCAN" not in found


@pytest.mark.parametrize(
    ("where", "order", "index"),
    [
        ((), "oldest", "documents_order (container=?)"),
        ((), "newest", "documents_order (container=?)"),
        ((), "after 5", "documents_order (container=? AND rowid>?)"),
        ((Where("kind", "=", "plan"),), "oldest", "documents_order (container=?)"),
        ((Where("due", "<=", 5),), "oldest", "documents_due (container=? AND due<?)"),
        ((Where("event_id", "=", "e1"),), "newest", "documents_lookup (container=? AND lookup=?)"),
        ((Where("pk", "=", "p"),), "oldest", "documents_key (container=? AND pk=?)"),
        ((Where("pk", "=", "p"), Where("id", "=", "r")), "oldest", "documents_key (container=? AND pk=? AND id=?)"),
    ],
    ids=str,
)
async def test_a_query_walks_no_other_containers_documents(
    tmp_path: Path, where: tuple[Where, ...], order: str, index: str
) -> None:
    statements: list[str] = []
    async with open_storage(tmp_path / "v.db") as storage:
        await storage._database.read(lambda connection, _: connection.set_trace_callback(statements.append))
        await storage.store.query(
            "events", where, order="newest" if order == "newest" else "oldest", continuation=order.partition(" ")[2]
        )
        await storage._database.read(lambda connection, _: connection.set_trace_callback(None))
        [statement] = [text for text in statements if "FROM documents" in text]
        plan = await storage._database.read(
            lambda connection, _: [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        )
    assert plan[0] == f"SEARCH documents USING INDEX {index}"


async def test_a_database_is_started_once(tmp_path: Path) -> None:
    async with open_storage(tmp_path / "q.db") as storage:
        with pytest.raises(StoreUnavailableError, match="was started before; open it once"):
            await storage.start()
