"""The doctor on the disk: room, file system, writes. Each finding is provoked."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.patient import a_patient, said
from vextir_os.cli.doctor import disk

TABLE = """\
21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro
30 21 0:30 / /mnt/net rw,relatime shared:2 - {type} server:/share rw
31 21 0:31 / /mnt/net/my\\040disk {options},relatime - xfs /dev/sdb {options}
"""


@pytest.mark.parametrize(
    ("folder", "found"),
    [
        pytest.param("/home/ann", ("/", "ext4", True), id="root"),
        pytest.param("/mnt/net/data", ("/mnt/net", "nfs4", True), id="longest"),
        pytest.param("/mnt/network", ("/", "ext4", True), id="whole-names"),
        pytest.param("/mnt/net/my disk/x", ("/mnt/net/my disk", "xfs", True), id="escaped"),
    ],
)
def test_a_folder_is_on_the_file_system_that_is_mounted_nearest(folder: str, found: tuple[str, str, bool]) -> None:
    assert disk.mount_of(Path(folder), TABLE.format(type="nfs4", options="rw")) == found


def test_a_table_that_cannot_be_read_is_passed_over() -> None:
    assert disk.mount_of(Path("/x"), "nonsense\n - \n1 2 3 - x y z\n") is None


@pytest.mark.parametrize(
    ("kind", "options", "line"),
    [
        ("ext4", "rw", "ok: the data is on ext4, mounted at /"),
        ("9p", "rw", "problem: the data is on 9p, mounted at /"),
        ("nfs4", "rw", "problem: the data is on nfs4, mounted at /"),
        ("cifs", "rw", "problem: the data is on cifs, mounted at /"),
        ("fuse.sshfs", "rw", "problem: the data is on fuse.sshfs, mounted at /"),
        ("fuseblk", "rw", "ok: the data is on fuseblk, mounted at /"),
        ("overlay", "rw", "warning: the data is on overlay, mounted at /"),
        ("tmpfs", "rw", "warning: the data is on tmpfs, mounted at /"),
        ("ext4", "ro", "problem: the data is on ext4, mounted at /, read-only"),
    ],
)
def test_each_kind_of_file_system_has_its_finding(tmp_path: Path, kind: str, options: str, line: str) -> None:
    patient = a_patient(tmp_path, mounts=f"21 1 254:1 / / {options},noatime - {kind} /dev/x {options}\n")
    assert said(disk.file_system(patient)) == [line]


def test_without_a_table_nothing_is_claimed(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    patient.mounts.unlink()
    assert said(disk.file_system(patient)) == ["ok: this system does not say of which type it is: not looked at"]


def test_too_little_room_is_a_problem(tmp_path: Path) -> None:
    assert said(disk.disk(a_patient(tmp_path)), "problem") == []
    (problem,) = [one for one in disk.disk(a_patient(tmp_path, VEXTIR_MIN_FREE_DISK="9000TB")) if one.level != "ok"]
    assert (problem.level, problem.means.startswith("under 9000TB (min_free_disk)")) == ("problem", True)


def test_a_file_system_without_room_for_files_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.statvfs_result((4096, 4096, 10, 5, 5, 1000, 0, 0, 0, 255))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage)
    monkeypatch.setattr(os, "statvfs", lambda _folder: full)
    assert said(disk.disk(a_patient(tmp_path)), "problem") == ["the file system can hold no more files (inodes)"]


@pytest.mark.parametrize(
    ("times", "line"),
    [
        ([0.001, 0.002, 0.9], "ok: a write is on the disk after 2.0 ms"),
        ([0.2, 0.3, 0.4], "warning: a write takes 300 ms until it is on the disk"),
        ([0.000_002] * 3, "warning: a write is said to be on the disk after 2 µs, faster than disks are"),
        (None, "ok: not tried: the file system has no files without a name"),
    ],
)
def test_the_time_of_a_write_is_judged(tmp_path: Path, times: list[float] | None, line: str) -> None:
    assert said(disk.writes(a_patient(tmp_path), lambda _folder: times)) == [line]


def test_a_library_that_pretends_to_write_is_a_problem(tmp_path: Path) -> None:
    patient = a_patient(tmp_path, LD_PRELOAD="/usr/lib/libeatmydata.so")
    (problem,) = said(disk.writes(patient), "problem")
    assert problem == "LD_PRELOAD holds eatmydata, which says of all writes that they are on the disk"


def test_what_is_written_to_try_it_leaves_no_file(tmp_path: Path) -> None:
    patient = a_patient(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert len(said(disk.writes(patient))) == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    assert disk.nearest(tmp_path / "a" / "b") == tmp_path
