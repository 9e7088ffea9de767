"""Opening the OS of the project that a command works on: to read, or to act in it."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from vextir_os.bootstrap import open_kernel
from vextir_os.cli.root import find_root
from vextir_os.errors import DriverError
from vextir_os.kernel import Kernel
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle
from vextir_os.registry.registry import Registry
from vextir_os.settings import Settings, load_settings

SOURCE = "/cli"
"""Source of events that name none."""


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
