"""A worker kills itself at every fail point, alone or beside another; then a fresh one finishes what is left.

What came of it is counted from the file by a program that knows nothing of the OS. Each acknowledged event has exactly
one finished record with its outputs, each emitted event takes effect once, and the events of a key keep their order.
The points are those of `tests/support/points.py`; a sample of the rounds in `make test`, 200 for each point and number
of workers in a soak.
"""

import itertools
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SOAK
from tests.support import points
from tests.support.count import found
from tests.support.crash_child import LARGE, PARTS, STEPS, Job, events

ROOT = Path(__file__).parents[2]
COMBINATIONS = tuple(itertools.product((True, False), ("default", "idempotent")))
"""Whether store and queue share a transaction, and the drivers' delivery."""

USED = [point for point in points.all_points() if point.rpartition(" ")[0] not in points.UNUSED]
CHUNKS, ROUNDS = (20, 10) if SOAK else (1, 0)
"""In a soak 200 rounds for each point and number of workers; else one for each way of working."""

TRIES = 40
"""A worker beside another one does not always come to its point: then it is a new round."""

STEP_S = 20.0
"""Each life's clock is this far ahead of the one before: an outbox is due, and leases (45 s) and locks (60 s) last."""

OVER_S = 70.0
FIRST_DEATH = "blobs.put after"
"""Where the life before is killed for points that only a life after a death passes."""


class Zygote:
    """The process that the workers are forked from."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.support.crash_child"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def run(self, *jobs: Job) -> list[int]:
        """Run jobs at the same time; return their exit codes, -9 for one that killed itself."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(jobs) + "\n")
        self._process.stdin.flush()
        codes: list[int] = json.loads(self._process.stdout.readline())
        return codes

    def close(self) -> None:
        """End it."""
        self._process.communicate()


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    started = Zygote()
    yield started
    started.close()


Passed = dict[tuple[bool, str], Counter[str]]


@pytest.fixture(scope="module")
def smooth(zygote: Zygote, tmp_path_factory: pytest.TempPathFactory) -> Passed:
    """How often each point is passed where nothing dies; and, under the name of a recovery, after one death."""
    passed: Passed = {}
    for combination in COMBINATIONS:
        folder = tmp_path_factory.mktemp("smooth")
        assert zygote.run(a_job(folder / "alone", combination)) == [0]
        assert zygote.run(a_job(folder / "killed", combination, FIRST_DEATH)) == [-9]
        assert zygote.run(a_job(folder / "killed", combination, ahead_s=OVER_S)) == [0]
        alone, after = (json.loads((folder / name / "passed").read_text()) for name in ("alone", "killed"))
        passed[combination] = Counter({**after, **alone})
    return passed


def a_job(
    folder: Path,
    combination: tuple[bool, str],
    at: str = "",
    passage: int = 1,
    ahead_s: float = 0.0,
    late: bool = False,
) -> Job:
    atomic, delivery = combination
    return {
        "folder": str(folder), "atomic": atomic, "delivery": "default" if delivery == "default" else "idempotent",
        "at": at, "passage": passage, "ahead_s": ahead_s, "late": late,
    }  # fmt: skip


def killed(zygote: Zygote, folder: Path, combination: tuple[bool, str], point: str, passage: int, workers: int) -> bool:
    """Let a worker die at a point, beside another one or not, and a fresh one finish; say whether it came to that."""
    ahead_s, recovering = 0.0, point.rpartition(" ")[0] in RECOVERIES
    if recovering:
        assert zygote.run(a_job(folder, combination, FIRST_DEATH)) == [-9]
        (folder / "started").unlink()
        ahead_s = OVER_S
    victim = a_job(folder, combination, point, passage, ahead_s)
    others = [a_job(folder, combination, ahead_s=ahead_s, late=recovering)] * (workers - 1)
    code, *beside = zygote.run(victim, *others)
    assert beside == [0] * (workers - 1), error_in(folder)
    if code == 0:
        return False
    assert code == -9, error_in(folder)
    assert zygote.run(a_job(folder, combination, ahead_s=ahead_s + STEP_S)) == [0], error_in(folder)
    return True


def error_in(folder: Path) -> str:
    """Return what a worker said that ended badly."""
    return (folder / "error").read_text() if (folder / "error").exists() else "it said nothing"


