"""Copies of a database in use, and what is done to a copy: its schema is looked at, its rows are rewritten.

A copy is the database at one moment: it is made in one read transaction, in steps with pauses, so that who works on the
file goes on meanwhile. Knows no archive and no meaning of what it rewrites.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from vextir_os.adapters.sqlite.failures import translate
from vextir_os.adapters.sqlite.opening import open_reader
from vextir_os.adapters.sqlite.schema import MIGRATIONS, statements_to
from vextir_os.errors import NotFoundError
from vextir_os.events import jsonio

STEP_PAGES = 1_024
"""Pages of 4 KB that are copied in one step."""

PAUSE_S = 0.02
"""Between two steps: so a copy reads 200 MB a second, at most."""

_ROWS = 1_000
_BUSY_S = 10.0

Properties = dict[str, Any]
ChangeMessage = Callable[[bytes, Properties], Properties | None]
"""From a message's body and properties to its new properties; None leaves it as it is."""

ChangeDocument = Callable[[dict[str, Any]], dict[str, Any] | None]
"""From a document to the new one; None leaves it as it is."""


def copy_database(source: Path, target: Path, *, pause_s: float = PAUSE_S) -> None:
    """Copy a database that others may write to meanwhile, as it is when the copy begins.

    Its log grows for as long as that takes: nothing that the copy still reads can be taken out of it.

    Args:
        source: The database.
        target: An empty file; it becomes a database without a log of its own.
        pause_s: Seconds between two steps.

    Raises:
        NotFoundError: There is no database.
        StoreError: It cannot be read, or the copy cannot be written.
    """
    if not source.is_file():
        raise NotFoundError(f"there is no database {source}", hint="Name the project, or its data directory")
    try:
        with closing(open_reader(str(source), busy_timeout_s=_BUSY_S)) as reader, closing(_alone(target)) as writer:
            # With a transaction held open the source never changes under the copy, which would begin anew each time.
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reader.backup(writer, pages=STEP_PAGES, progress=lambda _status, _left, _all: time.sleep(pause_s))
            writer.execute("PRAGMA journal_mode=DELETE").fetchone()
    except sqlite3.Error as error:
        raise translate(error, str(target)) from error


@contextmanager
def open_copy(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a copy that nobody else uses; changes that are not committed are lost.

    Raises:
        StoreCorruptError: It is no database, or damaged.
        StoreError: It cannot be used.
    """
    try:
        with closing(_alone(path)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise translate(error, str(path)) from error


def damage(connection: sqlite3.Connection) -> str:
    """Return what is wrong with a database: its pages, or tables, indexes, triggers that ours has not; empty if none.

    The file may come from anywhere: a trigger in it would act with each write of ours.
    """
    connection.execute("PRAGMA cell_size_check=ON")
    found: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        return found
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    with closing(sqlite3.connect(":memory:")) as ours:
        for statement in statements_to(version):
            ours.execute(statement)
        expected, actual = _objects(ours), _objects(connection)
    strange = sorted(name for name in expected.keys() | actual.keys() if expected.get(name) != actual.get(name))
    return f"{strange[0]} is not as schema version {version} has it" if strange else ""


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the schema version of a database; 0 for an empty one."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


NEWEST = len(MIGRATIONS)
"""The schema version of this release."""


def counts(connection: sqlite3.Connection) -> Mapping[str, int]:
    """Return how many messages, blobs and documents there are; documents by container, without ids that are left."""
    found = {
        "messages": connection.execute("SELECT count(*) FROM messages").fetchone()[0],
        "blobs": connection.execute("SELECT count(*) FROM blobs").fetchone()[0],
    }
    of = "SELECT container, count(*) FROM documents"
    found |= dict(connection.execute(f"{of} GROUP BY container ORDER BY container").fetchall())
    # Few beside the others, and in an index: the others are counted without a look at them.
    for container, left in connection.execute(f"{of} WHERE expires_at < 0 GROUP BY container").fetchall():
        found[container] -= left
    return found


def containers(connection: sqlite3.Connection) -> Sequence[str]:
    """Return the names of all containers, in order."""
    return [row[0] for row in connection.execute("SELECT DISTINCT container FROM documents ORDER BY container")]


def rewrite_messages(connection: sqlite3.Connection, change: ChangeMessage) -> int:
    """Give messages other properties; return how many. Those without properties stay as they are."""
    changed, last = 0, -1
    while rows := connection.execute(
        "SELECT seq, body, properties FROM messages WHERE seq > ? AND properties IS NOT NULL ORDER BY seq LIMIT ?",
        (last, _ROWS),
    ).fetchall():
        for seq, body, properties in rows:
            new = change(body, jsonio.loads(properties))
            if new is not None:
                connection.execute("UPDATE messages SET properties = ? WHERE seq = ?", (jsonio.dumps(new), seq))
                changed += 1
        last = rows[-1][0]
    return changed


def rewrite_documents(connection: sqlite3.Connection, container: str, change: ChangeDocument) -> int:
    """Give documents of a container another body; return how many. Keys, times and what is indexed stay."""
    changed = 0
    for row, document in documents_of(connection, container):
        new = change(document)
        if new is not None:
            connection.execute("UPDATE documents SET body = ? WHERE row = ?", (jsonio.dumps(new), row))
            changed += 1
    return changed


def documents_of(
    connection: sqlite3.Connection, container: str, *, due_only: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield row and document of all in a container, the oldest first; `due_only`: of those that have a due time."""
    which = "due IS NOT NULL AND" if due_only else "(expires_at IS NULL OR expires_at >= 0) AND"
    last = -1
    while rows := connection.execute(
        f"SELECT row, body FROM documents WHERE {which} container = ? AND row > ? ORDER BY row LIMIT ?",  # noqa: S608
        (container, last, _ROWS),
    ).fetchall():
        for row, body in rows:
            yield row, jsonio.loads(body)
        last = rows[-1][0]


def blob(connection: sqlite3.Connection, name: str) -> bytes | None:
    """Return the bytes of a blob; None when there is none."""
    found = connection.execute("SELECT data FROM blobs WHERE name = ?", (name,)).fetchone()
    return None if found is None else bytes(found[0])


def lock_marks(connection: sqlite3.Connection, length: int) -> set[bytes]:
    """Return how the tokens of all locks begin: who holds messages and sessions."""
    rows = connection.execute(
        "SELECT substr(lock, 1, :length) FROM messages WHERE lock IS NOT NULL "
        "UNION SELECT substr(lock, 1, :length) FROM sessions WHERE lock IS NOT NULL",
        {"length": length},
    )
    return {bytes(row[0]) for row in rows}


def _objects(connection: sqlite3.Connection) -> dict[str, tuple[str, str, str]]:
    rows = connection.execute("SELECT name, type, tbl_name, coalesce(sql, '') FROM sqlite_master").fetchall()
    return {row[0]: row[1:] for row in rows if not row[0].startswith("sqlite_stat")}


def _alone(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA temp_store=MEMORY")
        # What is made of a copy is flushed as a whole, or thrown away.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection
