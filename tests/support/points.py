"""Fail points: places before and after every write, send, receive and settle at which a process may kill itself.

They stand at the ports, whose methods are taken from the protocols, so that none is forgotten; and inside the writer's
transactions, by SQL statement. Nothing of the OS knows of them: the classes of this process are wrapped.
`python -m tests.support.points` lists them.
"""

import functools
import inspect
import os
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from vextir_os.adapters.sqlite.atomic import SqliteAtomic
from vextir_os.adapters.sqlite.blobs import SqliteBlobs
from vextir_os.adapters.sqlite.broker import Broker
from vextir_os.adapters.sqlite.queue import SqliteQueue
from vextir_os.adapters.sqlite.store import SqliteStore
from vextir_os.ports.atomic import Atomic
from vextir_os.ports.blobs import Blobs
from vextir_os.ports.queue import Queue
from vextir_os.ports.store import Store

READ_ONLY = frozenset({"read", "query", "get", "name"})
"""Members of the ports that write nothing."""

PORTS: dict[str, tuple[type, type]] = {
    "store": (Store, SqliteStore),
    "queue": (Queue, SqliteQueue),
    "atomic": (Atomic, SqliteAtomic),
    "blobs": (Blobs, SqliteBlobs),
}
BESIDE: dict[str, tuple[type, str]] = {"broker.give_up": (Broker, "give_up"), "store.purge": (SqliteStore, "purge")}
"""What writes and stands in no port: only this adapter has it."""

STATEMENTS = {"BEGIN IMMEDIATE": "group.begin", "COMMIT": "group.commit"}


UNUSED = {
    "blobs.delete_all": "removes what has expired, which no crash may bring back or keep",
    "queue.abandon": "after an outage alone; a crash there is one before the message's lock ends",
    "queue.cancel_scheduled": "nothing calls it",
    "queue.dead_letter": "nothing calls it: what cannot be read is completed, once its document is there",
    "queue.renew": "a third of a lock later, in the slow lane; a crash there is one before the lock ends",
    "store.delete": "nothing calls it",
    "store.upsert": "nothing calls it",
}
"""Calls that no event of the matrix makes, and why."""


def calls() -> list[str]:
    """Return every place that writes, without `before` and `after`."""
    of_ports = [
        f"{port}.{name}"
        for port, (protocol, _) in PORTS.items()
        for name, _ in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_") and name not in READ_ONLY
    ]
    return [*of_ports, *BESIDE, *STATEMENTS.values()]


def all_points() -> list[str]:
    """Return the name of every fail point."""
    return [f"{call} {side}" for call in calls() for side in ("before", "after")]


class Points:
    """The fail points of this process.

    Args:
        at: The one at which it kills itself; empty for none.
        passage: When it is passed for which time, from 1.
    """

    def __init__(self, at: str = "", passage: int = 1) -> None:
        self.passed = Counter[str]()
        self._at, self._passage = at, passage

    def install(self) -> None:
        """Wrap the adapter's classes, and SQLite's connections."""
        for port, (_, adapter) in PORTS.items():
            for call in calls():
                owner, _, name = call.partition(".")
                if owner == port and call not in BESIDE:
                    setattr(adapter, name, self._around(call, getattr(adapter, name)))
        for call, (adapter, name) in BESIDE.items():
            setattr(adapter, name, self._around(call, getattr(adapter, name)))
        sqlite3.connect = functools.partial(sqlite3.connect, factory=self._connection())  # type: ignore[assignment]

    def pass_(self, point: str) -> None:
        """Go past a point, or no further."""
        self.passed[point] += 1
        if point == self._at and self.passed[point] == self._passage:
            os.kill(os.getpid(), signal.SIGKILL)

    def _around(self, call: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        async def passed(*arguments: Any, **options: Any) -> Any:
            self.pass_(f"{call} before")
            answer = await method(*arguments, **options)
            self.pass_(f"{call} after")
            return answer

        return passed

    def _connection(self) -> type[sqlite3.Connection]:
        points = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
                call = STATEMENTS.get(sql)
                if call is None:
                    return super().execute(sql, *parameters)
                points.pass_(f"{call} before")
                cursor = super().execute(sql, *parameters)
                points.pass_(f"{call} after")
                return cursor

        return Connection


if __name__ == "__main__":
    sys.stdout.write("".join(f"{point}\n" for point in all_points()))