RECOVERIES = frozenset({"store.patch", "broker.give_up"})
"""Calls that only a life after a death makes for sure; who starts first makes them."""


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("workers", [1, 2], ids=["one-worker", "two-workers"])
@pytest.mark.parametrize("point", USED)
def test_what_was_acknowledged_is_done_once_wherever_a_worker_is_killed(
    tmp_path: Path, zygote: Zygote, smooth: Passed, point: str, workers: int, chunk: int
) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    draw = random.Random(seed)  # noqa: S311
    ways = [combination for combination in COMBINATIONS if smooth[combination][point]]
    assert ways
    for number in range(ROUNDS or len(ways)):
        combination = ways[(chunk + number) % len(ways)]
        for attempt in range(TRIES):
            passage = draw.randint(1, max(1, smooth[combination][point] * 2 // 3) if attempt < 4 else 1)
            folder = tmp_path / f"{number}.{attempt}"
            if killed(zygote, folder, combination, point, passage, workers):
                break
        else:
            raise AssertionError(f"{point} was not passed in {TRIES} tries, {combination}, seed {seed}")
        try:
            check(found(str(folder / "data" / "vextir.db")))
        except AssertionError as error:
            raise AssertionError(
                f"killed at {point}, passage {passage}, {combination}, seed {seed}: {error}"
            ) from error


def check(told: dict[str, Any]) -> None:
    """Compare a file with what has to be in it."""
    records = told["records"]
    assert [event_id for event_id, same in records.items() if len(same) != 1] == []
    assert [event_id for event_id, [record] in records.items() if not record["finished"]] == []
    runs = Counter(
        (record["type"], of(records, record), json.dumps(record["runs"], sort_keys=True))
        for [record] in records.values()
    )
    assert runs == Counter(expected())
    in_line = [records[f"k-{n}"][0] for n in range(1, STEPS + 1)]
    assert [after["began"] >= before["ended"] for before, after in itertools.pairwise(in_line)] == [True, True]
    assert (told["dead_letters"], told["messages"]) == ({"run": 1, "message": 1}, 0)


def of(records: dict[str, list[dict[str, Any]]], record: dict[str, Any]) -> str:
    """Return the type of the event that caused this one, to be told apart from what nothing caused."""
    return str(records[record["cause"]][0]["type"]) if record["cause"] else ""


def expected() -> Iterator[tuple[str, str, str]]:
    """Yield type, type of the cause, and runs of every record."""
    for n in (1, 2):
        yield one("order.placed", "", {"order.take": {"taken": n}, "order.check": {"checked": n}})
        yield one("order.taken", "order.placed", {"order.pack": {"packed": n}})
        for part in range(PARTS):
            yield one("order.packed", "order.taken", {"order.ship": {"shipped": n, "part": part}})
    yield ("order.spoiled", "", json.dumps({"order.sort": ["dead", None]}))
    yield one("vextir.error", "order.spoiled", {})
    for n in (5, 6):
        yield one("order.heavy", "", {"order.haul": {"hauled": n}})
    for n in range(1, STEPS + 1):
        yield one("step.taken", "", {"step.take": {"step": n}})
    yield one("order.large", "", {"order.weigh": {"weighed": 4, "text": LARGE}})


def one(event_type: str, cause: str, outputs: dict[str, Any]) -> tuple[str, str, str]:
    runs = {driver: ["done", output] for driver, output in outputs.items()}
    return event_type, cause, json.dumps(runs, sort_keys=True)


def test_every_call_of_a_port_that_writes_has_its_points(smooth: Passed) -> None:
    passed = {point for counts in smooth.values() for point in counts}
    assert passed == set(USED)
    assert set(points.UNUSED) == {point.rpartition(" ")[0] for point in set(points.all_points()) - passed}


def test_the_points_are_listed() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "tests.support.points"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert listed == points.all_points()
    assert {"store.replace before", "queue.send after", "queue.complete before", "group.commit after"} <= set(listed)


def test_the_events_of_the_matrix_are_those_that_are_counted() -> None:
    told = Counter(event_type for event_type, cause, _ in expected() if not cause)
    assert told == Counter(event.type for event in events())
