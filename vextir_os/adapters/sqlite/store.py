"""The `Store` port on SQLite: carries each operation to its thread and turns a query into SQL.

What a write does stands in `documents`, what a condition means in `conditions`.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from vextir_os.adapters.sqlite import conditions, documents, patching
from vextir_os.adapters.sqlite.database import Database
from vextir_os.adapters.sqlite.orphans import Orphans
from vextir_os.errors import InvalidRequestError
from vextir_os.events import jsonio
from vextir_os.ports.store import Document, Page, Patch, Stored, Where

PAGE = 1000
"""Documents on one page of a query, at most."""

_CHUNK = 256


class SqliteStore:
    """Containers of documents in one file. A container needs no declaration.

    Args:
        database: Where the work is done.
        lookups: For a container, the top-level member (a text) that is indexed: `{"events": "event_id"}`.
        memories: For a container, for how many seconds the ids of expired documents are remembered.
    """

    def __init__(self, database: Database, lookups: Mapping[str, str], memories: Mapping[str, float]) -> None:
        self._database = database
        self.lookups = dict(lookups)
        self._memories = dict(memories)
        self._orphans = Orphans(database)

    async def create(self, container: str, document: Document) -> str:
        """As the port says."""
        new = self.prepare(container, document)
        etag: str = await self._database.submit(partial(documents.create, new=new), single=True)
        return etag

    async def read(self, container: str, pk: str, id: str) -> Stored:  # noqa: A002
        """As the port says; never old."""
        memory = self._memories.get(container, 0.0)
        read = partial(documents.read, container=container, pk=pk, key=id, memory=memory)
        stored: Stored = await self._database.read(read)
        return stored

    async def replace(self, container: str, document: Document, *, if_match: str) -> str:
        """As the port says."""
        new = self.prepare(container, document)
        etag: str = await self._database.submit(partial(documents.replace, new=new, if_match=if_match), single=True)
        return etag

    async def upsert(self, container: str, document: Document) -> str:
        """As the port says."""
        new = self.prepare(container, document)
        etag: str = await self._database.submit(partial(documents.upsert, new=new), single=True)
        return etag

    async def delete(self, container: str, pk: str, id: str, *, if_match: str | None = None) -> None:  # noqa: A002
        """As the port says."""
        await self._database.submit(
            partial(documents.delete, container=container, pk=pk, key=id, if_match=if_match), single=True
        )

    async def patch(
        self,
        container: str,
        pk: str,
        id: str,  # noqa: A002
        changes: Sequence[Patch],
        *,
        only_if: Sequence[Where] = (),
    ) -> str:
        """As the port says."""
        patching.check(changes)
        conditions.check(only_if)
        etag: str = await self._database.submit(
            partial(
                documents.patch,
                key=(container, pk, id),
                changes=tuple(changes),
                only_if=tuple(only_if),
                lookup=self.lookups.get(container),
            ),
            single=True,
        )
        return etag

    async def query(
        self,
        container: str,
        where: Sequence[Where] = (),
        *,
        order: Literal["oldest", "newest"] = "oldest",
        limit: int = 100,
        continuation: str = "",
    ) -> Page:
        """As the port says. `pk`, `id`, `due` and the container's lookup member are index seeks.

        Raises:
            InvalidRequestError: A wrong condition, limit, order or continuation.
        """
        conditions.check(where)
        if not 1 <= limit <= PAGE:
            raise InvalidRequestError(f"a page of {limit} documents, not of 1 to {PAGE}")
        if order not in ("oldest", "newest"):
            raise InvalidRequestError(f"order {order!r} is neither oldest nor newest")
        after = _cursor(continuation)
        page: Page = await self._database.read(
            partial(
                _query,
                container=container,
                where=tuple(where),
                newest=order == "newest",
                limit=limit,
                after=after,
                lookup=self.lookups.get(container),
            )
        )
        return page

    async def purge(self, limit: int = 1000) -> int:
        """Remove up to `limit` expired documents with their blobs, and as many ids remembered; return how many.

        Fewer: there are no more for now. Then blobs that nobody names are looked for, now and then.
        """
        purge = partial(documents.purge, limit=limit, memories=self._memories)
        gone: int = await self._database.submit(purge)
        return gone if gone >= limit else gone + await self._orphans.collect()

    def prepare(self, container: str, document: Document) -> documents.Prepared:
        """Check and encode a document for a unit. Raises `InvalidRequestError`, `InvalidEventError`."""
        return documents.prepare(container, document, self.lookups.get(container), self._memories.get(container, 0.0))


def _query(
    connection: sqlite3.Connection,
    now: float,
    container: str,
    where: Sequence[Where],
    newest: bool,
    limit: int,
    after: int | None,
    lookup: str | None,
) -> Page:
    clauses, parameters = ["container = ?", "(expires_at IS NULL OR expires_at > ?)"], [container, now]
    indexed = False
    for condition in where:
        column = _column(condition, lookup)
        if column is None:
            sql, own = conditions.narrow(condition)
        else:
            indexed = True
            sql, own = f"{column} {condition.comparison} ?", [condition.value]
        clauses.append(sql)
        parameters += own
    items: list[Stored] = []
    while True:
        found = _rows(connection, clauses, parameters, newest, indexed, after, min(limit + 1, _CHUNK))
        for row, version, body in found:
            document = jsonio.loads(body)
            if conditions.matches(document, where):
                if len(items) == limit:
                    return Page(items, str(after))
                items.append(Stored(document, f"{row}.{version}"))
            after = row
        if len(found) < min(limit + 1, _CHUNK):
            return Page(items)


def _rows(
    connection: sqlite3.Connection,
    clauses: Sequence[str],
    parameters: Sequence[Any],
    newest: bool,
    indexed: bool,
    after: int | None,
    limit: int,
) -> list[tuple[int, int, bytes]]:
    # `+row` keeps the planner from walking all rows in their order where an index names the few; where none does, the
    # container's own order is walked, never the rows of all containers.
    place = "" if after is None else f" AND {'+' if indexed else ''}row {'<' if newest else '>'} {after:d}"
    # Clauses are made of column names and closed sets here; every value is bound.
    sql = (
        f"SELECT row, version, body FROM documents {'' if indexed else 'INDEXED BY documents_order'} "  # noqa: S608
        f"WHERE {' AND '.join(clauses)}{place} "
        f"ORDER BY {'+' if indexed else ''}row {'DESC' if newest else 'ASC'} LIMIT {limit:d}"
    )
    return connection.execute(sql, parameters).fetchall()


def _column(condition: Where, lookup: str | None) -> str | None:
    """Return the column that holds exactly what the path names, where an index helps."""
    if condition.path in ("pk", "id") and condition.comparison == "=" and type(condition.value) is str:
        return condition.path
    if (
        condition.path == "due"
        and condition.comparison in ("=", "<", "<=", ">", ">=")
        and type(condition.value)
        in (
            int,
            float,
        )
    ):
        return "due"
    if condition.path == lookup and condition.comparison == "=" and type(condition.value) is str:
        return "lookup"
    return None


def _cursor(continuation: str) -> int | None:
    if not continuation:
        return None
    if continuation.isdecimal() and continuation.isascii() and len(continuation) <= 19:
        return int(continuation)
    raise InvalidRequestError(
        f"continuation {continuation[:40]!r} is none that a query of this store returned", hint="Start without one"
    )
