"""Whether what requirements.txt installs may be used without giving our own code away: read from installed metadata.

A licence is one expression of SPDX. Of `A OR B` one has to be free to use, of `A AND B` both. What is unknown fails
until somebody looked at it and wrote it into `LOOKED_AT`.
"""

import importlib.metadata
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from license_expression import ExpressionError, get_spdx_licensing  # type: ignore[import-untyped]

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.closure import FILE, Pinned, pinned  # noqa: E402 - started as a file, the project is not on the path
from scripts.deploy_env import ENVIRONMENTS, make  # noqa: E402

FREE = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Python-2.0", "Unlicense",
     "Zlib"}
)  # fmt: skip
"""Ask for the notice to be kept, and for no more."""

WEAK = frozenset({"MPL-2.0"})
"""Ask for changes to their own files alone; we change none."""

LOOKED_AT: Mapping[str, tuple[str, str]] = {}
"""Licence of packages whose metadata does not say, and where it was seen: `"name": ("MIT", "LICENSE of its wheel")`."""

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
_WORDS = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "bsd": "BSD-3-Clause",
    "bsd license": "BSD-3-Clause",
    "mit license": "MIT",
    "new bsd license": "BSD-3-Clause",
    "psf": "PSF-2.0",
}
_LICENCES = get_spdx_licensing()
_SHORT = 100


def stated(metadata: importlib.metadata.PackageMetadata) -> str:
    """Return the licence that a package states, as an expression of SPDX; empty when it does not say."""
    expression = _one(metadata, "License-Expression")
    if expression:
        return expression
    text = _one(metadata, "License")
    if text and len(text) < _SHORT and "\n" not in text:
        known = _WORDS.get(text.lower().rstrip("."), text)
        if is_expression(known):
            return known
    names = [one.rpartition(" :: ")[2] for one in metadata.get_all("Classifier") or [] if one.startswith("License ::")]
    names = [name for name in names if name != "OSI Approved"]
    return " AND ".join(_CLASSIFIERS.get(name, f"LicenseRef-{re.sub('[^A-Za-z0-9.]+', '-', name)}") for name in names)


def _one(metadata: importlib.metadata.PackageMetadata, name: str) -> str:
    return (metadata[name] or "").strip() if name in metadata else ""


def is_expression(text: str) -> bool:
    """Whether a text is an expression of SPDX whose names are all known."""
    try:
        return not _LICENCES.validate(text).errors
    except ExpressionError:
        return False


def may_be_used(expression: str) -> bool:
    """Whether an expression leaves a way that asks for nothing of our own code."""
    try:
        return _free(_LICENCES.parse(expression))
    except ExpressionError:
        return False


def _free(part: Any) -> bool:
    branches = getattr(part, "args", ())
    match getattr(part, "operator", "").strip():
        case "OR":
            return any(_free(branch) for branch in branches)
        case "AND":
            return all(_free(branch) for branch in branches)
    # An exception (`WITH`) only takes demands away.
    name = getattr(part, "license_symbol", part).key
    return name in FREE or name in WEAK


def licence_of(package: Pinned, path: Sequence[str], looked_at: Mapping[str, tuple[str, str]] = LOOKED_AT) -> str:
    """Return the licence of a package, from `looked_at`, else from what is installed on a path; empty for unknown."""
    if package.name in looked_at:
        return looked_at[package.name][0]
    for found in importlib.metadata.distributions(name=package.name, path=list(path)):
        # Of two versions for different Pythons one is installed; a licence that changed between them is seen by CI.
        return stated(found.metadata)
    return ""


def problems(packages: Sequence[Pinned], path: Sequence[str]) -> Iterator[str]:
    """Yield what may not be installed, and what nobody looked at; what no system of ours installs is passed over."""
    for package in packages:
        if not package.is_installed_somewhere():
            continue
        licence = licence_of(package, path)
        if not licence:
            yield f"{package.name} {package.version}: its licence is unknown. Look at it, and write it into LOOKED_AT"
        elif not may_be_used(licence):
            yield f"{package.name} {package.version}: {licence} is none that we accept. Use another package"


def installed_path() -> Sequence[str]:
    """Return where the packages of requirements.txt are installed, for them alone; made when it is not there."""
    environment = next(one for one in ENVIRONMENTS if one.name == "requirements")
    make(environment)
    return [str(path) for path in sorted(environment.folder.glob("lib/python*/site-packages"))]


def main() -> int:
    """Look at all packages; 1 when one may not be installed."""
    packages = list(pinned(FILE.read_text(encoding="utf-8")))
    found = list(problems(packages, installed_path()))
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
