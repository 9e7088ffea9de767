"""`vextir dev --workers N`: several worker processes under one that serves HTTP, starts them again, and stops them."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenario.cli.vextir import LIMIT_S, Project, Running
from vextir_os.local.presence import FOLDER, remains
from vextir_os.telemetry.counts import Counts
from vextir_os.telemetry.sharing import COUNTS, together


def children(pid: int) -> list[int]:
    """Return the process ids of the worker processes of a running OS."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def at_work(project: Project, count: int) -> list[str]:
    """Wait until so many workers live, and return their names."""
    folder = project.root / ".vextir" / FOLDER
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        living = {path.stem for path in folder.glob("*.lock")} if folder.is_dir() else set()
        for left in remains(project.root / ".vextir", but=""):
            living.discard(left.worker)
            left.leave()
        if len(living) == count:
            return sorted(living)
        time.sleep(0.02)
    raise AssertionError(f"there are {living} at work after {LIMIT_S} s, not {count}")


def run_events(project: Project, count: int = 200) -> None:
    lines = b"".join(b'{"type": "hello.quiet", "data": %d}\n' % number for number in range(count))
    sent = project.run("send", "--stdin", "--wait", stdin=lines)
    assert (sent.code, f"{count} ok" in sent.err) == (0, True), sent.err


def assert_gone(pids: list[int]) -> None:
    """Wait until none of these processes lives."""
    until = time.monotonic() + LIMIT_S
    while left := [pid for pid in pids if Path(f"/proc/{pid}/stat").exists() and not is_zombie(pid)]:
        assert time.monotonic() < until, f"{left} still live"
        time.sleep(0.02)


def is_zombie(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


@contextlib.contextmanager
def two_workers(project: Project) -> Iterator[Running]:
    """Run an OS with two workers."""
    with project.running("dev", "--workers", "2", "--port", "0") as running:
        running.line("next")
        at_work(project, 2)
        yield running


def test_several_processes_share_the_work_and_stop_with_the_one_that_started_them(project: Project) -> None:
    with two_workers(project) as running:
        pids = children(running.process.pid)
        assert len(pids) == 2
        run_events(project)
        assert running.stop(signal.SIGTERM) == 0
        assert_gone(pids)
        assert list((project.root / ".vextir" / FOLDER).iterdir()) == []
        assert "Traceback" not in running.rest()


def test_what_the_workers_did_shows_in_the_counts_that_they_leave(project: Project) -> None:
    with two_workers(project) as running:
        run_events(project)
        assert running.stop(signal.SIGTERM) == 0
        found = together(Counts(), project.root / ".vextir" / COUNTS)
        assert found.drivers["hello"].states == {"done": 200, "dead": 0}


def test_ctrl_c_ends_all_of_them_in_good_order(project: Project) -> None:
    with two_workers(project) as running:
        pids = children(running.process.pid)
        assert running.stop(signal.SIGINT) == 130
        assert_gone(pids)
        assert "Traceback" not in running.rest()


def test_a_worker_process_that_is_killed_is_started_again(project: Project) -> None:
    with two_workers(project) as running:
        before = at_work(project, 2)
        os.kill(children(running.process.pid)[0], signal.SIGKILL)
        assert "it is started again in 0.1 s" in running.line("was ended by SIGKILL")
        run_events(project)
        after = at_work(project, 2)
        assert len(set(before) & set(after)) == 1


def test_workers_stop_when_the_process_that_started_them_is_killed(project: Project) -> None:
    with two_workers(project) as running:
        pids = children(running.process.pid)
        running.process.kill()
        assert_gone(pids)
        assert list((project.root / ".vextir" / FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--workers", "0"), "--workers 0 is no number of processes\n  next:  Use 1 to 64", id="none"),
        pytest.param(
            ("--workers", "65"), "--workers 65 is no number of processes\n  next:  Use 1 to 64", id="too-many"
        ),
        pytest.param(
            ("--workers", "2", "--once", "events"),
            "--once runs its events in this process\n  next:  Leave --workers out",
            id="once",
        ),
    ],
)
def test_a_number_of_workers_that_cannot_be_is_a_clear_error(
    project: Project, arguments: tuple[str, ...], said: str
) -> None:
    done = project.run("dev", *arguments)
    assert done.code == 2
    assert said in done.err
