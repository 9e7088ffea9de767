"""The driver index: built ahead of time, read at the start, compared with the files. Reading it imports no driver."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from vextir_os.errors import StaleIndexError
from vextir_os.registry.discover import NOTHING, discover
from vextir_os.registry.forms.environ import Environ
from vextir_os.registry.homes import Home
from vextir_os.registry.manifest_json import BUILD, INDEX_FILE, Index, decode_index, encode_index
from vextir_os.registry.sources import source_hashes


def build_index(root: Path, *, packs: Sequence[Home] = (), environ: Environ = NOTHING) -> Index:
    """Return the index of a project's drivers, made anew from their files. Imports all driver modules.

    Args:
        root: The project root.
        packs: The packs whose drivers it takes.
        environ: What stands for names of the environment in numbers and switches of declared agents.

    Raises:
        ManifestProblemsError: Something is wrong with at least one driver; all problems.
    """
    return Index(manifests=discover(root, packs=packs, environ=environ), sources=source_hashes(root, packs))


def write_index(root: Path, index: Index) -> Path:
    """Write `drivers/index.json` and return its path. A reader sees the old file or the new one, never half of it.

    A file that holds these bytes already is left alone, with its time.
    """
    path = root / INDEX_FILE
    raw = encode_index(index)
    if not path.is_file() or path.read_bytes() != raw:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.{os.getpid()}")
        unfinished.write_bytes(raw)
        unfinished.replace(path)
    return path


def load_index(root: Path) -> Index:
    """Return the index of a project; an empty one where nothing declares a driver.

    Raises:
        StaleIndexError: There is no index file, or it is damaged, changed by hand, or of another version.
    """
    try:
        return decode_index((root / INDEX_FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        if not source_hashes(root):
            return Index()
        raise StaleIndexError("there is no driver index", hint=BUILD, where=INDEX_FILE) from None


def check_fresh(root: Path, index: Index, packs: Sequence[Home] = ()) -> list[StaleIndexError]:
    """Return one problem for each folder, file or pack that was changed, added or removed since the index was built.

    Compares hashes; imports nothing.
    """
    return [
        StaleIndexError(f"{name} {what} since the driver index was built", hint=BUILD, where=INDEX_FILE)
        for name, what in _differences(index.sources, source_hashes(root, packs))
    ]


def _differences(then: Mapping[str, str], now: Mapping[str, str]) -> list[tuple[str, str]]:
    changes = {name: "was added" for name in now if name not in then}
    changes |= {name: "was removed" for name in then if name not in now}
    changes |= {name: "was changed" for name in now if name in then and now[name] != then[name]}
    return sorted(changes.items())
