"""The baseline: a bare loop over SQLite that does the same writes and nothing else. Prints one JSON object.

Per event: enqueue (one insert), then result and acknowledgement in one transaction. No lease, no policy, no routing,
no record, no retry. Group commit of 256, WAL, synchronous=FULL: what the disk and `sqlite3` allow on this machine.
"""

import argparse
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

from benchmarks.job import payload, result

_GROUP = 256
_SCHEMA = """
PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
CREATE TABLE queue(seq INTEGER PRIMARY KEY, id TEXT NOT NULL, step INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE results(id TEXT PRIMARY KEY, output BLOB NOT NULL) WITHOUT ROWID;
"""


def enqueue(connection: sqlite3.Connection, rows: list[tuple[str, int, str]]) -> None:
    """Insert messages in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO queue(id, step, body) VALUES(?, ?, ?)", rows)
    connection.execute("COMMIT")


def work_off(connection: sqlite3.Connection, steps: int) -> int:
    """Take a group of messages; write each result, its follow-up and its acknowledgement in one transaction."""
    rows = connection.execute("SELECT seq, id, step, body FROM queue ORDER BY seq LIMIT ?", (_GROUP,)).fetchall()
    outputs, follow_ups = [], []
    for _, name, step, body in rows:
        data = json.loads(body)
        outputs.append((f"{name}/{step}", json.dumps(result(data))))
        if step < steps:
            follow_ups.append((name, step + 1, json.dumps(data)))
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO results(id, output) VALUES(?, ?)", outputs)
    connection.executemany("INSERT INTO queue(id, step, body) VALUES(?, ?, ?)", follow_ups)
    connection.executemany("DELETE FROM queue WHERE seq=?", [(row[0],) for row in rows])
    connection.execute("COMMIT")
    return len(rows)


def throughput(connection: sqlite3.Connection, count: int, *, prefix: str, steps: int) -> float:
    """Return the seconds for `count` events of `steps` steps each, from the first enqueue to the last result."""
    began = time.perf_counter()
    for first in range(0, count, _GROUP):
        numbers = range(first, min(first + _GROUP, count))
        enqueue(connection, [(f"{prefix}{number}", 1, json.dumps(payload(number))) for number in numbers])
    while work_off(connection, steps):
        pass
    return time.perf_counter() - began


def latencies(connection: sqlite3.Connection, count: int) -> list[float]:
    """Return, sorted, the seconds of `count` events, one at a time, from enqueue to result."""
    found = []
    for number in range(count):
        began = time.perf_counter()
        enqueue(connection, [(f"l{number}", 1, json.dumps(payload(number)))])
        work_off(connection, 1)
        found.append(time.perf_counter() - began)
    return sorted(found)


def verified(connection: sqlite3.Connection, prefix: str, count: int, steps: int) -> bool:
    """Whether every result is there once, and is right."""
    rows = dict(connection.execute("SELECT id, output FROM results WHERE id GLOB ?", (f"{prefix}[0-9]*",)))
    return len(rows) == count * steps and all(
        json.loads(rows[f"{prefix}{number}/{step}"]) == result(payload(number))
        for number in range(count)
        for step in range(1, steps + 1)
    )


def measure(data: Path, *, n: int, lat: int, flows: int) -> dict[str, Any]:
    """Return the numbers in the same shape as the pipeline's."""
    connection = sqlite3.connect(data / "loop.db", isolation_level=None)
    try:
        connection.executescript(_SCHEMA)
        seconds = throughput(connection, n, prefix="t", steps=1)
        times = latencies(connection, lat)
        chained = throughput(connection, flows, prefix="c", steps=3)
        right = [verified(connection, "t", n, 1), verified(connection, "c", flows, 3)]
    finally:
        connection.close()
    return {
        "ok": all(right),
        "peer": "loop",
        "version": sqlite3.sqlite_version,
        "durability": "sqlite WAL, synchronous=FULL, group commit",
        "semantics": "none: no lease, no record, no retry",
        "cold_start_s": 0.0,
        "throughput": {"n": n, "seconds": seconds, "eps": n / seconds, "verified": right[0]},
        "latency": {"count": lat, "p50_ms": times[lat // 2] * 1e3, "p99_ms": times[int(lat * 0.99)] * 1e3},
        "chain": {
            "flows": flows,
            "steps": 3,
            "seconds": chained,
            "steps_per_s": flows * 3 / chained,
            "verified": right[1],
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--lat", type=int, default=500)
    parser.add_argument("--flows", type=int, default=2_000)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    print(json.dumps(measure(given.data, n=given.n, lat=given.lat, flows=given.flows)))


if __name__ == "__main__":
    main()
