"""Whose turn it is: start-time fair queuing between the flows of one entity and priority. Writes two small tables.

A message gets `turn = max(turn served last, last turn of its flow) + 1` and messages go in order of their turns. So a
flow with ten thousand waiting messages holds the next ten thousand turns, and another flow's first message gets the
very next one.

Source: Goyal, Vin, Cheng, "Start-time Fair Queuing" (SIGCOMM 1996), with all packets of length one and equal weights.
"""

import sqlite3

_Lane = tuple[int, int]
_Flow = tuple[int, int, str]


class Turns:
    """The turns given and served, in memory; written with the group that changed them. Belongs to the writer thread."""

    def __init__(self) -> None:
        self._served: dict[_Lane, int] = {}
        self._last: dict[_Flow, int] = {}
        self._new_served: set[_Lane] = set()
        self._new_last: set[_Flow] = set()

    def load(self, connection: sqlite3.Connection) -> None:
        """Read what the file says: at the start, and after another process's commit or a roll-back."""
        self._new_served.clear()
        self._new_last.clear()
        self._served = {(e, p): turn for e, p, turn in connection.execute("SELECT entity, priority, turn FROM served")}
        self._last = {
            (e, p, flow): last
            for e, p, flow, last in connection.execute("SELECT entity, priority, flow, last FROM turns")
        }

    def give(self, entity: int, priority: int, flow: str) -> int:
        """Return the turn of a message that becomes available now."""
        key = (entity, priority, flow)
        last = self._last.get(key, 0)
        served = self._served.get((entity, priority), 0)
        turn = (last if last > served else served) + 1
        self._last[key] = turn
        self._new_last.add(key)
        return turn

    def serve(self, entity: int, priority: int, turn: int) -> None:
        """Note that a message with this turn was handed out."""
        lane = (entity, priority)
        if turn > self._served.get(lane, 0):
            self._served[lane] = turn
            self._new_served.add(lane)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what changed. A flow that is not ahead of the served turn needs no row: it starts there anyway."""
        if self._new_served:
            for entity, priority in self._new_served:
                connection.execute(
                    "INSERT INTO served(entity, priority, turn) VALUES(?, ?, ?) "
                    "ON CONFLICT(entity, priority) DO UPDATE SET turn = excluded.turn",
                    (entity, priority, self._served[entity, priority]),
                )
            self._new_served.clear()
        if self._new_last:
            for key in self._new_last:
                connection.execute(
                    "INSERT INTO turns(entity, priority, flow, last) VALUES(?, ?, ?, ?) "
                    "ON CONFLICT(entity, priority, flow) DO UPDATE SET last = excluded.last",
                    (*key, self._last[key]),
                )
            self._new_last.clear()

    def prune(self, connection: sqlite3.Connection) -> None:
        """Drop flows that are not ahead, from the table and from memory, so that old tenants cost nothing."""
        connection.execute(
            "DELETE FROM turns WHERE last <= coalesce((SELECT turn FROM served "
            "WHERE served.entity = turns.entity AND served.priority = turns.priority), 0)"
        )
        served = self._served
        self._last = {key: last for key, last in self._last.items() if last > served.get(key[:2], 0)}
