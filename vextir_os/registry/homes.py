"""Places that hold drivers: the project's own folder, and the packages of packs. Values; look at no file."""

from dataclasses import dataclass
from pathlib import Path

from vextir_os.driverkit.manifest import PROJECT
from vextir_os.registry.folders import DRIVERS

PACK = "pack:"
"""What the origin of a pack's drivers begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One place with drivers in it.

    Attributes:
        folder: Where the driver folders and YAML drivers are.
        agents: Where the agents are: in it, and in its `agents/`.
        name: How `folder` is called in messages: `drivers`.
        prefix: What stands before the names of agent files in messages.
        origin: As manifests name it: `project`, `pack:acme-drivers 1.2.0`.
        package: Name of the installed package; empty for the project.
    """

    folder: Path
    agents: Path
    name: str = DRIVERS
    prefix: str = ""
    origin: str = PROJECT
    package: str = ""


def project_home(root: Path) -> Home:
    """Return the place of a project's own drivers."""
    return Home(folder=root / DRIVERS, agents=root)
