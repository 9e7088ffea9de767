"""The wheel of the OS that runs here, for a project to bring along: the same bytes for the same OS.

An editable checkout is built by hatchling, from its files as they are. An installed OS is packed again from what its
RECORD lists; a file that is not what was installed is refused, so what a project vendors is what was released.
"""

import base64
import csv
import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import vextir_os
from vextir_os.errors import PackageError

DISTRIBUTION = "vextir-os"

# As hatchling does it: then what is packed again has the bytes, and so the hash, of the wheel that was released.
_DATE = (2020, 2, 2, 0, 0, 0)
_MODE, _MODE_OF_METADATA = 0o100644, 0o644
_OF_THE_INSTALLER = frozenset({"INSTALLER", "REQUESTED", "direct_url.json", "RECORD", "uv_build.json", "uv_cache.json"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wheel:
    """A wheel: the name of its file, and what is in it."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Its hash in hex, as a requirements file names it."""
        return hashlib.sha256(self.content).hexdigest()


def make_wheel() -> Wheel:
    """Return the wheel of the OS that runs here.

    Raises:
        PackageError: It is not installed as a package, was changed since, or hatchling is missing in a checkout.
    """
    package = Path(vextir_os.__file__).resolve().parent
    try:
        found = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        raise _not_installed(package) from None
    checkout = _checkout(found)
    if checkout is not None:
        if (checkout / "vextir_os").resolve() != package:
            raise _not_installed(package)
        return _built(checkout)
    if Path(str(found.locate_file("vextir_os"))).resolve() != package:
        raise _not_installed(package)
    return repacked(found)


def repacked(found: metadata.Distribution) -> Wheel:
    """Return the wheel of an installed distribution, made of its files.

    Raises:
        PackageError: It has no RECORD, or a file is not what was installed.
    """
    contents = dict(sorted(_installed(found), key=lambda entry: _order(entry[0])))
    folder = next((path for path in contents if path.endswith(".dist-info/METADATA")), "").rpartition("/")[0]
    tags = [
        line.removeprefix("Tag: ") for line in (found.read_text("WHEEL") or "").splitlines() if line.startswith("Tag:")
    ]
    if not folder or len(tags) != 1:
        raise PackageError("the installed vextir-os has no METADATA or WHEEL file", hint="Install it again")
    record = f"{folder}/RECORD"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in [*contents.items(), (record, _record(contents, record))]:
            info = zipfile.ZipInfo(path, _DATE)
            info.external_attr = (_MODE_OF_METADATA if path.startswith(f"{folder}/") else _MODE) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return Wheel(name=f"{folder.removesuffix('.dist-info')}-{tags[0]}.whl", content=packed.getvalue())


def _installed(found: metadata.Distribution) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each file that a wheel of the distribution has."""
    for file in found.files or ():
        path = PurePosixPath(file)
        outside = ".." in path.parts or path.is_absolute()
        if (
            outside
            or path.suffix in (".pyc", ".pth")
            or (path.parent.suffix == ".dist-info" and path.name in _OF_THE_INSTALLER)
        ):
            continue
        try:
            content = file.read_binary()
        except OSError as error:
            raise PackageError(f"{path} of the installed vextir-os cannot be read", hint="Install it again") from error
        if file.hash is None or _digest(content) != f"{file.hash.mode}={file.hash.value}":
            what = f"{path} of the installed vextir-os is not what was installed"
            raise PackageError(what, hint="Install it again, or work from a checkout: make setup")
        yield path.as_posix(), content


def _order(path: str) -> tuple[bool, list[tuple[bool, str]]]:
    """Return what sorts metadata last, and the files of a folder before its folders."""
    *folders, name = path.split("/")
    return path.partition("/")[0].endswith(".dist-info"), [*((True, folder) for folder in folders), (False, name)]


def _built(checkout: Path) -> Wheel:
    try:
        from hatchling.builders.wheel import WheelBuilder
    except ModuleNotFoundError:
        hint = f"Run: make setup, in {checkout}"
        raise PackageError("hatchling is needed to build the wheel and is not installed", hint=hint) from None
    with tempfile.TemporaryDirectory() as folder:
        (path,) = WheelBuilder(str(checkout)).build(directory=folder, versions=["standard"])
        return Wheel(name=Path(path).name, content=Path(path).read_bytes())


def _checkout(found: metadata.Distribution) -> Path | None:
    """Return the folder that an editable install points to; None for any other install."""
    said = json.loads(found.read_text("direct_url.json") or "{}")
    url = urlsplit(said.get("url", ""))
    if not said.get("dir_info", {}).get("editable") or url.scheme != "file":
        return None
    return Path(unquote(url.path))


def _record(contents: Mapping[str, bytes], record: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows([path, _digest(content), len(content)] for path, content in contents.items())
    rows.writerow([record, "", ""])
    return text.getvalue().encode()


def _digest(content: bytes) -> str:
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip('=')}"


def _not_installed(package: Path) -> PackageError:
    what = f"the vextir_os that runs here, {package}, is no installed package, so it cannot be put into a project"
    return PackageError(what, hint="Run `make setup` in the checkout, or install the wheel, and use its `vextir`")
