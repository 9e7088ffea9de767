"""Drivers: what keeps them from being used, what their code reaches outside, whether their index is fresh."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from vextir_os.cli.checks.findings import Finding, Severity, found
from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import AgentNotRunError, ManifestError, PackError, StaleIndexError, VextirError
from vextir_os.registry.discover import Survey, survey
from vextir_os.registry.folders import MAIN, find_folders
from vextir_os.registry.homes import Home, project_home
from vextir_os.registry.index import check_fresh, load_index
from vextir_os.registry.manifest_json import INDEX_FILE
from vextir_os.registry.outside import reaches
from vextir_os.registry.packs import homes_of, installed_packs, normalised

CLIENT = "client.py"
OWN = "vextir-os"
"""Our own distribution: its pack, the stock drivers, is there wherever this runs."""

_HINT = f"Put what talks to the outside into {CLIENT} beside {MAIN}"


def check_packs(names: Sequence[str]) -> tuple[list[Home], list[Finding]]:
    """Return the packs that the settings name, and what was found about them and those that they do not name."""
    homes: list[Home] = []
    findings: list[Finding] = []
    for name in names:
        try:
            homes += homes_of([name])
        except PackError as error:
            findings += found("problem", "packs", [error])
    wanted = set(map(normalised, names))
    for pack in installed_packs():
        if pack.name not in wanted and pack.name != OWN:
            what = f"the pack `{pack.name} {pack.version}` is installed and not used: VEXTIR_PACKS does not name it"
            findings.append(Finding("note", "packs", "", "", what, ""))
    return homes, findings


def check_drivers(root: Path, packs: Sequence[Home]) -> tuple[Survey, list[Finding]]:
    """Return the drivers, and what was found about them. Imports their modules."""
    surveyed = survey(root, packs=packs, environ=os.environ)
    warnings: list[VextirError] = [
        *surveyed.notes,
        *_not_run(surveyed.manifests),
        *_outside([project_home(root), *packs]),
    ]
    findings = found("problem", "drivers", surveyed.problems) + found("warning", "drivers", warnings)
    return surveyed, findings


def check_index(root: Path, packs: Sequence[Home]) -> list[Finding]:
    """Return whether the index is there and fresh. Imports no driver."""
    try:
        return found("problem", "index", check_fresh(root, load_index(root), packs))
    except StaleIndexError as error:
        # It is written at the next start of `vextir dev`; who deploys needs it.
        severity: Severity = "problem" if (root / INDEX_FILE).exists() else "warning"
        return found(severity, "index", [error])


def _not_run(manifests: Sequence[Manifest]) -> Iterator[VextirError]:
    for manifest in manifests:
        if manifest.agent is not None:
            what = (
                f"`{manifest.id}` is a declared agent, and this version runs none: what comes is kept as a dead letter"
            )
            yield AgentNotRunError(what, where=f"{manifest.entry.rpartition(':')[0]}:{manifest.line}")


def _outside(homes: Sequence[Home]) -> Iterator[VextirError]:
    """Yield where the code of drivers reaches outside past its client."""
    for home, folder in ((each, folder) for each in homes for folder in _folders(each)):
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).parts
            if parts == (CLIENT,) or any(part.startswith(".") for part in parts):
                continue
            try:
                places = reaches(path.read_bytes().decode("utf-8-sig"))
            except (SyntaxError, ValueError, OSError, RecursionError, MemoryError):
                # Said already, by whoever imports it.
                continue
            name = f"{home.name}/{path.relative_to(home.folder).as_posix()}"
            yield from (ManifestError(what, hint=_HINT, where=f"{name}:{line}") for line, what in places)


def _folders(home: Home) -> list[Path]:
    return find_folders(home.folder, home.name, strict=not home.package)[0]
