"""The driver index of a project, as every command builds, reads and compares it: with the environment of today."""

import contextlib
import os

from vextir_os.cli import screen
from vextir_os.cli.errors import warn
from vextir_os.registry.manifest_json import Index
from vextir_os.settings import Settings


def built(settings: Settings) -> Index:
    """Return the index made anew. Raises `ManifestProblemsError`."""
    from vextir_os.registry.index import build_index

    return build_index(settings.root, environ=os.environ)


def fresh_index(settings: Settings) -> Index:
    """Return the index of a project, built and written anew where it is missing or stale.

    Raises:
        ManifestProblemsError: Something is wrong with at least one driver.
    """
    from vextir_os.errors import StaleIndexError
    from vextir_os.registry.index import check_fresh, load_index, write_index

    with contextlib.suppress(StaleIndexError):
        index = load_index(settings.root)
        if not check_fresh(settings.root, index):
            return index
    index = built(settings)
    try:
        write_index(settings.root, index)
    except OSError as error:
        warn(screen.stderr(), f"the driver index cannot be written: {error}. It is built at every start")
    return index
