"""Packs: drivers that an installed distribution brings, by an entry point of the group `vextir.drivers`.

Being installed is not being used: a dependency of a dependency would get events that nobody meant for it. Which packs
run is a setting, by the names of distributions, which the package index keeps unique; entry points anybody may name.
Looking for packs imports none of them.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from vextir_os.errors import PackError, did_you_mean, shown
from vextir_os.registry.homes import PACK, Home
from vextir_os.registry.modules import folders_of

GROUP = "vextir.drivers"
"""Group of the entry points whose values name packages with driver folders."""

_LOG = logging.getLogger("vextir.packs")
_PACKAGE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One package with drivers of an installed distribution.

    Attributes:
        name: Name of the distribution, normalised: `acme-drivers`.
        package: The package that the entry point names: `acme_drivers`.
        folder: Where that package is; None where it cannot be used.
        problem: Why it cannot be used; empty where it can.
    """

    name: str
    version: str
    package: str
    folder: Path | None
    problem: str = ""

    @property
    def home(self) -> Home:
        """Where its drivers are. Raises `PackError` where the package cannot be used."""
        if self.folder is None:
            raise PackError(f"pack {shown(self.name)}: {self.problem}", hint="Install it anew, or leave it out")
        shown_as = self.package.replace(".", "/")
        return Home(
            folder=self.folder,
            agents=self.folder,
            name=shown_as,
            prefix=f"{shown_as}/",
            origin=f"{PACK}{self.name} {self.version}",
            package=self.package,
        )


def installed_packs(found: Callable[[], Iterable[Distribution]] = distributions) -> list[Pack]:
    """Return the packs that are installed, by name and package.

    Args:
        found: Yields the installed distributions, the first of a name being the one that imports find.
    """
    packs: dict[str, list[Pack]] = {}
    for distribution in found():
        try:
            name = normalised(distribution.metadata["Name"] or "")
            packages = sorted({point.value for point in distribution.entry_points.select(group=GROUP)})
            version = distribution.version
        except Exception as error:  # noqa: BLE001 - any of the many distributions may be damaged, in any way
            _LOG.debug("a damaged distribution is passed over: %.200r", error)
            continue
        if name and name not in packs:
            packs[name] = [_pack(name, version, distribution, package) for package in packages]
    return [pack for name in sorted(packs) for pack in packs[name]]


def homes_of(names: Sequence[str], packs: Callable[[], Sequence[Pack]] = installed_packs) -> list[Home]:
    """Return the places of the packs that a setting names; looks for none where it names none.

    Raises:
        PackError: One is not installed, is no pack, or its package cannot be used.
    """
    if not names:
        return []
    installed = packs()
    homes = []
    for name in dict.fromkeys(map(normalised, names)):
        own = [pack for pack in installed if pack.name == name]
        if not own:
            hint = did_you_mean(name, {pack.name for pack in installed}) or "Run: vextir drivers packs"
            what = f"there is no pack {shown(name)} among what is installed"
            raise PackError(what, hint=hint, where="VEXTIR_PACKS")
        homes += [pack.home for pack in own]
    return homes


def refused(sources: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return the packs that an index holds and the setting does not name, `acme-drivers 1.2.0`.

    Args:
        sources: Names of what the drivers of the index are declared in.
        names: The setting.
    """
    allowed = set(map(normalised, names))
    held = (source.removeprefix(PACK) for source in sources if source.startswith(PACK))
    return sorted(pack for pack in held if pack.partition(" ")[0] not in allowed)


def normalised(name: str) -> str:
    """Return the name of a distribution in its one spelling. Source: PyPA, "Name format", normalization."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _pack(name: str, version: str, distribution: Distribution, package: str) -> Pack:
    folder, problem = _folder(distribution, package)
    return Pack(name=name, version=version, package=package, folder=folder, problem=problem)


def _folder(distribution: Distribution, package: str) -> tuple[Path | None, str]:
    """Return where a package is, or why it cannot be used. Finds it as an import would, and imports nothing."""
    if not _PACKAGE.fullmatch(package):
        return None, f"its entry point {shown(package)} names no package"
    top, *inner = package.split(".")
    places = [place.joinpath(*inner) for place in folders_of(top)]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        return None, f"the package `{package}` is not there"
    own = Path(str(distribution.locate_file(package.replace(".", "/"))))
    if not _is_editable(distribution) and folder.resolve() != own.resolve():
        return None, f"the package `{package}` at {folder} is not the one that it brought, {own}"
    return folder, ""


def _is_editable(distribution: Distribution) -> bool:
    """Whether it was installed as a link to somebody's checkout. Source: PEP 610, PEP 660."""
    try:
        said = json.loads(distribution.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return isinstance(said, dict) and bool((said.get("dir_info") or {}).get("editable"))
