"""Documents as rows: what each conditional write does, as units for the writer thread. Knows no event loop.

An ETag is `<row>.<version>`. Rows are never used twice, so the ETag of a document that was deleted and created anew
never fits the new one; and a replace finds its row by primary key.

A document is gone at `expires_at`. Where its container remembers ids, its row stays behind empty, a tombstone, with the
end of that time as a number below zero: nothing that looks for what has not expired, or has, meets it.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from vextir_os.adapters.sqlite import blobs, conditions, patching
from vextir_os.errors import AlreadyExistsError, ConflictError, GoneError, InvalidRequestError, NotFoundError
from vextir_os.events import jsonio
from vextir_os.ports.store import Document, Patch, Stored, Where

KEY_CHARS = 1023
"""Characters of an id or a partition key, at most (Cosmos DB's limit for ids)."""

COLUMNS = "version, container, pk, id, due, expires_at, lookup, body"
ROW = "(1, ?, ?, ?, ?, ?, ?, ?)"
"""Values of a new document, from its container on."""

_INSERT = f"INSERT INTO documents({COLUMNS}) VALUES {ROW}"  # noqa: S608 - constants only
_UPDATE = (
    "UPDATE documents SET version = version + 1, due = ?, expires_at = ?, lookup = ?, body = ? "
    "WHERE row = ? AND version = ? AND container = ? AND pk = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)"
)
_ETAG = (
    "SELECT row, version FROM documents "
    "WHERE container = ? AND pk = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)"
)
_READ = (
    "SELECT row, version, body FROM documents "
    "WHERE container = ? AND pk = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)"
)
_OVER = "((expires_at >= 0 AND expires_at <= ?) OR (expires_at >= ? AND expires_at < 0))"
_FORGET = f"DELETE FROM documents WHERE container = ? AND pk = ? AND id = ? AND {_OVER}"  # noqa: S608 - constants only
_REMEMBERED = f"SELECT 1 FROM documents WHERE container = ? AND pk = ? AND id = ? AND NOT {_OVER}"  # noqa: S608
_EXPIRED = "SELECT row, container, id, expires_at FROM documents WHERE expires_at >= 0 AND expires_at <= ? LIMIT ?"
_EMPTY = (
    "UPDATE documents SET version = version + 1, due = NULL, lookup = NULL, body = '{}', expires_at = ? WHERE row = ?"
)
_PAST = (
    "DELETE FROM documents WHERE row IN (SELECT row FROM documents WHERE expires_at >= ? AND expires_at < 0 LIMIT ?) "
    "RETURNING id"
)


class Prepared(NamedTuple):
    """A checked and encoded document; `memory`: seconds for which its id is remembered once it has expired."""

    container: str
    pk: str
    id: str
    due: float | None
    ttl: float | None
    lookup: str | None
    body: bytes
    memory: float = 0.0


def prepare(container: str, document: Document, lookup: str | None, memory: float = 0.0) -> Prepared:
    """Check and encode a document before it goes to the writer.

    Args:
        container: Its container.
        document: A JSON object with the texts `id` and `pk`; `due` and `ttl` are numbers when they are there.
        lookup: The top-level member that the container indexes, if any.
        memory: Seconds for which the container remembers ids.

    Raises:
        InvalidRequestError: One of these has a wrong type or range.
        InvalidEventError: Some part is no JSON.
    """
    key, pk, due, ttl = document.get("id"), document.get("pk"), document.get("due"), document.get("ttl")
    if type(key) is not str or type(pk) is not str or not 0 < len(key) <= KEY_CHARS or not 0 < len(pk) <= KEY_CHARS:
        raise InvalidRequestError(
            f"document {str(key)[:80]!r} in {container!r} needs an id and a pk of 1 to {KEY_CHARS} characters"
        )
    if due is not None and not _is_number(due):
        raise InvalidRequestError(f"document {container}/{key} has the due time {due!r}, not epoch seconds")
    if ttl is not None and not (_is_number(ttl) and ttl > 0):
        raise InvalidRequestError(f"document {container}/{key} has the ttl {ttl!r}, not seconds over 0")
    found = document.get(lookup) if lookup is not None else None
    if type(found) is jsonio.Raw:
        raise InvalidRequestError(f"document {container}/{key}: {lookup} is indexed, so it cannot be encoded JSON")
    return Prepared(container, pk, key, due, ttl, found if type(found) is str else None, jsonio.dumps(document), memory)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and value - value == 0


def create(connection: sqlite3.Connection, now: float, new: Prepared) -> str:
    """Insert a document; return its ETag. One that is forgotten is no obstacle. Raises `AlreadyExistsError`."""
    container, pk, key, due, ttl, lookup, body, memory = new
    values = (container, pk, key, due, None if ttl is None else now + ttl, lookup, body)
    try:
        row = connection.execute(_INSERT, values).lastrowid
    except sqlite3.IntegrityError:
        if not connection.execute(_FORGET, (container, pk, key, now - memory, -now)).rowcount:
            raise AlreadyExistsError(
                f"document {container}/{key} exists already in partition {pk!r}", hint="Read it, or use another id"
            ) from None
        row = connection.execute(_INSERT, values).lastrowid
    return f"{row}.1"


def replace(connection: sqlite3.Connection, now: float, new: Prepared, if_match: str) -> str:
    """Write a document if its ETag is still `if_match`; return the new one.

    Raises:
        ConflictError: It has another ETag.
        NotFoundError: There is none.
    """
    container, pk, key, due, ttl, lookup, body, _ = new
    row, version = parse_etag(if_match)
    expires_at = None if ttl is None else now + ttl
    if connection.execute(_UPDATE, (due, expires_at, lookup, body, row, version, container, pk, key, now)).rowcount:
        return f"{row}.{version + 1}"
    raise _mismatch(container, key, if_match, _etag(connection, now, container, pk, key))


def upsert(connection: sqlite3.Connection, now: float, new: Prepared) -> str:
    """Write a document whatever is there; return its ETag."""
    found = connection.execute(_ETAG, (new.container, new.pk, new.id, now)).fetchone()
    if found is None:
        return create(connection, now, new)
    return replace(connection, now, new, f"{found[0]}.{found[1]}")


def delete(connection: sqlite3.Connection, now: float, container: str, pk: str, key: str, if_match: str | None) -> None:
    """Remove a document. Raises `NotFoundError`, and `ConflictError` where the ETag differs."""
    etag = _etag(connection, now, container, pk, key)
    if if_match is not None and etag != if_match:
        raise _mismatch(container, key, if_match, etag)
    connection.execute("DELETE FROM documents WHERE row = ?", (parse_etag(etag)[0],))


def patch(
    connection: sqlite3.Connection,
    now: float,
    key: tuple[str, str, str],
    changes: Sequence[Patch],
    only_if: Sequence[Where],
    lookup: str | None,
) -> str:
    """Change parts of a document if the conditions hold; return its new ETag.

    Raises:
        ConflictError: A condition does not hold.
        NotFoundError: There is no such document.
        InvalidRequestError: A change does not fit the document.
    """
    container, pk, name = key
    stored = read(connection, now, container, pk, name)
    if not conditions.matches(stored.document, only_if):
        raise ConflictError(
            f"document {container}/{name} was not patched: its condition does not hold",
            hint="Read it again and decide anew",
        )
    changed = patching.apply(stored.document, changes)
    return replace(connection, now, prepare(container, changed, lookup), stored.etag)


def read(connection: sqlite3.Connection, now: float, container: str, pk: str, key: str, memory: float = 0.0) -> Stored:
    """Return a document. Raises `NotFoundError`; `GoneError` where its id is remembered."""
    found = connection.execute(_READ, (container, pk, key, now)).fetchone()
    if found is None:
        if memory and connection.execute(_REMEMBERED, (container, pk, key, now - memory, -now)).fetchone():
            raise GoneError(f"document {container}/{key} has expired", hint="Its id is remembered, and taken")
        raise _missing(container, key)
    row, version, body = found
    return Stored(jsonio.loads(body), f"{row}.{version}")


def purge(connection: sqlite3.Connection, now: float, limit: int, memories: Mapping[str, float]) -> int:
    """Remove up to `limit` documents that have expired with their blobs, and as many tombstones; return how many.

    Args:
        connection: The writer's.
        now: Epoch seconds.
        limit: Bounds how long the file is held.
        memories: By container, for how many seconds ids are remembered.
    """
    rows = connection.execute(_EXPIRED, (now, limit)).fetchall()
    for row, container, key, expires_at in rows:
        until = expires_at + memories.get(container, 0.0)
        if until > now:
            connection.execute(_EMPTY, (-until, row))
        else:
            connection.execute("DELETE FROM documents WHERE row = ?", (row,))
        blobs.delete_all(connection, now, key)
    past = connection.execute(_PAST, (-now, limit)).fetchall()
    for (key,) in past:
        # Those of an event that came again meanwhile.
        blobs.delete_all(connection, now, key)
    return len(rows) + len(past)


def use_lookups(connection: sqlite3.Connection, lookups: Mapping[str, str]) -> None:
    """Fill the lookup column anew for each container whose indexed member is another than before."""
    known = dict(connection.execute("SELECT name, lookup FROM containers").fetchall())
    for container in known.keys() | lookups.keys():
        member = lookups.get(container)
        if known.get(container) == member:
            continue
        for row, body in connection.execute(
            "SELECT row, body FROM documents WHERE container = ?", (container,)
        ).fetchall():
            value = jsonio.loads(body).get(member)
            connection.execute(
                "UPDATE documents SET lookup = ? WHERE row = ?", (value if type(value) is str else None, row)
            )
        if member is None:
            connection.execute("DELETE FROM containers WHERE name = ?", (container,))
        else:
            connection.execute("INSERT OR REPLACE INTO containers(name, lookup) VALUES(?, ?)", (container, member))


def _etag(connection: sqlite3.Connection, now: float, container: str, pk: str, key: str) -> str:
    found = connection.execute(_ETAG, (container, pk, key, now)).fetchone()
    if found is None:
        raise _missing(container, key)
    return f"{found[0]}.{found[1]}"


def parse_etag(etag: str) -> tuple[int, int]:
    """Return row and version; for a text that is no ETag of ours, one that no document has."""
    row, _, version = etag.partition(".")
    if row.isdecimal() and version.isdecimal() and len(etag) <= 32:
        return int(row), int(version)
    return -1, -1


def _missing(container: str, key: str) -> NotFoundError:
    return NotFoundError(
        f"there is no document {container}/{key}", hint="It was never created, deleted, or has expired"
    )


def _mismatch(container: str, key: str, expected: str, found: str) -> ConflictError:
    return ConflictError(
        f"document {container}/{key} changed since it was read (expected etag {expected[:40]!r}, found {found!r})",
        hint="Read it again and reapply the change",
    )
