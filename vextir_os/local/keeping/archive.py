"""The file of a backup: a ZIP of exactly two members, the database and a manifest. Knows nothing of what they mean.

    {"v": 1, "kind": "vextir-backup", "made": "2026-11-21T10:00:00.000Z", "version": "0.1.0", "schema": 1,
     "tenant": "local", "counts": {"events": 12, "messages": 3}, "database": {"size_bytes": 4096, "sha256": "…"}}

An archive may come from anywhere. Nothing is read from it that is not named here, no name in it leads anywhere, and no
more is unpacked than its manifest says: a hash finds damage, not intent.
"""

import hashlib
import json
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vextir_os.errors import BackupError, VextirError
from vextir_os.events import jsonio

DATABASE = "vextir.db"
MANIFEST = "manifest.json"

_KIND = "vextir-backup"
_VERSION = 1
_CHUNK = 1 << 20
_MANIFEST_BYTES = 64_000
_DIRECTORY_BYTES = 4_000
_LEVEL = 1

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_WHERE_64 = struct.Struct("<4sLQL")
"""How a ZIP ends (APPNOTE 6.3.10, sections 4.3.14 to 4.3.16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        made: When, `2026-11-21T10:00:00.000Z`.
        version: Of the Vextir OS that made it.
        schema: Schema version of the database.
        tenant: The tenant that the project belonged to.
        counts: How many messages, blobs and, by container, documents.
        size_bytes: Of the database.
        sha256: Of the database, in hex.
    """

    made: str
    version: str
    schema: int
    tenant: str
    counts: Mapping[str, int]
    size_bytes: int
    sha256: str


def write_archive(file: BinaryIO, database: Path, manifest: Manifest) -> Manifest:
    """Write a backup, and return its manifest with the size and hash of the database as they were read.

    Raises:
        OSError: The disk is full, or a file cannot be used.
    """
    digest, size = hashlib.sha256(), 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        with archive.open(_member(DATABASE), "w", force_zip64=True) as to, database.open("rb") as source:
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                to.write(chunk)
        values = asdict(manifest) | {"size_bytes": size, "sha256": digest.hexdigest()}
        written = Manifest(**values)
        archive.writestr(_member(MANIFEST), json.dumps(_document(written), indent=1))
    return written


def read_manifest(file: BinaryIO, name: str) -> Manifest:
    """Return the manifest of a backup; its members are what it says, as far as their directory tells.

    Raises:
        BackupError: It is no backup, is damaged, or of a newer version.
    """
    with _opened(file, name) as archive:
        manifest = _parse(_read_manifest(archive, name), name)
        database = archive.getinfo(DATABASE)
        if database.file_size != manifest.size_bytes:
            raise _wrong(name, f"{DATABASE} has {database.file_size} bytes, its manifest says {manifest.size_bytes}")
    return manifest


def extract_database(file: BinaryIO, name: str, manifest: Manifest, to: BinaryIO) -> None:
    """Unpack the database, at most as many bytes as the manifest says.

    Raises:
        BackupError: It is damaged, or not what the manifest says.
        OSError: It cannot be written.
    """
    digest, left = hashlib.sha256(), manifest.size_bytes
    with _opened(file, name) as archive:
        try:
            with archive.open(DATABASE) as source:
                while chunk := source.read(min(_CHUNK, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        raise _wrong(name, f"{DATABASE} unpacks to more than the {manifest.size_bytes} bytes it names")
                    digest.update(chunk)
                    to.write(chunk)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise _wrong(name, f"{DATABASE} cannot be unpacked: {error}") from error
    if left or digest.hexdigest() != manifest.sha256:
        raise _wrong(name, f"{DATABASE} is damaged: it is not what its manifest says")


def _opened(file: BinaryIO, name: str) -> zipfile.ZipFile:
    try:
        _check_end(file, name)
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, struct.error, ValueError, OverflowError) as error:
        raise _wrong(name, f"it is no ZIP file: {error}") from error
    for member in archive.infolist():
        if member.filename not in (DATABASE, MANIFEST):
            raise _wrong(name, f"it holds {member.filename[:80]!r}, which no backup does")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.is_dir() or kind not in (0, stat.S_IFREG) or member.flag_bits & 1:
            raise _wrong(name, f"{member.filename} is no plain file")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _wrong(name, f"{member.filename} is packed in a way that no backup is")
    if sorted(member.filename for member in archive.infolist()) != sorted((DATABASE, MANIFEST)):
        raise _wrong(name, f"it does not hold {DATABASE} and {MANIFEST} once each")
    return archive


def _check_end(file: BinaryIO, name: str) -> None:
    """Look at the size of the directory before `zipfile` reads it into memory as a whole."""
    length = file.seek(0, 2)
    if length < _END.size:
        raise _wrong(name, "it is no ZIP file")
    file.seek(length - _END.size)
    end = _END.unpack(file.read(_END.size))
    if end[0] != b"PK\x05\x06":
        raise _wrong(name, "it is no ZIP file, or it is cut off")
    sizes = [end[5]]
    before = length - _END.size - _WHERE_64.size
    if before >= 0:
        file.seek(before)
        where = _WHERE_64.unpack(file.read(_WHERE_64.size))
        if where[0] == b"PK\x06\x07":
            file.seek(max(before - _END_64.size, 0))
            sizes.append(_END_64.unpack(file.read(_END_64.size))[8])
    if max(sizes) > _DIRECTORY_BYTES:
        raise _wrong(name, "its directory is larger than that of a backup")


def _read_manifest(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        with archive.open(MANIFEST) as source:
            raw = source.read(_MANIFEST_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _wrong(name, f"{MANIFEST} cannot be unpacked: {error}") from error
    if len(raw) > _MANIFEST_BYTES:
        raise _wrong(name, f"{MANIFEST} is larger than that of a backup")
    return raw


def _parse(raw: bytes, name: str) -> Manifest:
    try:
        found = jsonio.loads_strict(raw)
    except VextirError as error:
        raise _wrong(name, f"{MANIFEST} is no JSON: {error.what}") from error
    if not isinstance(found, dict) or found.get("kind") != _KIND:
        raise _wrong(name, f"{MANIFEST} is not that of a backup of Vextir OS")
    if found.get("v") != _VERSION:
        raise BackupError(
            f"{name} is a backup of version {str(found.get('v'))[:20]}, this Vextir OS reads version {_VERSION}",
            hint="Restore it with the Vextir OS that made it, or a newer one",
        )
    database, counted = found.get("database"), found.get("counts")
    values: dict[str, Any] = {key: found.get(key) for key in ("made", "version", "schema", "tenant")}
    if isinstance(database, dict) and isinstance(counted, dict):
        values |= {"size_bytes": database.get("size_bytes"), "sha256": database.get("sha256"), "counts": counted}
    texts = ("made", "version", "tenant", "sha256")
    if (
        all(type(values.get(key)) is str and len(values[key]) <= 128 for key in texts)
        and all(type(values.get(key)) is int and values[key] >= 0 for key in ("schema", "size_bytes"))
        and all(type(count) is int for count in values["counts"].values())
    ):
        return Manifest(**values)
    raise _wrong(name, f"{MANIFEST} lacks a member, or one has a wrong type")


def _document(manifest: Manifest) -> dict[str, Any]:
    values = asdict(manifest)
    database = {key: values.pop(key) for key in ("size_bytes", "sha256")}
    return {"v": _VERSION, "kind": _KIND, **values, "database": database}


def _member(name: str) -> zipfile.ZipInfo:
    # The same for all: when it was made, its manifest says.
    member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = (stat.S_IFREG | 0o600) << 16
    return member


def _wrong(name: str, why: str) -> BackupError:
    return BackupError(f"{name} cannot be restored: {why}", hint="Nothing was changed. Take another backup")
