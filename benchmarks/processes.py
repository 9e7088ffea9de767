"""Measures several processes on one file beside one: each publishes its share, and all work on what is there.

    python benchmarks/processes.py --n 10000 --processes 4 --rounds 3

Prints as its last line one JSON object; `ratio` is the throughput of all together over that of one process, the median
of rounds by turns. Every result is read back from the file and compared. Exits with 1 when one was wrong.
"""

import argparse
import asyncio
import contextlib
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.job import payload, result
from vextir_os import Event, driver
from vextir_os.bootstrap import open_kernel
from vextir_os.events.identity import Principal
from vextir_os.local.loop import run
from vextir_os.local.runner import Runner
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.registry.registry import Registry
from vextir_os.settings import Settings

_WHO = Principal(kind="user", id="bench", tenant="local")
_PUBLISHERS = 64
_LIMIT_S = 300.0
_LOOK_S = 0.02


async def _child(data: Path, first: int, count: int) -> None:
    """Say `ready`; once told to go, publish, work until standard input ends, and say how much CPU it took."""

    @driver("bench.work", capabilities=["bench.in"], delivery="idempotent")
    async def work(event: Event) -> dict[str, Any]:
        return result(event.data)

    policy = Policy(id="bench", effect="allow", match=Match(action=("publish:**", "process:**")))
    settings, loop = Settings(root=data, data_dir=data), asyncio.get_running_loop()
    left = iter(range(first, first + count))
    async with open_kernel(settings, registry=Registry.of(work), policy=PolicyEngine(Bundle(policies=(policy,)))) as os:

        async def publisher() -> None:
            for number in left:
                event = Event(type="bench.in", id=f"t{number}", source="/cli", data=payload(number))
                await os.intake.publish([event], _WHO, source="/cli")

        print("ready", flush=True)
        await loop.run_in_executor(None, sys.stdin.readline)
        began = time.process_time()
        async with Runner(os), asyncio.TaskGroup() as group:
            for _ in range(_PUBLISHERS):
                group.create_task(publisher())
            await loop.run_in_executor(None, sys.stdin.readline)
        print(time.process_time() - began, flush=True)


@contextlib.contextmanager
def _children(data: Path, n: int, processes: int) -> Iterator[list["subprocess.Popen[str]"]]:
    share = n // processes
    started = []
    for number in range(processes):
        command = [sys.executable, __file__, "--child", str(number * share), "--n", str(share), "--data", str(data)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    try:
        for process in started:
            assert process.stdout is not None  # noqa: S101 - a pipe was asked for
            process.stdout.readline()
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


class Found(NamedTuple):
    """Events per second from the first publish to the last result, CPU of all together, whether results are right."""

    eps: float
    cpu_us: float
    right: bool


def _measured(n: int, processes: int) -> Found:
    """Measure once, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder, _children(Path(folder), n, processes) as children:
        connection = sqlite3.connect(Path(folder) / "vextir.db")
        began = time.perf_counter()
        for child in children:
            assert child.stdin is not None  # noqa: S101 - a pipe was asked for
            child.stdin.write("go\n")
            child.stdin.flush()
        until = began + _LIMIT_S
        # The rows are counted only while the queue is empty.
        while _left(connection) or _finished(connection) < n:
            if time.perf_counter() > until:
                raise TimeoutError(f"{processes} processes did not finish {n} events within {_LIMIT_S:g} s")
            time.sleep(_LOOK_S)
        seconds = time.perf_counter() - began
        right = _right(connection, n)
        connection.close()
        cpu_s = sum(float(child.communicate()[0]) for child in children)
    return Found(n / seconds, cpu_s / n * 1e6, right)


def _left(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM messages LIMIT 1").fetchone() is not None


def _finished(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM documents WHERE container = 'events'").fetchone()[0]
    return found


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
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child is not None:
        run(_child(given.data, given.child, given.n))
        return 0
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
