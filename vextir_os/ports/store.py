"""The store: JSON documents with conditional writes. One document is atomic; the hot path uses nothing wider.

A document is a JSON object with the texts `id` and `pk` (its logical partition), unique together per container.
Optional top-level members with a meaning here: `due` (epoch seconds, indexed) and `ttl` (seconds from the write,
after which it is gone). Values may be `Raw`: JSON that is already encoded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Document = Mapping[str, Any]
PATCH_OPERATIONS = 10
"""Operations in one patch, at most (Cosmos allows no more)."""

Comparison = Literal["=", "!=", "<", "<=", ">", ">=", "in", "exists"]


@dataclass(frozen=True, slots=True)
class Where:
    """One condition on a document: a dotted path, a comparison, a JSON scalar (a sequence of them for `in`).

    A missing path matches nothing but `Where(path, "exists", False)`.
    """

    path: str
    comparison: Comparison
    value: Any


@dataclass(frozen=True, slots=True)
class Patch:
    """One change of a patch: `set` or `remove` a dotted path, or `incr` a number by `value` (from 0 when missing)."""

    op: Literal["set", "remove", "incr"]
    path: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A document as it was read, and the ETag that names this version of it."""

    document: dict[str, Any]
    etag: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some results of a query; `continuation` asks for the next ones, empty at the end."""

    items: Sequence[Stored]
    continuation: str = ""


class Store(Protocol):
    """Containers of documents. Any method may raise `StoreUnavailableError`; whether it wrote is then unknown."""

    async def create(self, container: str, document: Document) -> str:
        """Write a new document; return its ETag.

        Raises:
            AlreadyExistsError: There is one with this id in this partition, or one has expired whose id the container
                remembers.
            InvalidRequestError, InvalidEventError: It lacks id or pk, or is no JSON; every write may raise these.
        """
        ...

    async def read(self, container: str, pk: str, id: str) -> Stored:  # noqa: A002
        """Return the document. May be old where the store is replicated.

        Raises:
            NotFoundError: There is none.
            GoneError: It has expired, and the container remembers its id: a create would be refused.
        """
        ...

    async def replace(self, container: str, document: Document, *, if_match: str) -> str:
        """Write the document if its ETag is `if_match`; return the new one. Raises `ConflictError`, `NotFoundError`."""
        ...

    async def upsert(self, container: str, document: Document) -> str:
        """Write the document whatever is there; return its ETag."""
        ...

    async def delete(self, container: str, pk: str, id: str, *, if_match: str | None = None) -> None:  # noqa: A002
        """Remove the document. Raises `NotFoundError`, and `ConflictError` where the ETag differs."""
        ...

    async def patch(
        self,
        container: str,
        pk: str,
        id: str,  # noqa: A002
        changes: Sequence[Patch],
        *,
        only_if: Sequence[Where] = (),
    ) -> str:
        """Change parts of a document atomically, if all of `only_if` holds; return the new ETag.

        Parents on a path are not made up, and what is removed must be there (Cosmos DB's rules).

        Raises:
            ConflictError: The condition does not hold.
            NotFoundError: There is no such document.
            InvalidRequestError: A change does not fit the document, or touches id or pk. Nothing was changed.
            ValueError: More than 10 changes.
        """
        ...

    async def query(
        self,
        container: str,
        where: Sequence[Where] = (),
        *,
        order: Literal["oldest", "newest"] = "oldest",
        limit: int = 100,
        continuation: str = "",
    ) -> Page:
        """Return documents that meet all conditions, by time of their creation. Expired ones are never returned.

        Values are compared within one JSON type: 1 equals 1.0, neither "1" nor true.

        Raises:
            InvalidRequestError: A path, comparison, value, limit or continuation that is none.
        """
        ...
