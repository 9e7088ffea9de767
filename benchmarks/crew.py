"""Processes that work on one file together: each publishes its share, and all work on what is there.

As the OS runs under `vextir dev --workers N`. Run as a program this is one of them: it says `ready`, publishes what
each line of its standard input asks for, works until that ends, and says what it took.
"""

import argparse
import asyncio
import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.system import DELIVERY, observed, opened, publish
from vextir_os.local.loop import run
from vextir_os.local.runner import Runner

_LIMIT_S = 300.0
_LOOK_S = 0.01


class Crew:
    """The processes, and the file that they work on. Made by `crew`."""

    def __init__(self, data: Path, members: "list[subprocess.Popen[str]]") -> None:
        self._data = data
        self._members = members

    def all_of(self, type_: str, prefix: str, count: int, *, steps: int = 1) -> float:
        """Have `count` events published and worked off; return the seconds from the first publish to the last record.

        Args:
            type_: Of the events.
            prefix: Of their ids.
            count: Of all processes together.
            steps: Records that come of each event.
        """
        with contextlib.closing(sqlite3.connect(self._data / "vextir.db")) as connection:
            until = _records(connection) + count * steps
            share, more = divmod(count, len(self._members))
            first, began = 0, time.perf_counter()
            for number, member in enumerate(self._members):
                own = share + (number < more)
                _tell(member, {"type": type_, "prefix": prefix, "first": first, "count": own})
                first += own
            while _waiting(connection) or _records(connection) < until:
                if time.perf_counter() - began > _LIMIT_S:
                    raise TimeoutError(
                        f"{len(self._members)} processes did not finish {count} events in {_LIMIT_S:g} s"
                    )
                time.sleep(_LOOK_S)
            return time.perf_counter() - began

    def end(self) -> list[dict[str, Any]]:
        """Let all processes end, and return what each says: `{"cpu_s": 1.2, "runs": 5000, "dropped": 0}`."""
        return [json.loads(member.communicate()[0].splitlines()[-1]) for member in self._members]


@contextlib.contextmanager
def crew(data: Path, processes: int, *, logs: bool = False) -> Iterator[Crew]:
    """Start processes on a folder; all are ready. `logs`: INFO lines to `vextir-N.log` there, and metrics counted."""
    members = []
    for number in range(processes):
        command = [sys.executable, __file__, "--data", str(data), "--delivery", DELIVERY]
        command += ["--log", str(data / f"vextir-{number}.log")] if logs else []
        members.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    try:
        for member in members:
            _hear(member)
        yield Crew(data, members)
    finally:
        for member in members:
            member.kill()
            member.wait()
            for pipe in (member.stdin, member.stdout):
                if pipe is not None:
                    pipe.close()


def _tell(member: "subprocess.Popen[str]", order: dict[str, Any]) -> None:
    assert member.stdin is not None  # noqa: S101 - a pipe was asked for
    member.stdin.write(json.dumps(order) + "\n")
    member.stdin.flush()


def _hear(member: "subprocess.Popen[str]") -> None:
    assert member.stdout is not None  # noqa: S101 - a pipe was asked for
    if member.stdout.readline() != "ready\n":
        raise RuntimeError("a process of the crew did not start")


def _waiting(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM messages LIMIT 1").fetchone() is not None


def _records(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("SELECT count(*) FROM documents WHERE container = 'events'").fetchone()[0]
    return found


async def _member(data: Path, log: str) -> None:
    loop = asyncio.get_running_loop()
    async with opened(data, log=log) as kernel:
        with observed(kernel) as counts:
            print("ready", flush=True)
            began = time.process_time()
            async with Runner(kernel):
                while order := await loop.run_in_executor(None, sys.stdin.readline):
                    asked = json.loads(order)
                    numbers = range(asked["first"], asked["first"] + asked["count"])
                    await publish(kernel, asked["type"], asked["prefix"], numbers)
            took = time.process_time() - began
    said: dict[str, Any] = {"cpu_s": took}
    if counts is not None:
        said["runs"] = sum(driver.states["done"] for driver in counts.drivers.values())
        said["dropped"] = counts.unlogged
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--log", default="")
    parser.add_argument("--delivery", choices=["idempotent", "default"], default="idempotent", help="of the drivers")
    given = parser.parse_args()
    run(_member(given.data, given.log))
