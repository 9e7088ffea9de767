"""The bill of materials: what a deployment installs, as CycloneDX 1.6 in JSON. The same sources give the same bytes.

    python scripts/sbom.py dist/vextir-os.cdx.json

Packages, versions and hashes are those of requirements.txt, who needs whom stands in uv.lock, licences in what is
installed.
"""

import os
import sys
import tomllib
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.closure import FILE, Pinned, pinned  # noqa: E402 - started as a file, the project is not on the path
from scripts.licences import installed_path, is_expression, licence_of  # noqa: E402

NAME = "vextir-os"
WITHOUT_A_DATE = "1580601600"
"""What hatchling takes for SOURCE_DATE_EPOCH where it is not set, too."""

_PLACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://vextir.example/sbom")


def bill(packages: Sequence[Pinned], lock: Mapping[str, Any], licences: Mapping[str, str], at: int) -> Bom:
    """Return the bill of materials of this version.

    Args:
        packages: What is installed beside it.
        lock: What uv.lock says.
        licences: An expression of SPDX for each package, where it is known.
        at: When it was made, in epoch seconds.
    """
    version = next(one["version"] for one in lock["package"] if one["name"] == NAME)
    needs, urls = needs_of(lock), urls_of(lock)
    ours = Component(type=ComponentType.APPLICATION, name=NAME, version=version, bom_ref=f"{NAME}@{version}")
    others = [_component(package, licences.get(package.name, ""), urls) for package in packages]
    by_name: dict[str, list[Component]] = {}
    for component in others:
        by_name.setdefault(component.name, []).append(component)
    bom = Bom(
        components=others,
        metadata=BomMetaData(component=ours, timestamp=datetime.fromtimestamp(at, UTC)),
        dependencies=[
            Dependency(
                ref=component.bom_ref,
                dependencies=[
                    Dependency(ref=one.bom_ref)
                    for name in needs.get(component.name, ())
                    for one in by_name.get(name, [])
                ],
            )
            for component in [ours, *others]
        ],
    )
    contents = "\n".join(f"{one.name}=={one.version} {' '.join(one.sha256)}" for one in packages)
    bom.serial_number = uuid.uuid5(_PLACE, f"{version} {at}\n{contents}")
    return bom


def text_of(bom: Bom) -> str:
    """Return a bill as the text of its file."""
    text: str = JsonV1Dot6(bom).output_as_string(indent=2)
    return text + "\n"


def _component(package: Pinned, licence: str, urls: Mapping[str, str]) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        bom_ref=f"{package.name}@{package.version}",
        purl=PackageURL("pypi", None, package.name, package.version),
        licenses=[LicenseExpression(licence)] if licence and is_expression(licence) else [],
        external_references=[
            ExternalReference(
                type=ExternalReferenceType.DISTRIBUTION,
                url=XsUri(urls[sha256]),
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)],
            )
            for sha256 in package.sha256
        ],
    )


def needs_of(lock: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """Return which packages each package of uv.lock needs, with all its extras, by name."""
    found: dict[str, set[str]] = {}
    for package in lock["package"]:
        lists = [package.get("dependencies", []), *package.get("optional-dependencies", {}).values()]
        found.setdefault(package["name"], set()).update(one["name"] for part in lists for one in part)
    return {name: sorted(names) for name, names in found.items()}


def urls_of(lock: Mapping[str, Any]) -> Mapping[str, str]:
    """Return where each file of uv.lock comes from, by its SHA-256 in hex."""
    files = [file for one in lock["package"] for file in [*one.get("wheels", []), *filter(None, [one.get("sdist")])]]
    return {file["hash"].removeprefix("sha256:"): file["url"] for file in files if "url" in file}


def main(arguments: Sequence[str]) -> int:
    """Write the bill to a file."""
    if len(arguments) != 1:
        print("usage: sbom.py FILE", file=sys.stderr)
        return 2
    packages = [one for one in pinned(FILE.read_text(encoding="utf-8")) if one.is_installed_somewhere()]
    path = installed_path()
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    licences = {package.name: licence_of(package, path) for package in packages}
    at = int(os.environ.get("SOURCE_DATE_EPOCH") or WITHOUT_A_DATE)
    target = Path(arguments[0])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text_of(bill(packages, lock, licences, at)), encoding="utf-8")
    print(f"{target}: {len(packages)} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
