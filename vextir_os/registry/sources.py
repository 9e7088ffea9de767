"""What the drivers of a project are declared in, and its hashes: by these an index is known to be fresh."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from vextir_os.driverkit.manifest import PROJECT
from vextir_os.registry.folders import DRIVERS, find_folders, folder_hash
from vextir_os.registry.forms.files import agent_files, shared_files, yaml_drivers
from vextir_os.registry.forms.hashes import file_hash
from vextir_os.registry.homes import Home


def source_hashes(root: Path, packs: Sequence[Home] = ()) -> dict[str, str]:
    """Return the hash of each driver folder, YAML driver, agent, of what agents share, and of each pack, by its name.

    A pack counts as a whole: `pack:acme-drivers 1.2.0`.
    """
    base = root / DRIVERS
    hashes = {f"{DRIVERS}/{folder.name}": folder_hash(folder) for folder in find_folders(base)[0]}
    for path in yaml_drivers(base):
        if path.parent == base:
            hashes[f"{DRIVERS}/{path.name}"] = file_hash(path)
        else:
            hashes[f"{DRIVERS}/{path.parent.name}"] = folder_hash(path.parent)
    agents = [file.path for file in agent_files(root)]
    for path in [*agents, *(shared_files(root) if agents else ())]:
        # A name may hold bytes that are no text, and the index is JSON.
        name = path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()
        hashes[name] = file_hash(path)
    return hashes | pack_hashes(packs)


def pack_hashes(packs: Sequence[Home]) -> dict[str, str]:
    """Return one hash for each pack, over all its packages."""
    parts: dict[str, list[str]] = {}
    for pack in packs:
        parts.setdefault(pack.origin, []).append(folder_hash(pack.folder))
    return {origin: f"sha256:{sha256(''.join(found).encode()).hexdigest()}" for origin, found in parts.items()}


def source_of(origin: str, entry: str, module: str) -> str:
    """Return the name of what a driver is declared in, as `source_hashes` has it.

    Args:
        origin: Of its manifest; likewise the others.
        entry: `drivers/mail/driver.py:read`, `agents/triage.agent.md:triage`.
        module: `mail.driver`; empty for a declared one.
    """
    if origin != PROJECT:
        return origin
    if module:
        return f"{DRIVERS}/{module.partition('.')[0]}"
    file = entry.rpartition(":")[0]
    folder, _, name = file.rpartition("/")
    return folder if folder.startswith(f"{DRIVERS}/") else f"{folder}/{name}".removeprefix("/")
