"""The `Blobs` port on SQLite: large bytes in the same file as the records that name them."""

import hashlib
import sqlite3
from functools import partial

from vextir_os.adapters.sqlite.database import Database
from vextir_os.errors import BlobMismatchError, InvalidRequestError, NotFoundError, TooLargeError
from vextir_os.events.limits import BLOB_BYTES
from vextir_os.ports.blobs import BlobRef

_NAME_CHARS = 1024


class SqliteBlobs:
    """Bytes by name `<record id>/<part>`.

    Args:
        database: Where the work is done.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, name: str, data: bytes) -> BlobRef:
        """As the port says. Raises `InvalidRequestError` for a name that is not `<record id>/<part>`."""
        record, _, part = name.partition("/")
        if not record or not part or len(name) > _NAME_CHARS:
            raise InvalidRequestError(f"blob name {name[:80]!r} is not `<record id>/<part>` of at most {_NAME_CHARS}")
        if len(data) > BLOB_BYTES:
            raise TooLargeError(f"blob {name} has {len(data)} bytes, at most {BLOB_BYTES} are allowed")
        ref = BlobRef.of(name, data)
        await self._database.submit(partial(_put, ref, data), single=True)
        return ref

    async def get(self, ref: BlobRef) -> bytes:
        """As the port says."""
        data: bytes = await self._database.read(partial(_get, ref.name))
        if len(data) != ref.size_bytes or hashlib.sha256(data).hexdigest() != ref.sha256:
            raise BlobMismatchError(
                f"blob {ref.name} is not what its reference names (expected {ref.size_bytes} bytes with sha256 "
                f"{ref.sha256[:12]}…, found {len(data)} bytes)",
                hint="It was replaced since; read the record again",
            )
        return data

    async def delete_all(self, record: str) -> None:
        """As the port says."""
        await self._database.submit(partial(delete_all, record=record), single=True)


def _put(ref: BlobRef, data: bytes, connection: sqlite3.Connection, now: float) -> None:
    connection.execute(
        "INSERT INTO blobs(name, size, sha256, data, at) VALUES(?, ?, ?, ?, ?) ON CONFLICT(name) DO UPDATE "
        "SET size = excluded.size, sha256 = excluded.sha256, data = excluded.data, at = excluded.at",
        (ref.name, ref.size_bytes, ref.sha256, data, now),
    )


def _get(name: str, connection: sqlite3.Connection, _now: float) -> bytes:
    row = connection.execute("SELECT data FROM blobs WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise NotFoundError(f"there is no blob {name}", hint="Its record was deleted, or never committed")
    data: bytes = row[0]
    return data


def delete_all(connection: sqlite3.Connection, _now: float, record: str) -> None:
    """Remove all blobs of a record."""
    # A range over the primary key: '0' follows '/'.
    connection.execute("DELETE FROM blobs WHERE name > ? AND name < ?", (record + "/", record + "0"))
