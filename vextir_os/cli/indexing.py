"""The driver index of a project, as every command builds, reads and compares it: with the environment of today."""

import contextlib
import os

from vextir_os.cli import screen
from vextir_os.cli.errors import warn
from vextir_os.registry.homes import Home
from vextir_os.registry.manifest_json import Index
from vextir_os.registry.packs import homes_of
from vextir_os.settings import Settings


def built(settings: Settings) -> Index:
    """Return the index made anew. Raises `ManifestProblemsError`, `PackError`."""
    from vextir_os.registry.index import build_index

    return build_index(settings.root, packs=packs_of(settings), environ=os.environ)


def packs_of(settings: Settings) -> list[Home]:
    """Return where the drivers of the packs are that the settings name. Raises `PackError`."""
    return homes_of(settings.packs)


def fresh_index(settings: Settings) -> Index:
    """Return the index of a project, built and written anew where it is missing or stale.

    Raises:
        ManifestProblemsError: Something is wrong with at least one driver.
        PackError: A pack is not installed.
    """
    from vextir_os.errors import StaleIndexError
    from vextir_os.registry.index import check_fresh, load_index, write_index

    with contextlib.suppress(StaleIndexError):
        index = load_index(settings.root)
        if not check_fresh(settings.root, index, packs_of(settings)):
            return index
    index = built(settings)
    try:
        write_index(settings.root, index)
    except OSError as error:
        warn(screen.stderr(), f"the driver index cannot be written: {error}. It is built at every start")
    return index
