"""Which project a command works on. Every command comes by here; nothing of the OS is opened, or even imported."""

import os
from pathlib import Path

from vextir_os.errors import SettingsError
from vextir_os.settings.projectfile import NAME


def find_root(start: Path, named: Path | None) -> Path:
    """Return the project folder: the one named, else the nearest from `start` upward that has the marks of one.

    The marks are folders `drivers/` or `policies/`, or a file `vextir.toml`.

    What a project holds is run. So one that is found further up has to belong to whoever runs the command, or to the
    system: in a folder that many may write to, such as /tmp, anybody can put a folder `drivers`.

    Raises:
        SettingsError: There is none, or it belongs to somebody else.
    """
    if named is not None:
        root = named.expanduser().absolute()
        if not root.is_dir():
            raise SettingsError(f"there is no folder {root}", hint="Name the folder that holds `drivers/`")
        return root
    for folder in (start, *start.parents):
        marks = [path for path in (folder / "drivers", folder / "policies", folder / NAME) if path.exists()]
        if not any(path.is_dir() or path.name == NAME for path in marks):
            continue
        if folder != start and not all(_is_own(path) for path in (folder, *marks)):
            raise SettingsError(
                f"the nearest project, {folder}, belongs to somebody else",
                hint=f"If you trust its code, name it: --project {folder}",
            )
        return folder
    raise SettingsError(
        f"no project: neither {start} nor a folder above it has `drivers/`, `policies/` or `{NAME}`",
        hint="Go to a project folder, or name one with --project DIR",
    )


def _is_own(path: Path) -> bool:
    geteuid = getattr(os, "geteuid", None)
    return geteuid is None or path.stat().st_uid in (0, geteuid())
