"""The disk under the data: its room, its file system, and whether what is written is there."""

import errno
import os
import re
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vextir_os.cli.doctor.finding import Finding, Patient
from vextir_os.cli.text import duration
from vextir_os.settings.model import MEANINGS

REMOTE = frozenset(
    {"9p", "afs", "ceph", "cifs", "drvfs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs", "vboxsf", "virtiofs"}
)
"""Types of file systems on which another machine keeps the files; of those through FUSE, all but a few."""

LOCAL_FUSE = frozenset({"fuseblk", "fuse.lxcfs"})
FLEETING = frozenset({"ramfs", "tmpfs"})

_OCTAL = re.compile(r"\\([0-7]{3})")
_SYNCS = 5
_SLOW_S = 0.1
_TOO_FAST_S = 0.000_01
_LIARS = ("eatmydata", "libnosync")


class Mount(NamedTuple):
    """A mounted file system: where, of which type, and whether it can be written to."""

    place: str
    type: str
    writable: bool


def disk(patient: Patient) -> Iterator[Finding]:
    """Look how much room there is."""
    folder = nearest(patient.data_dir)
    usage = shutil.disk_usage(folder)
    least: int = patient.found.values["min_free_disk"]
    room = f"{_size(usage.free)} of {_size(usage.total)} are free"
    if usage.free <= least:
        shown = MEANINGS["min_free_disk"].kind.show(least)
        yield Finding(
            check="disk",
            level="problem",
            what=room,
            means=f"under {shown} (min_free_disk) nothing is let in from outside; on a full disk nothing is committed",
            advice="Free room, or name a folder on another disk: VEXTIR_DATA_DIR",
        )
    else:
        yield Finding(check="disk", level="ok", what=room)
    if hasattr(os, "statvfs"):
        found = os.statvfs(folder)
        if found.f_files and not found.f_favail:
            yield Finding(
                check="disk",
                level="problem",
                what="the file system can hold no more files (inodes)",
                means="the database cannot make its log",
                advice="Remove files that nobody needs; look for many small ones: df -i",
            )


def file_system(patient: Patient) -> Iterator[Finding]:
    """Look what kind of file system the data is on."""
    try:
        table = patient.mounts.read_text(encoding="utf-8", errors="replace")
    except OSError:
        yield Finding(
            check="file system", level="ok", what="this system does not say of which type it is: not looked at"
        )
        return
    mount = mount_of(nearest(patient.data_dir).resolve(), table)
    if mount is None:
        return
    what = f"the data is on {mount.type}, mounted at {mount.place}"
    if not mount.writable:
        yield Finding(
            check="file system",
            level="problem",
            what=f"{what}, read-only",
            means="nothing can be committed",
            advice=f"Look why (a disk with errors is mounted so: dmesg), then run: mount -o remount,rw {mount.place}",
        )
    elif mount.type in REMOTE or (mount.type.startswith("fuse") and mount.type not in LOCAL_FUSE):
        yield Finding(
            check="file system",
            level="problem",
            what=what,
            means="another machine keeps the files: locks and the shared memory of the log do not hold there, and the "
            "database is damaged sooner or later",
            advice="Name a folder on a local disk: VEXTIR_DATA_DIR (under WSL 2 one below /home, not below /mnt)",
        )
    elif mount.type in FLEETING:
        yield Finding(
            check="file system",
            level="warning",
            what=what,
            means="the data is in memory, and gone after a restart of the machine",
            advice="Name a folder on a disk: VEXTIR_DATA_DIR",
        )
    elif mount.type == "overlay":
        yield Finding(
            check="file system",
            level="warning",
            what=what,
            means="the data is in a container's own layer, and gone with the container",
            advice="Mount a volume, and name a folder on it: VEXTIR_DATA_DIR",
        )
    else:
        yield Finding(check="file system", level="ok", what=what)


def writes(patient: Patient, sync_times: "Callable[[Path], Sequence[float] | None] | None" = None) -> Iterator[Finding]:
    """Look whether and how fast what is written reaches the disk; in a file without a name, which is gone at once."""
    liar = next((name for name in _LIARS if name in patient.environ.get("LD_PRELOAD", "")), None)
    if liar:
        yield Finding(
            check="writes",
            level="problem",
            what=f"LD_PRELOAD holds {liar}, which says of all writes that they are on the disk",
            means="a power failure may damage the database and lose what was acknowledged",
            advice="Start the OS without it: unset LD_PRELOAD",
        )
    times = (sync_times or _sync_times)(nearest(patient.data_dir))
    if times is None:
        yield Finding(check="writes", level="ok", what="not tried: the file system has no files without a name")
        return
    taken = statistics.median(times)
    if taken > _SLOW_S:
        yield Finding(
            check="writes",
            level="warning",
            what=f"a write takes {duration(taken)} until it is on the disk",
            means="every commit waits for that; an event waits for at least two",
            advice="Name a folder on a faster disk: VEXTIR_DATA_DIR; docs/performance.md says what events cost",
        )
    elif taken < _TOO_FAST_S:
        yield Finding(
            check="writes",
            level="warning",
            what=f"a write is said to be on the disk after {taken * 1e6:.0f} µs, faster than disks are",
            means="the file system may not wait for the disk: a power failure may lose what was acknowledged",
            advice="Look how it is mounted: barriers and sync belong on; in memory there is no disk at all",
        )
    else:
        yield Finding(check="writes", level="ok", what=f"a write is on the disk after {duration(taken)}")


def nearest(folder: Path) -> Path:
    """Return a folder, or the nearest one above that is there."""
    while not folder.is_dir() and folder != folder.parent:
        folder = folder.parent
    return folder


def mount_of(folder: Path, table: str) -> Mount | None:
    """Return the file system that a folder is on, by the kernel's table (`man proc`, mountinfo); pure."""
    found: Mount | None = None
    for line in table.splitlines():
        left, separator, right = line.partition(" - ")
        fields, kinds = left.split(), right.split()
        if not separator or len(fields) < 6 or len(kinds) < 3:
            continue
        place = _OCTAL.sub(lambda match: chr(int(match[1], 8)), fields[4])
        # Of two at one place the later one covers the earlier.
        if folder.is_relative_to(place) and (found is None or len(place) >= len(found.place)):
            options = {*fields[5].split(","), *kinds[2].split(",")}
            found = Mount(place, kinds[0], "ro" not in options)
    return found


def _sync_times(folder: Path) -> Sequence[float] | None:
    if not hasattr(os, "O_TMPFILE"):
        return None
    try:
        descriptor = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL):
            return None
        raise
    try:
        times = []
        for _ in range(_SYNCS):
            os.write(descriptor, b"\0" * 4_096)
            began = time.perf_counter()
            os.fsync(descriptor)
            times.append(time.perf_counter() - began)
        return times
    finally:
        os.close(descriptor)


def _size(number: int) -> str:
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"
