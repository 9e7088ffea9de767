"""Backups: the whole database at one moment, in one file, made beside an OS that runs.

Records, messages and blobs are in one database, so the moment is one for all of them: an event of the backup finds its
blob in the backup. Keys are never in it. What the OS had signed is marked as signed instead, and signed anew when it is
restored: see docs/adr/0014.
"""

from datetime import UTC, datetime
from pathlib import Path

import vextir_os
from vextir_os.adapters.sqlite import copying
from vextir_os.adapters.sqlite.schema import check_ours
from vextir_os.adapters.sqlite.storage import FILE
from vextir_os.errors import BackupError, NotFoundError, UsageError
from vextir_os.events.identity import Signer
from vextir_os.keys import signing_key
from vextir_os.local.keeping.archive import Manifest, write_archive
from vextir_os.local.keeping.files import beside, exists_already, put_in_place
from vextir_os.local.keeping.seals import seal


def make_backup(data_dir: Path, tenant: str, place: Path, *, overwrite: bool = False) -> Manifest:
    """Write a backup of a data directory, whether or not an OS runs on it. Takes seconds to minutes.

    Needs room for a copy of the database beside the backup while it is made. The OS that runs is slowed down by reads
    of at most 200 MB a second, and its log grows for as long as the copy takes.

    Args:
        data_dir: The data directory.
        tenant: Of the project; stands in the manifest.
        place: The file, of mode 0600 when it is there.
        overwrite: Whether a file that is there may be replaced.

    Raises:
        NotFoundError: There is no database.
        UsageError: The file is there already, or would lie in the data directory.
        StoreFullError: The disk is full; nothing is left.
        StoreCorruptError, BackupError: The database is damaged; nothing was written.
    """
    if place.resolve().is_relative_to(data_dir.resolve()):
        raise UsageError(
            f"{place} lies in the data directory itself", hint="Name a file elsewhere, best on another disk"
        )
    if not overwrite and place.exists():
        raise exists_already(place)
    if not (data_dir / FILE).is_file():
        raise NotFoundError(f"there is no data in {data_dir}", hint="Name the project with --project DIR")
    signer = Signer(signing_key(data_dir))
    with beside(place) as file, beside(place) as copy:
        copying.copy_database(data_dir / FILE, copy)
        manifest = _prepare(copy, signer, tenant)
        with file.open("wb") as to:
            manifest = write_archive(to, copy, manifest)
        put_in_place(file, place, overwrite=overwrite)
    return manifest


def _prepare(copy: Path, signer: Signer, tenant: str) -> Manifest:
    """Seal what is signed in a copy, and return what it holds."""
    with copying.open_copy(copy) as connection:
        check_ours(connection, str(copy))
        damage = copying.damage(connection)
        if damage:
            raise BackupError(
                f"the database is damaged: {damage}", hint="Stop all processes, and restore the last good backup"
            )
        connection.execute("BEGIN IMMEDIATE")
        seal(connection, signer)
        connection.execute("COMMIT")
        return Manifest(
            made=datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z",
            version=vextir_os.__version__,
            schema=copying.schema_version(connection),
            tenant=tenant,
            counts=copying.counts(connection),
            size_bytes=0,
            sha256="",
        )
