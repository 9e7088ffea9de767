"""The baseline: a bare loop over SQLite that does the same writes and nothing else. Prints one JSON object.

    python -m benchmarks.loop --n 20000 --lat 500 --flows 2000 --data EMPTY_DIR

Per event two acknowledged writes: enqueue, then result, follow-up and acknowledgement in one transaction. One writer
thread with group commit, WAL, synchronous=FULL, 64 publishers at once: each is answered when its own write is on the
disk, as the OS answers its publishers. No lease, no policy, no routing, no record, no retry.
"""

import argparse
import asyncio
import json
import queue
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.job import numbers, payload, result
from vextir_os.local.loop import run

Unit = tuple[Callable[[sqlite3.Connection], Any], "asyncio.Future[Any]"]

_GROUP = 256
_PUBLISHERS = 64
_SCHEMA = """
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
CREATE TABLE IF NOT EXISTS queue(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, step INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS results(id TEXT PRIMARY KEY, output BLOB NOT NULL) WITHOUT ROWID;
"""


class Writer:
    """One thread that writes; all units that wait share one transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loop = asyncio.get_running_loop()
        self._units: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    async def do(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Run a unit; return its result once it is on the disk."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._units.put((work, future))
        return await future

    def close(self) -> None:
        """End the thread."""
        self._units.put(None)
        self._thread.join()

    def _serve(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.executescript(_SCHEMA)
        while (first := self._units.get()) is not None:
            group = [first]
            while len(group) < _GROUP and not self._units.empty():
                more = self._units.get()
                if more is None:
                    self._units.put(None)
                    break
                group.append(more)
            connection.execute("BEGIN IMMEDIATE")
            answers = [(future, work(connection)) for work, future in group]
            connection.execute("COMMIT")
            self._loop.call_soon_threadsafe(self._answer, answers)
        connection.close()

    @staticmethod
    def _answer(answers: list[tuple["asyncio.Future[Any]", Any]]) -> None:
        for future, value in answers:
            future.set_result(value)


class Loop:
    """Publishers, the queue, one consumer."""

    def __init__(self, writer: Writer, steps: int) -> None:
        self._writer = writer
        self._steps = steps
        self._wake = asyncio.Event()
        self._taken = 0
        self.finished = 0

    async def enqueue(self, name: str, data: dict[str, Any]) -> None:
        """Put a message on the queue; return once it is on the disk."""
        row = (name, 1, json.dumps(data))
        await self._writer.do(
            lambda connection: connection.execute("INSERT INTO queue(id, step, body) VALUES(?, ?, ?)", row)
        )
        self._wake.set()

    async def consume(self, count: int) -> None:
        """Work off `count` messages, a group at once."""
        async with asyncio.TaskGroup() as tasks:
            while self.finished < count:
                self._wake.clear()
                rows = await self._writer.do(self._next)
                for row in rows:
                    tasks.create_task(self._work(*row))
                if not rows and self.finished < count:
                    await self._wake.wait()

    def _next(self, connection: sqlite3.Connection) -> list[tuple[int, str, int, str]]:
        sql = "SELECT seq, id, step, body FROM queue WHERE seq > ? ORDER BY seq LIMIT 64"
        rows = connection.execute(sql, (self._taken,)).fetchall()
        if rows:
            self._taken = rows[-1][0]
        return rows

    async def _work(self, seq: int, name: str, step: int, body: str) -> None:
        data = json.loads(body)
        output = json.dumps(result(data))
        follow_up = json.dumps(data) if step < self._steps else None

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT INTO results(id, output) VALUES(?, ?)", (f"{name}/{step}", output))
            if follow_up is not None:
                connection.execute("INSERT INTO queue(id, step, body) VALUES(?, ?, ?)", (name, step + 1, follow_up))
            connection.execute("DELETE FROM queue WHERE seq=?", (seq,))

        await self._writer.do(write)
        self.finished += 1
        self._wake.set()


async def throughput(writer: Writer, count: int, *, prefix: str, steps: int) -> float:
    """Return the seconds for `count` events of `steps` steps each, from the first enqueue to the last result."""
    loop = Loop(writer, steps)
    left = iter(range(count))

    async def publisher() -> None:
        for number in left:
            await loop.enqueue(f"{prefix}{number}", payload(number))

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(loop.consume(count * steps))
        for _ in range(_PUBLISHERS):
            tasks.create_task(publisher())
    return time.perf_counter() - began


async def latencies(writer: Writer, count: int) -> list[float]:
    """Return, sorted, the seconds of `count` events, one at a time, from enqueue to result."""
    loop = Loop(writer, 1)
    found = []
    for number in range(count):
        began = time.perf_counter()
        await loop.enqueue(f"l{number}", payload(number))
        await loop.consume(number + 1)
        found.append(time.perf_counter() - began)
    return sorted(found)


def verified(path: Path, prefix: str, count: int, steps: int) -> bool:
    """Whether every result is there once, and is right."""
    connection = sqlite3.connect(path)
    rows = dict(connection.execute("SELECT id, output FROM results WHERE id GLOB ?", (f"{prefix}[0-9]*",)))
    connection.close()
    return len(rows) == count * steps and all(
        json.loads(rows[f"{prefix}{number}/{step}"]) == result(payload(number))
        for number in range(count)
        for step in range(1, steps + 1)
    )


async def measure(data: Path, *, n: int, lat: int, flows: int) -> dict[str, Any]:
    """Return the numbers in the same shape as the pipeline's."""
    path = data / "loop.db"
    writer = Writer(path)
    try:
        await throughput(writer, 200, prefix="w", steps=1)
        seconds = await throughput(writer, n, prefix="t", steps=1)
        times = await latencies(writer, lat)
        chained = await throughput(writer, flows, prefix="c", steps=3)
    finally:
        writer.close()
    right = [verified(path, "t", n, 1), verified(path, "l", lat, 1), verified(path, "c", flows, 3)]
    return {
        "ok": all(right),
        "peer": "loop",
        "version": sqlite3.sqlite_version,
        "durability": "sqlite WAL, synchronous=FULL, group commit",
        "semantics": "none: no lease, no record, no retry",
        "cold_start_s": 0.0,
        **numbers(n=n, seconds=seconds, times=times, flows=flows, chained=chained, right=(right[0], right[2])),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--lat", type=int, default=500)
    parser.add_argument("--flows", type=int, default=2_000)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    print(json.dumps(run(measure(given.data, n=given.n, lat=given.lat, flows=given.flows))))


if __name__ == "__main__":
    main()
