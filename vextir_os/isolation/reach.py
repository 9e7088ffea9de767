"""What a driver's process may touch of the file system. Computed once, for the kernel and for the audit hook alike."""

import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import vextir_os
from vextir_os.driverkit.manifest import PROJECT, Manifest
from vextir_os.registry.folders import DRIVERS

_SYSTEM = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
    "/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo", "/usr/share/locale", "/System/Library",
    "/Library/Frameworks",
)  # fmt: skip
"""Shared libraries, time zones, locales."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Absolute real paths; each with all that is below it.

    Attributes:
        reads: May be read and listed.
        lists: May be listed, not read.
        writes: May be written as well.
        runs: May be run by the system, and read.
    """

    reads: tuple[str, ...]
    lists: tuple[str, ...]
    writes: tuple[str, ...]
    runs: tuple[str, ...]


def reach_of(manifest: Manifest, root: Path, folder: Path, paths: Sequence[str], hidden: Sequence[Path] = ()) -> Reach:
    """Return what the process of a driver may touch.

    Args:
        manifest: The driver's.
        root: The project root; of all that is below it, the driver's folder alone.
        folder: The process's own folder.
        paths: Where Python looks for modules there.
        hidden: Folders that nothing of is read, wherever they are: the data of the OS.
    """
    below = str((root / DRIVERS).resolve())
    # A project may be on the path of modules, with the data of the OS in it.
    kept = [str(each.resolve()) for each in (root, *hidden)]
    around = [path for path in map(_real, paths) if any(_holds(path, each) for each in kept)]
    python = [sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()]
    modules = [*map(_real, paths), *map(_real, python), _real(str(Path(vextir_os.__file__).parent))]
    own = [f"{below}/{manifest.module.partition('.')[0]}"] if manifest.origin == PROJECT and manifest.module else []
    programs = os.environ.get("PATH", os.defpath).split(os.pathsep) if manifest.processes else []
    return Reach(
        reads=_unique([*(path for path in modules if path not in around and path != "/"), *own, *_SYSTEM, *_DEVICES]),
        lists=_unique([below, *around]),
        writes=_unique([str(folder.resolve()), "/dev/null"]),
        runs=_unique([sys.executable, _real(sys.executable), *_SYSTEM[:7], *filter(os.path.isabs, programs)]),
    )


def _holds(path: str, inner: str) -> bool:
    return inner == path or inner.startswith(path.rstrip("/") + "/")


def _real(path: str) -> str:
    return os.path.realpath(path)


def _unique(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for path in paths if os.path.exists(path)))  # noqa: PTH110 - texts throughout
