"""SIGKILL at random moments over 5,000 events with duplicates: what was acknowledged is done once, whatever happens.

The child runs the OS and publishes what the parent hands it; the parent kills it and starts it again with a clock that
is ahead, so that nobody waits for the leases of the dead. What came of it is counted from the file by a third program.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from tests.conftest import SOAK

ROOT = Path(__file__).parents[2]
EVENTS = 5_000
KILLS = 100 if SOAK else 15
PER_LINE = 20
AHEAD_S = 60.0
"""A lease is 16 s here, a message's lock 30 s: both are over for who comes next."""


class Child:
    """One life of the OS."""

    def __init__(self, folder: Path, life: int, mode: str) -> None:
        command = [sys.executable, "-m", "tests.support.kill_child", str(folder), str(AHEAD_S * life), mode]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.said: SimpleQueue[str] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        assert self.said.get(timeout=60) == "up\n"

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(line.decode())

    def publish(self, line: str) -> None:
        """Hand over one line; a child that is dead takes none."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(line.encode())
        except BrokenPipeError:
            return

    def kill(self) -> set[str]:
        """Kill it, and return the lines that it had acknowledged."""
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL
        self._reader.join()
        self._close()
        lines = set()
        while True:
            try:
                lines.add(self.said.get_nowait())
            except Empty:
                return {line for line in lines if line.endswith("]\n")}

    def finish(self) -> None:
        """Let it do all that is left, and end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(timeout=120) == 0
        self._reader.join()
        self._close()

    def _close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


def batches(draw: random.Random) -> list[str]:
    """Return the lines to publish: every event once or twice, in a random order."""
    ids = [f"e-{number}" for number in range(EVENTS)]
    ids += draw.sample(ids, EVENTS // 2)
    draw.shuffle(ids)
    return [json.dumps(ids[start : start + PER_LINE]) + "\n" for start in range(0, len(ids), PER_LINE)]


@pytest.mark.parametrize("mode", ["one-transaction", "outbox"])
def test_every_acknowledged_event_is_done_once_however_often_the_process_is_killed(tmp_path: Path, mode: str) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    draw = random.Random(seed)  # noqa: S311
    left, acknowledged = batches(draw), set[str]()
    per_life = len(left) // KILLS + 1
    for life in range(KILLS):
        child = Child(tmp_path, life, mode)
        for line in left[:per_life]:
            child.publish(line)
        time.sleep(draw.uniform(0.0, 0.35))
        acknowledged |= child.kill()
        left = [line for line in left if line not in acknowledged]
    child = Child(tmp_path, KILLS, mode)
    for line in left:
        child.publish(line)
    child.finish()
    assert_each_is_done_once(count(tmp_path / "data" / "vextir.db"), f"seed {seed}")


def count(database: Path) -> Any:
    """Let the second program read the file."""
    command = [sys.executable, str(ROOT / "tests" / "support" / "count.py"), str(database)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)


def assert_each_is_done_once(found: Any, seed: str) -> None:
    records = found["records"]
    parents = {event_id for event_id in records if event_id.startswith("e-")}
    assert parents == {f"e-{number}" for number in range(EVENTS)}, seed
    assert [event_id for event_id, same in records.items() if len(same) != 1] == [], seed
    children: dict[str, int] = {}
    for event_id, [record] in records.items():
        number = record["data"]["n"]
        if event_id in parents:
            expected = {"order.take": ["done", {"taken": number}]}
            assert event_id == f"e-{number}", seed
        else:
            expected = {"order.pack": ["done", {"packed": number}]}
            children[record["cause"]] = children.get(record["cause"], 0) + 1
        assert (record["runs"], record["finished"]) == (expected, True), seed
    assert children == dict.fromkeys(parents, 1), seed
    assert (found["dead_letters"], found["messages"]) == ({}, 0), seed
