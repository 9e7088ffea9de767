"""How full the file is, for whoever watches: messages by queue and state, the oldest of each, sizes. Read only.

What is asked is bounded: a queue of many millions costs no more than one of a million, and records are not counted.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from vextir_os.adapters.sqlite.core import DEFERRED, IN_SESSION, LOCKED, READY, SCHEDULED
from vextir_os.ports.gauges import QueueGauge

COUNTED = 1_000_000
"""Messages of one queue and state that are counted; more read as this many."""

_WALKED = 10_000
_STATES = {"active": (READY, IN_SESSION), "locked": (LOCKED,), "scheduled": (SCHEDULED,), "deferred": (DEFERRED,)}
# Each stands in the words of a partial index, which answers it alone.
_WHERE = {
    READY: "state = 0",
    LOCKED: "state = 1 AND locked_until IS NOT NULL",
    SCHEDULED: "state = 2",
    DEFERRED: "state = 3",
    IN_SESSION: "state = 4",
}
_OLDEST = (
    "SELECT entity, min(enqueued_at) FROM (SELECT entity, state, enqueued_at FROM messages ORDER BY seq LIMIT ?) "
    "WHERE state IN (0, 4) GROUP BY entity"
)
_HEAD = "SELECT enqueued_at FROM messages WHERE entity = ? AND state = 0 ORDER BY priority DESC, turn, seq LIMIT 1"


def queues(connection: sqlite3.Connection, _now: float = 0.0) -> list[QueueGauge]:
    """Return a gauge per queue and dead-letter queue. The oldest is exact unless 10,000 others stand before it."""
    oldest = dict(connection.execute(_OLDEST, (_WALKED,)).fetchall())
    found = []
    for entity, name in connection.execute("SELECT id, shown FROM entities ORDER BY shown").fetchall():
        messages = {word: sum(_count(connection, entity, state) for state in _STATES[word]) for word in _STATES}
        if messages["active"] and entity not in oldest:
            oldest[entity] = next((row[0] for row in connection.execute(_HEAD, (entity,))), None)
        found.append(QueueGauge(name=name, messages=messages, oldest_at=oldest.get(entity)))
    return found


def waiting(names: Sequence[str], connection: sqlite3.Connection, _now: float = 0.0) -> int:
    """Return how many messages wait on these queues together; of each, `COUNTED` at most."""
    entities = [row for row in connection.execute("SELECT id, shown FROM entities") if row[1] in names]
    return sum(_count(connection, entity, state) for entity, _ in entities for state in _STATES["active"])


def free_bytes(path: str) -> int:
    """Return the room on the disk of the file, as far as we may use it; of a database in memory, of the machine's."""
    return shutil.disk_usage(Path(path).parent).free


def sizes(path: str) -> dict[str, int]:
    """Return the bytes of the file and of its log; without those that are not there."""
    found = {}
    for name, file in (("data", path), ("log", f"{path}-wal")):
        with contextlib.suppress(OSError):
            found[name] = Path(file).stat().st_size
    return found


def _count(connection: sqlite3.Connection, entity: int, state: int) -> int:
    which = f"SELECT 1 FROM messages WHERE entity = ? AND {_WHERE[state]} LIMIT ?"  # noqa: S608 - constants only
    found: int = connection.execute(f"SELECT count(*) FROM ({which})", (entity, COUNTED)).fetchone()[0]  # noqa: S608
    return found
