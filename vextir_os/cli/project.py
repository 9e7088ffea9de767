"""Which project a command works on, and opening its OS: to read, or to act in it. Every command comes by here."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from vextir_os.bootstrap import open_kernel
from vextir_os.errors import DriverError, SettingsError
from vextir_os.kernel import Kernel
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle
from vextir_os.registry.registry import Registry
from vextir_os.settings import Settings, load_settings
from vextir_os.settings.projectfile import NAME

SOURCE = "/cli"
"""Source of events that name none."""

_MARKS = ("drivers", "policies")


def settings_of(named: Path | None, **changes: Any) -> Settings:
    """Return the settings of the project that a command works on.

    Args:
        named: What `--project` says.
        changes: Settings that the command line says; None for those it does not.

    Raises:
        SettingsError: There is no project, or its settings are wrong.
    """
    settings = load_settings(find_root(Path.cwd(), named), os.environ)
    return replace(settings, **{name: value for name, value in changes.items() if value is not None})


def find_root(start: Path, named: Path | None) -> Path:
    """Return the project folder: the one named, else the nearest from `start` upward with `drivers/` or `policies/`.

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
        marks = [folder / mark for mark in _MARKS if (folder / mark).is_dir()]
        if not marks:
            continue
        file = folder / NAME
        if folder != start and not all(_is_own(path) for path in (folder, *marks, *([file] if file.exists() else []))):
            raise SettingsError(
                f"the nearest project, {folder}, belongs to somebody else",
                hint=f"If you trust its code, name it: --project {folder}",
            )
        return folder
    raise SettingsError(
        f"no project: neither {start} nor a folder above it has `drivers/` or `policies/`",
        hint="Go to a project folder, or name one with --project DIR",
    )


@contextlib.asynccontextmanager
async def open_to_read(settings: Settings) -> AsyncIterator[Kernel]:
    """Open the data of a project without its drivers and policies, so that broken ones keep nobody from reading."""
    async with open_kernel(settings, registry=Registry(), policy=PolicyEngine(Bundle())) as kernel:
        yield kernel


@contextlib.asynccontextmanager
async def open_to_send(settings: Settings) -> AsyncIterator[Kernel]:
    """Open a project to publish events: with its policies, without its drivers.

    Raises:
        PolicyProblemsError: The policies cannot be used.
    """
    async with open_kernel(settings, registry=Registry()) as kernel:
        yield kernel


@contextlib.asynccontextmanager
async def open_to_act(settings: Settings) -> AsyncIterator[Kernel]:
    """Open a project to act on it as a person: with its policies, and its drivers by name where their index is usable.

    Raises:
        PolicyProblemsError: The policies cannot be used.
    """
    try:
        registry = Registry.open(settings.root, settings.packs)
    except DriverError:
        registry = Registry()
    async with open_kernel(settings, registry=registry) as kernel:
        yield kernel


def _is_own(path: Path) -> bool:
    geteuid = getattr(os, "geteuid", None)
    return geteuid is None or path.stat().st_uid in (0, geteuid())
