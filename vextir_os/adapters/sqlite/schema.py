"""The tables, and how an older file becomes a newer one. Opens no file and knows no queue or store rules.

Each migration is one transaction together with its version number: a crash leaves the old version, whole. Opening a
file brings it up to date, so a migration takes moments, whatever the file holds, and adds only: a process of the
version before that still works on the file goes on working.
"""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from vextir_os.errors import ForeignFileError

APPLICATION_ID = 0x56585452
"""`VXTR` in the file header: says that a file is ours (sqlite.org/pragma.html#pragma_application_id)."""

_FIRST = """
CREATE TABLE entities(
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  shown TEXT NOT NULL,
  parent INTEGER,
  properties TEXT NOT NULL);
CREATE TABLE messages(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  entity INTEGER NOT NULL,
  state INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  count INTEGER NOT NULL,
  lock BLOB,
  locked_until REAL,
  enqueued_at REAL NOT NULL,
  visible_at REAL,
  expires_at REAL,
  session TEXT,
  flow TEXT,
  message_id TEXT,
  content_type TEXT,
  dead_reason TEXT,
  dead_description TEXT,
  properties BLOB,
  body BLOB NOT NULL,
  wire BLOB);
CREATE INDEX messages_ready ON messages(entity, priority DESC, turn, seq) WHERE state = 0;
CREATE INDEX messages_in_session ON messages(entity, session, seq) WHERE state = 4;
CREATE INDEX messages_locked ON messages(locked_until) WHERE locked_until IS NOT NULL;
CREATE INDEX messages_scheduled ON messages(visible_at) WHERE state = 2;
CREATE INDEX messages_deferred ON messages(entity) WHERE state = 3;
CREATE INDEX messages_expiring ON messages(expires_at) WHERE expires_at IS NOT NULL AND locked_until IS NULL;
CREATE TABLE turns(
  entity INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  flow TEXT NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY(entity, priority, flow)) WITHOUT ROWID;
CREATE TABLE served(
  entity INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  turn INTEGER NOT NULL,
  PRIMARY KEY(entity, priority)) WITHOUT ROWID;
CREATE TABLE seen(
  entity INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  until REAL NOT NULL,
  PRIMARY KEY(entity, message_id)) WITHOUT ROWID;
CREATE INDEX seen_until ON seen(until);
CREATE TABLE sessions(
  entity INTEGER NOT NULL,
  id TEXT NOT NULL,
  state BLOB,
  lock BLOB,
  locked_until REAL,
  automatic INTEGER NOT NULL DEFAULT 0,
  head INTEGER,
  PRIMARY KEY(entity, id)) WITHOUT ROWID;
CREATE INDEX sessions_waiting ON sessions(entity, head) WHERE head IS NOT NULL AND lock IS NULL;
CREATE TABLE containers(
  name TEXT PRIMARY KEY,
  lookup TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents(
  row INTEGER PRIMARY KEY AUTOINCREMENT,
  version INTEGER NOT NULL,
  container TEXT NOT NULL,
  pk TEXT NOT NULL,
  id TEXT NOT NULL,
  due REAL,
  expires_at REAL,
  lookup TEXT,
  body BLOB NOT NULL);
CREATE UNIQUE INDEX documents_key ON documents(container, pk, id);
CREATE INDEX documents_order ON documents(container);
CREATE INDEX documents_due ON documents(container, due) WHERE due IS NOT NULL;
CREATE INDEX documents_lookup ON documents(container, lookup) WHERE lookup IS NOT NULL;
CREATE INDEX documents_expiring ON documents(expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE blobs(
  name TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  data BLOB NOT NULL);
"""

_BLOBS_WITH_TIMES = """
ALTER TABLE blobs ADD COLUMN at REAL NOT NULL DEFAULT 0;
CREATE INDEX blobs_written ON blobs(at, name)
"""


class Migration(NamedTuple):
    """What leads to the next version: in words, and as statements."""

    says: str
    script: str


MIGRATIONS: Sequence[Migration] = (
    Migration("the tables of messages, documents and blobs", _FIRST),
    Migration("blobs know when they were written", _BLOBS_WITH_TIMES),
)
"""What leads from version n to n + 1, at index n. Never changed once released; new ones go to the end."""


def migrate(connection: sqlite3.Connection, path: str, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring the file to the newest version; safe when several processes do it at once.

    Args:
        connection: In autocommit mode, without a transaction.
        path: For messages only.
        migrations: What leads there; others than ours only in tests.

    Raises:
        ForeignFileError: The file belongs to another application, or to a newer version of this one.
        sqlite3.Error: A migration failed; the file is at the version before it.
    """
    while True:
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _our_version(connection, path, len(migrations))
            if version == len(migrations):
                connection.execute("ROLLBACK")
                return
            for statement in _statements(migrations[version].script):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version={version + 1}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def statements_to(version: int) -> Sequence[str]:
    """Return the statements that make an empty database one of this schema version."""
    return [statement for migration in MIGRATIONS[:version] for statement in _statements(migration.script)]


def check_ours(connection: sqlite3.Connection, path: str) -> None:
    """Look at an existing file before anything in it is changed.

    Raises:
        ForeignFileError: The file belongs to another application, or to a newer version of this one.
    """
    connection.execute("BEGIN")
    try:
        _our_version(connection, path, len(MIGRATIONS))
    finally:
        connection.execute("ROLLBACK")


def _our_version(connection: sqlite3.Connection, path: str, newest: int) -> int:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and (application or version or tables):
        raise ForeignFileError(
            f"{path} is a SQLite database of another application (application id {application:#x})",
            hint="Name another file; this one was not changed",
        )
    if version > newest:
        raise ForeignFileError(
            f"{path} has schema version {version}, this Vextir OS knows versions up to {newest}",
            hint="Upgrade Vextir OS, or name another file; this one was not changed",
        )
    return version


def _statements(script: str) -> Sequence[str]:
    # executescript() would commit the transaction that the migration stands in.
    return [statement for part in script.split(";") if (statement := part.strip())]
