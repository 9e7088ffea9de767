"""The file of a backup: written, read, and all that a file which only looks like one may try."""

import dataclasses
import hashlib
import io
import json
import stat
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from vextir_os.errors import BackupError
from vextir_os.local.keeping.archive import (
    DATABASE,
    MANIFEST,
    Manifest,
    extract_database,
    read_manifest,
    write_archive,
)

CONTENT = b"SQLite format 3\x00" + bytes(range(256)) * 40
EMPTY = Manifest(
    made="2026-11-21T10:00:00.000Z", version="0.1.0", schema=1, tenant="local", counts={"events": 3}, size_bytes=0,
    sha256="",
)  # fmt: skip
REGULAR = (stat.S_IFREG | 0o600) << 16


def document(**changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {
        "v": 1, "kind": "vextir-backup", "made": EMPTY.made, "version": "0.1.0", "schema": 1, "tenant": "local",
        "counts": {"events": 3},
        "database": {"size_bytes": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()},
    }  # fmt: skip
    return found | changes


def packed(
    manifest: Mapping[str, Any] | bytes | None = None,
    *,
    content: bytes = CONTENT,
    extra: Mapping[str, bytes] | None = None,
    kind: int = REGULAR,
    compress: int = zipfile.ZIP_DEFLATED,
) -> io.BytesIO:
    """Return an archive made by hand."""
    file = io.BytesIO()
    raw = manifest if isinstance(manifest, bytes) else json.dumps(manifest or document()).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {DATABASE: content, MANIFEST: raw, **(extra or {})}.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = kind if name == DATABASE else REGULAR
            archive.writestr(member, data, compress_type=compress if name == DATABASE else zipfile.ZIP_STORED)
    return file


def unpack(file: io.BytesIO) -> bytes:
    to = io.BytesIO()
    extract_database(file, "it.backup", read_manifest(file, "it.backup"), to)
    return to.getvalue()


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "some.db").write_bytes(CONTENT)
    file = io.BytesIO()
    written = write_archive(file, tmp_path / "some.db", EMPTY)
    assert written == dataclasses.replace(EMPTY, size_bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
    assert read_manifest(file, "it") == written
    assert unpack(file) == CONTENT


def test_equal_data_give_equal_files(tmp_path: Path) -> None:
    (tmp_path / "some.db").write_bytes(CONTENT)
    one, two = io.BytesIO(), io.BytesIO()
    write_archive(one, tmp_path / "some.db", EMPTY)
    write_archive(two, tmp_path / "some.db", EMPTY)
    assert one.getvalue() == two.getvalue()


def test_an_archive_made_by_hand_as_it_should_be_is_read() -> None:
    assert unpack(packed()) == CONTENT


def with_two_databases() -> io.BytesIO:
    file = packed()
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr(DATABASE, b"another")
    return file


def encrypted() -> io.BytesIO:
    raw = bytearray(packed().getvalue())
    place = raw.index(b"PK\x01\x02")
    raw[place + 8] |= 1
    return io.BytesIO(bytes(raw))


def with_a_large_directory() -> io.BytesIO:
    return packed(extra={f"{'x' * 60}{number}": b"" for number in range(100)})


def with_a_directory_of_gigabytes() -> io.BytesIO:
    raw = packed().getvalue()
    head, end = raw[:-22], raw[-22:]
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, 6_000_000_000, 0)
    where = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(head), 1)
    return io.BytesIO(head + end64 + where + end)


@pytest.mark.parametrize(
    ("file", "why"),
    [
        pytest.param(io.BytesIO(), "it is no ZIP file", id="empty"),
        pytest.param(io.BytesIO(b"PK" + bytes(400)), "it is no ZIP file", id="garbage"),
        pytest.param(io.BytesIO(packed().getvalue()[:-9]), "or it is cut off", id="cut-off"),
        pytest.param(packed(extra={"../../etc/cron.d/x": b""}), "'../../etc/cron.d/x', which no", id="path-upward"),
        pytest.param(packed(extra={"/etc/passwd": b""}), "'/etc/passwd', which no backup does", id="absolute-path"),
        pytest.param(packed(extra={"signing.key": b"0" * 64}), "'signing.key', which no", id="a-key"),
        pytest.param(packed(kind=(stat.S_IFLNK | 0o777) << 16), f"{DATABASE} is no plain file", id="symlink"),
        pytest.param(packed(kind=(stat.S_IFCHR | 0o600) << 16), f"{DATABASE} is no plain file", id="device"),
        pytest.param(encrypted(), f"{DATABASE} is no plain file", id="encrypted"),
        pytest.param(packed(compress=zipfile.ZIP_LZMA), "packed in a way that no backup is", id="other-packing"),
        pytest.param(with_two_databases(), "once each", id="a-name-twice"),
        pytest.param(with_a_large_directory(), "its directory is larger", id="many-members"),
        pytest.param(with_a_directory_of_gigabytes(), "its directory is larger", id="directory-of-gigabytes"),
        pytest.param(packed(b"{"), f"{MANIFEST} is no JSON", id="no-json"),
        pytest.param(packed(b'{"v": 1, "v": 1}'), f"{MANIFEST} is no JSON", id="a-key-twice"),
        pytest.param(packed(b" " * 70_000), f"{MANIFEST} is larger", id="large-manifest"),
        pytest.param(packed(document(kind="other")), "not that of a backup", id="another-kind"),
        pytest.param(packed(document(v=2)), "is a backup of version 2", id="newer"),
        pytest.param(packed(document(schema="1")), "has a wrong type", id="wrong-type"),
        pytest.param(packed(document(counts={"events": "many"})), "has a wrong type", id="wrong-count"),
        pytest.param(packed(document(database=None)), "lacks a member", id="no-database"),
        pytest.param(packed(content=CONTENT + b"!"), "its manifest says", id="longer-than-it-says"),
        pytest.param(packed(content=CONTENT[:-1]), "its manifest says", id="shorter-than-it-says"),
        pytest.param(packed(content=CONTENT[:-1] + b"!"), "is damaged: it is not what its", id="changed"),
    ],
)
def test_what_is_no_backup_is_refused(file: io.BytesIO, why: str) -> None:
    with pytest.raises(BackupError) as found:
        unpack(file)
    assert why in str(found.value)


def test_what_unpacks_to_more_than_it_says_is_stopped_there() -> None:
    content = bytes(50_000_000)
    raw = bytearray(packed(document(database={"size_bytes": 1_000, "sha256": "0" * 64}), content=content).getvalue())
    assert len(raw) < 100_000
    # Both directory and header lie about the size.
    for mark, place in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = raw.index(mark) + place
        raw[at : at + 4] = (1_000).to_bytes(4, "little")
    file, to = io.BytesIO(bytes(raw)), io.BytesIO()
    with pytest.raises(BackupError, match=r"damaged|more than the 1000 bytes|cannot be unpacked"):
        extract_database(file, "bomb", read_manifest(file, "bomb"), to)
    assert len(to.getvalue()) <= 1_000


@pytest.mark.parametrize("step", range(60))
def test_one_wrong_bit_anywhere_is_found_or_means_nothing(step: int) -> None:
    raw = bytearray(packed().getvalue())
    raw[len(raw) * step // 60] ^= 1 << (step % 8)
    try:
        assert unpack(io.BytesIO(bytes(raw))) == CONTENT
    except BackupError:
        return
