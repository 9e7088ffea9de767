"""What requirements.txt pins: every package that a deployment installs, by version and hash, and where it does."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "requirements.txt"

_LINE = re.compile(
    r"(?P<name>[a-z0-9.-]+)(?:\[[a-z,-]+\])?==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>.+?))?\s*(?=--|$)"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """One line of requirements.txt; `marker` says where it is installed, and is empty for everywhere."""

    name: str
    version: str
    marker: str
    sha256: tuple[str, ...]

    def is_installed_somewhere(self) -> bool:
        """Whether a system that we support installs it: Linux or macOS, with a Python that we support."""
        marker = Marker(self.marker) if self.marker else None
        return marker is None or any(marker.evaluate(one) for one in ENVIRONMENTS)


ENVIRONMENTS: Sequence[dict[str, str]] = [
    {
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[system],
        "os_name": "posix",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for system in ("linux", "darwin")
    for python in ("3.11", "3.12", "3.13")
]


def pinned(text: str) -> Iterator[Pinned]:
    """Yield the lines of a requirements file. Raises `ValueError` for one that is not pinned by version and hash."""
    for line in text.replace("\\\n", " ").splitlines():
        stated = line.partition(" #")[0].strip()
        if not stated or stated.startswith("#"):
            continue
        found, hashes = _LINE.match(stated), tuple(_HASH.findall(stated))
        if not found or not hashes:
            raise ValueError(f"not pinned by version and hash: {stated[:100]}")
        yield Pinned(name=found["name"], version=found["version"], marker=found["marker"] or "", sha256=hashes)
