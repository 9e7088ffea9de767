"""Blobs that nobody names: written for an event that was never sent, or that came too late. Found and removed, slowly.

A blob belongs to the document whose id its name begins with; until that is there, a message or an outbox names it. A
publisher writes it first and sends after that, so a blob without both may be one of an event under way. Hence two
looks, an hour apart on the monotonic clock, which stands still while the machine sleeps; and a blob that is written
again in between, by a sender that tries once more, is another one.
"""

import re
import sqlite3
import urllib.parse
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from vextir_os.adapters.sqlite.database import Database

APART_S = 3_600.0
"""Between two looks; a younger blob is not looked at."""

_ROWS = 5_000
_NAMED = re.compile(rb'vextir-blob:([^"?\\]+)')
_WRITTEN = "SELECT name, at FROM blobs WHERE (at, name) > (?, ?) AND at <= ? ORDER BY at, name LIMIT ?"
_MESSAGES = "SELECT seq, body FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
_UNFINISHED = "SELECT row FROM documents INDEXED BY documents_due WHERE due IS NOT NULL"
_BODIES = "SELECT row, body FROM documents WHERE row IN"
_DOCUMENTS = (
    "SELECT container, pk, id FROM documents INDEXED BY documents_key "
    "WHERE (container, pk, id) > (?, ?, ?) ORDER BY container, pk, id LIMIT ?"
)


class _Blob(NamedTuple):
    """A blob as it was written once."""

    name: str
    at: float


class Orphans:
    """What one process has seen of blobs that nobody names.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._next_look = 0.0
        self._looked_to = (-1.0, "")
        self._ownerless: set[_Blob] = set()
        self._suspects: set[_Blob] = set()

    async def collect(self) -> int:
        """Look for blobs that nobody names, once an hour; remove those of the look before. Return how many."""
        monotonic = self._database.clock.monotonic()
        if monotonic < self._next_look:
            return 0
        self._next_look = monotonic + APART_S
        until = self._database.clock.time() - APART_S
        blobs = self._ownerless | set(await self._written(until))
        if not blobs:
            return 0
        # In this order: what a message names now, a document owns later, never the other way around.
        named = await self._named()
        self._ownerless = await self._without_owner(blobs)
        suspects = {blob for blob in self._ownerless if blob.name not in named}
        gone = suspects & self._suspects
        self._suspects = suspects - gone
        self._ownerless -= gone
        return 0 if not gone else int(await self._database.submit(partial(_remove, blobs=sorted(gone))))

    async def _written(self, until: float) -> Sequence[_Blob]:
        found: list[_Blob] = []
        while some := await self._database.read(partial(_rows, _WRITTEN, (*self._looked_to, until, _ROWS))):
            found += (_Blob(*row) for row in some)
            self._looked_to = (found[-1].at, found[-1].name)
        return found

    async def _named(self) -> set[str]:
        found: set[str] = set()
        last = -1
        while rows := await self._database.read(partial(_rows, _MESSAGES, (last, _ROWS))):
            found |= _names(rows)
            last = rows[-1][0]
        # Of unfinished records alone: the others have no outbox.
        unfinished = [row for (row,) in await self._database.read(partial(_rows, _UNFINISHED, ()))]
        for first in range(0, len(unfinished), _ROWS):
            some = tuple(unfinished[first : first + _ROWS])
            query = f"{_BODIES} ({', '.join('?' * len(some))})"
            found |= _names(await self._database.read(partial(_rows, query, some)))
        return found

    async def _without_owner(self, blobs: set[_Blob]) -> set[_Blob]:
        owners = {blob.name.partition("/")[0] for blob in blobs}
        there: set[str] = set()
        place = ("", "", "")
        while rows := await self._database.read(partial(_rows, _DOCUMENTS, (*place, _ROWS))):
            there |= owners.intersection(row[2] for row in rows)
            place = rows[-1]
        return {blob for blob in blobs if blob.name.partition("/")[0] not in there}


def _names(rows: Sequence[tuple[int, bytes]]) -> set[str]:
    return {urllib.parse.unquote(name.decode(errors="replace")) for _, body in rows for name in _NAMED.findall(body)}


def _rows(query: str, values: tuple[Any, ...], connection: sqlite3.Connection, _now: float) -> list[Any]:
    return connection.execute(query, values).fetchall()


def _remove(connection: sqlite3.Connection, _now: float, blobs: Sequence[_Blob]) -> int:
    return connection.executemany("DELETE FROM blobs WHERE name = ? AND at = ?", blobs).rowcount
