"""Starting a driver's process: what it is given, which is little, and what it is not. The only place that starts one.

It gets an environment of its own, no descriptor beside its channel and its output, a private folder as working
directory, and the places that it may read. It gets nothing of the OS: no key, no setting, no connection.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vextir_os.driverkit.manifest import Manifest
from vextir_os.events import jsonio
from vextir_os.isolation.frames import frame
from vextir_os.isolation.reach import reach_of
from vextir_os.registry.manifest_json import Index, encode_index
from vextir_os.registry.sources import source_of

OPEN_FILES = 256
"""Descriptors that one process may hold."""

FILE_BYTES = 256_000_000
"""Size of a file that one process may write."""

TASKS = 256
"""Threads and processes of this user, beyond those there are when a process starts; the kernel holds root to none."""

NICE = 5
"""How far a driver's process stands behind the OS, for the scheduler."""

_PASSED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
# psutil, which other systems need, is among the site packages.
_BARE = ["-S"] if sys.platform == "linux" else []
_HERE = Path(__file__).parent
# Packages in name alone: importing what is in them imports nothing else of ours.
_WARDEN = """
import sys, types
for name, path in (("vextir_os", sys.argv[3]), ("vextir_os.isolation", sys.argv[4])):
    package = sys.modules[name] = types.ModuleType(name)
    package.__path__ = [path]
from vextir_os.isolation.warden import main
main(int(sys.argv[1]), int(sys.argv[2]))
"""
_CHILD = "import sys; sys.path[:] = sys.argv[2:]; from vextir_os.isolation.child import main; main(int(sys.argv[1]))"


@dataclass(frozen=True, kw_only=True)
class Started:
    """A warden and what leads to it and to its driver's process.

    Attributes:
        warden: The warden's process.
        control: Stream of lines with the warden; does not block.
        channel: Stream of frames with the driver's process; does not block.
        output: What the driver's process and those below it write to standard output and error; does not block.
        folder: Its working directory, where alone it may write; the warden removes it.
    """

    warden: "subprocess.Popen[bytes]"
    control: socket.socket
    channel: socket.socket
    output: int
    folder: Path


def start(manifest: Manifest, root: Path, hidden: Sequence[Path] = ()) -> Started:
    """Start a driver's process, which then loads the driver and says that it is ready.

    Args:
        manifest: From the index.
        root: The project root.
        hidden: Folders that it reads nothing of, wherever they are.

    Raises:
        OSError: The system starts no more processes.
    """
    folder = Path(tempfile.mkdtemp(prefix="vextir-driver-")).resolve()
    control, wardens = socket.socketpair()
    channel, childs = socket.socketpair()
    output, written = os.pipe()
    ends, childs_fd = (control, channel), str(childs.fileno())
    ours = (str(wardens.fileno()), childs_fd)
    try:
        warden = subprocess.Popen(  # noqa: S603 - our own program, its arguments are numbers
            [sys.executable, "-I", *_BARE, "-c", _WARDEN, *ours, str(_HERE.parent), str(_HERE)],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            pass_fds=(wardens.fileno(), childs.fileno()),
            env=_environment(manifest, os.environ, folder),
            cwd=folder,
            start_new_session=True,
        )
    except OSError:
        for end in ends:
            end.close()
        os.close(output)
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        wardens.close()
        childs.close()
        os.close(written)
    paths = [str(Path(entry or ".").resolve()) for entry in sys.path]
    reach = asdict(reach_of(manifest, root, folder, paths, hidden))
    control.sendall(json.dumps(_orders(manifest, childs_fd, folder, paths, reach)).encode() + b"\n")
    channel.sendall(frame(_spec(manifest, root, reach)))
    for end in ends:
        end.setblocking(False)
    os.set_blocking(output, False)
    return Started(warden=warden, control=control, channel=channel, output=output, folder=folder)


def _orders(
    manifest: Manifest, channel: str, folder: Path, paths: Sequence[str], reach: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "argv": [sys.executable, "-I", "-B", "-c", _CHILD, channel, *paths],
        "env": _environment(manifest, os.environ, folder),
        "cwd": str(folder),
        "nice": NICE,
        "reach": reach,
        "limits": {
            "memory": manifest.memory_bytes,
            "cpu": manifest.cpu_s,
            "processes": manifest.processes,
            "files": FILE_BYTES,
            "open_files": OPEN_FILES,
            "tasks": _tasks(manifest),
        },
    }


def _spec(manifest: Manifest, root: Path, reach: Mapping[str, Any]) -> bytes:
    source = source_of(manifest.origin, manifest.entry, manifest.module)
    index = encode_index(Index(manifests=(manifest,), sources={source: manifest.code_hash}))
    return jsonio.dumps({"root": str(root), "reach": reach, "index": index.decode()})


def _environment(manifest: Manifest, ours: Mapping[str, str], folder: Path) -> dict[str, str]:
    passed = {name: ours[name] for name in (*_PASSED, *manifest.env) if name in ours}
    return passed | {"HOME": str(folder), "TMPDIR": str(folder)}


def _tasks(manifest: Manifest) -> int | None:
    """Return what RLIMIT_NPROC is set to: the kernel counts all of a user's tasks, so those of others are added."""
    if os.geteuid() == 0 or sys.platform != "linux":
        return None
    count = 0
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == os.geteuid():
                count += sum(1 for _ in os.scandir(f"/proc/{entry.name}/task"))
        except OSError:
            continue
    return count + manifest.processes + TASKS
