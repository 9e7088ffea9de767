"""Measures several processes on one file beside one: each publishes its share, and all work on what is there.

    python benchmarks/processes.py --n 10000 --processes 4 --rounds 3

Prints as its last line one JSON object; `ratio` is the throughput of all together over that of one process, the median
of rounds by turns. Every result is read back from the file and compared. Exits with 1 when one was wrong.
"""

import argparse
import contextlib
import json
import sqlite3
import statistics
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.crew import crew
from benchmarks.job import payload, result


class Found(NamedTuple):
    """Events per second from the first publish to the last result, CPU of all together, whether results are right."""

    eps: float
    cpu_us: float
    right: bool


def _measured(n: int, processes: int) -> Found:
    """Measure once, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, crew(Path(folder), processes) as all_processes:
        seconds = all_processes.all_of("bench.in", "t", n)
        cpu_s = sum(said["cpu_s"] for said in all_processes.end())
        with contextlib.closing(sqlite3.connect(Path(folder) / "vextir.db")) as connection:
            return Found(n / seconds, cpu_s / n * 1e6, _right(connection, n))


def _right(connection: sqlite3.Connection, n: int) -> bool:
    seen = set()
    for (body,) in connection.execute("SELECT body FROM documents WHERE container = 'events'"):
        record = json.loads(body)
        (finished,) = record["runs"].values()
        number = record["event"]["data"]["number"]
        if finished["state"] != "done" or finished["output"] != result(payload(number)) or number in seen:
            return False
        seen.add(number)
    return len(seen) == n


def main() -> int:
    """Measure by turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--least-ratio", type=float, help="fail when the median ratio is under this")
    given = parser.parse_args()
    n = given.n // given.processes * given.processes
    rounds = [(_measured(n, 1), _measured(n, given.processes)) for _ in range(given.rounds)]
    right = all(found.right for pair in rounds for found in pair)
    ratio = statistics.median(together.eps / alone.eps for alone, together in rounds)
    one, together = (
        {"eps": [found.eps for found in each], "cpu_us_per_event": [found.cpu_us for found in each]}
        for each in zip(*rounds, strict=True)
    )
    shown = {"ok": right, "n": n, "processes": given.processes, "one": one, "together": together, "ratio": ratio}
    print(json.dumps(shown))
    return 0 if right and (given.least_ratio is None or ratio >= given.least_ratio) else 1


if __name__ == "__main__":
    sys.exit(main())
