"""A worker lives as long as its process holds the lock on its file; nothing else makes it live, or dead."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vextir_os.local.presence import FOLDER, Presence, remains

ROOT = Path(__file__).parents[3]
ME, OTHER = "00000000000000aa", "00000000000000bb"
HOLD = """
import sys
from pathlib import Path
from vextir_os.local.presence import Presence
presence = Presence(Path(sys.argv[1]), sys.argv[2])
presence.take()
print("held", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def held(data_dir: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a process that holds the other worker's lock."""
    command = [sys.executable, "-c", HOLD, str(data_dir), OTHER]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def gone(data_dir: Path) -> list[str]:
    """Return the workers that are gone, and leave them to others."""
    found = []
    for left in remains(data_dir, but=ME):
        found.append(left.worker)
        left.leave()
    return found


def test_a_worker_whose_process_is_killed_is_gone(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        assert gone(tmp_path) == []
        process.kill()
        process.wait()
        assert gone(tmp_path) == [OTHER]


def test_a_worker_that_is_frozen_is_not_gone(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        process.send_signal(signal.SIGSTOP)
        assert os.waitid(os.P_PID, process.pid, os.WSTOPPED) is not None
        assert gone(tmp_path) == []


def test_a_forked_child_that_outlives_a_worker_does_not_keep_it_alive(tmp_path: Path) -> None:
    forks = HOLD.replace("sys.stdin.read()", "import os, time\nos.fork() or time.sleep(60)\n")
    ours, theirs = os.pipe()
    command = [sys.executable, "-W", "ignore", "-c", forks, str(tmp_path), OTHER]
    # The pipe is open as long as the child lives.
    parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, pass_fds=[theirs], start_new_session=True)
    os.close(theirs)
    try:
        assert parent.wait(30) == 0
        os.set_blocking(ours, False)
        with pytest.raises(BlockingIOError):
            os.read(ours, 1)
        assert gone(tmp_path) == [OTHER]
    finally:
        os.killpg(parent.pid, signal.SIGKILL)
        os.close(ours)


def test_what_a_gone_worker_left_is_given_to_one_of_those_who_look(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        process.kill()
        process.wait()
    [left] = remains(tmp_path, but=ME)
    assert gone(tmp_path) == []
    left.remove()
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_what_could_not_be_dealt_with_is_there_for_the_next_look(tmp_path: Path) -> None:
    with held(tmp_path) as process:
        process.kill()
        process.wait()
    assert gone(tmp_path) == gone(tmp_path) == [OTHER]


@pytest.mark.parametrize(("clean", "left"), [(True, []), (False, [OTHER])], ids=["clean", "with-work-left"])
def test_a_worker_that_leaves_is_looked_after_only_when_it_left_work(
    tmp_path: Path, clean: bool, left: list[str]
) -> None:
    presence = Presence(tmp_path, OTHER)
    presence.take()
    presence.leave(clean=clean)
    presence.leave(clean=clean)
    assert gone(tmp_path) == left


def test_a_worker_does_not_look_at_itself(tmp_path: Path) -> None:
    presence = Presence(tmp_path, ME)
    presence.take()
    assert gone(tmp_path) == []
    presence.leave(clean=True)


def test_a_lock_that_was_taken_between_its_making_and_its_holding_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, made = tmp_path / FOLDER / f"{OTHER}.lock", list[Path]()
    real = os.open

    def opened(name: Path, flags: int, mode: int = 0o777) -> int:
        descriptor = real(name, flags, mode)
        if name == path and not made:
            made.append(name)
            path.unlink()
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    presence = Presence(tmp_path, OTHER)
    presence.take()
    assert path.exists()
    assert gone(tmp_path) == []
    presence.leave(clean=True)


def test_only_the_owner_may_read_the_folder_and_its_files(tmp_path: Path) -> None:
    presence = Presence(tmp_path, OTHER)
    presence.take()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / FOLDER, *(tmp_path / FOLDER).iterdir())]
    assert modes == [0o700, 0o600]
    presence.leave(clean=True)


def test_what_is_no_lock_of_a_worker_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    target = tmp_path / "target"
    target.write_text("mine")
    (folder / "notes.txt").write_text("mine")
    (folder / "00000000000000zz.lock").write_text("mine")
    (folder / "00000000000000bb.lock.bak").write_text("mine")
    (folder / "00000000000000b1.lock").mkdir()
    (folder / "00000000000000b2.lock").symlink_to(target)
    os.mkfifo(folder / "00000000000000b3.lock")
    before = sorted(path.name for path in folder.iterdir())
    assert gone(tmp_path) == []
    assert sorted(path.name for path in folder.iterdir()) == before
    assert target.read_text() == "mine"
