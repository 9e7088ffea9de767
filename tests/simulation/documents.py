"""A model of the store: documents in memory, every version of each, and a log of who wrote what.

Plain functions that take effect at once; `ports` makes a `Store` of them. What a condition and a patch mean is the
adapters' own, pure code; what a write does is written anew here and held to the same contract.
"""

import functools
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Literal, NamedTuple

from vextir_os.adapters.sqlite import conditions, patching
from vextir_os.adapters.sqlite.documents import Prepared, prepare
from vextir_os.errors import AlreadyExistsError, ConflictError, InvalidRequestError, NotFoundError
from vextir_os.events import jsonio
from vextir_os.ports.store import Document, Page, Patch, Stored, Where

Key = tuple[str, str, str]
"""Container, partition, id."""

PAGE = 1_000


class Version(NamedTuple):
    """A document as one write left it; `body` is None once it is deleted."""

    row: int
    number: int
    body: bytes | None
    expires_at: float | None

    @property
    def etag(self) -> str:
        """What names this version."""
        return f"{self.row}.{self.number}"


class Write(NamedTuple):
    """One entry of the log: who changed a document when, from what to what; None where there was, or is, none."""

    at: float
    by: str
    key: Key
    before: bytes | None
    after: bytes | None


def encode(container: str, document: Document) -> Prepared:
    """Check and encode a document, before anything can change it. Raises as `Store.create` does."""
    return prepare(container, document, None)


class Documents:
    """All containers.

    Args:
        now: The store's time, in epoch seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.log: list[Write] = []
        self.by = ""
        self._now = now
        self._history: dict[Key, list[Version]] = {}
        self._rows = 0

    def create(self, new: Prepared) -> str:
        """Write a new document. Raises `AlreadyExistsError`."""
        if self.find(_key(new)) is not None:
            raise AlreadyExistsError(
                f"document {new.container}/{new.id} exists already in partition {new.pk!r}",
                hint="Read it, or use another id",
            )
        self._rows += 1
        return self._write(new, self._rows, 1)

    def replace(self, new: Prepared, if_match: str) -> str:
        """Write a document if its ETag fits. Raises `NotFoundError`, `ConflictError`."""
        found = self._the(_key(new))
        if found.etag != if_match:
            raise _mismatch(new.container, new.id, if_match, found.etag)
        return self._write(new, found.row, found.number + 1)

    def upsert(self, new: Prepared) -> str:
        """Write a document whatever is there."""
        found = self.find(_key(new))
        return self.create(new) if found is None else self.replace(new, found.etag)

    def delete(self, key: Key, if_match: str | None) -> None:
        """Remove a document. Raises `NotFoundError`, `ConflictError`."""
        found = self._the(key)
        if if_match is not None and found.etag != if_match:
            raise _mismatch(key[0], key[2], if_match, found.etag)
        self._note(key, Version(found.row, found.number + 1, None, None))

    def patch(self, key: Key, changes: Sequence[Patch], only_if: Sequence[Where]) -> str:
        """Change parts of a document. Raises `NotFoundError`, `ConflictError`, `InvalidRequestError`."""
        found = self._the(key)
        document = _decoded(found)
        if not conditions.matches(document, only_if):
            raise ConflictError(f"document {key[0]}/{key[2]} was not patched: its condition does not hold")
        return self.replace(encode(key[0], patching.apply(document, changes)), found.etag)

    def read(self, key: Key) -> Stored:
        """Return a document as it is. Raises `NotFoundError`."""
        return _stored(self._the(key))

    def read_old(self, key: Key, known: str, draw: Random) -> Stored:
        """Return some version of a document, none older than the one whose ETag the reader knows. May find nothing."""
        history = self._history.get(key, [])
        oldest = next((place for place, version in enumerate(history) if version.etag == known), -1)
        place = draw.randint(oldest, len(history) - 1)
        version = history[place] if place >= 0 else None
        if version is None or self._is_gone(version):
            raise _missing(key)
        return _stored(version)

    def query(
        self,
        container: str,
        where: Sequence[Where],
        *,
        order: Literal["oldest", "newest"],
        limit: int,
        continuation: str,
        old: Random | None = None,
    ) -> Page:
        """Return a page as `Store.query` does; with `old`, of any document the version before its last, perhaps."""
        after = _cursor(continuation)
        found: list[tuple[int, Stored]] = []
        for (place, _, _), history in self._history.items():
            version = history[-1] if old is None or len(history) < 2 or old.random() < 0.5 else history[-2]
            if place != container or self._is_gone(version):
                continue
            if conditions.matches(_shared(version.body or b"null"), where):
                found.append((version.row, _stored(version)))
        newest = order == "newest"
        found.sort(key=lambda item: item[0], reverse=newest)
        rest = [item for item in found if after is None or (item[0] < after if newest else item[0] > after)]
        continued = str(rest[limit - 1][0]) if len(rest) > limit else ""
        return Page([stored for _, stored in rest[:limit]], continued)

    def find(self, key: Key) -> Version | None:
        """Return the last version of a document that is there."""
        history = self._history.get(key)
        return None if not history or self._is_gone(history[-1]) else history[-1]

    def all_in(self, container: str) -> list[dict[str, Any]]:
        """Return all documents of a container, the oldest first; to be read only."""
        found = [
            history[-1]
            for key, history in self._history.items()
            if key[0] == container and not self._is_gone(history[-1])
        ]
        return [_shared(version.body or b"null") for version in sorted(found, key=lambda version: version.row)]

    def _the(self, key: Key) -> Version:
        found = self.find(key)
        if found is None:
            raise _missing(key)
        return found

    def _is_gone(self, version: Version) -> bool:
        return version.body is None or (version.expires_at is not None and version.expires_at <= self._now())

    def _write(self, new: Prepared, row: int, number: int) -> str:
        expires_at = None if new.ttl is None else self._now() + new.ttl
        version = Version(row, number, new.body, expires_at)
        self._note(_key(new), version)
        return version.etag

    def _note(self, key: Key, version: Version) -> None:
        before = self.find(key)
        self.log.append(Write(self._now(), self.by, key, before.body if before else None, version.body))
        self._history.setdefault(key, []).append(version)


def check_query(where: Sequence[Where], limit: int, order: str, continuation: str) -> None:
    """Say whether a query is one. Raises `InvalidRequestError`."""
    conditions.check(where)
    if not 1 <= limit <= PAGE:
        raise InvalidRequestError(f"a page of {limit} documents, not of 1 to {PAGE}")
    if order not in ("oldest", "newest"):
        raise InvalidRequestError(f"order {order!r} is neither oldest nor newest")
    _cursor(continuation)


def _cursor(continuation: str) -> int | None:
    if not continuation:
        return None
    if continuation.isdecimal() and continuation.isascii() and len(continuation) <= 19:
        return int(continuation)
    raise InvalidRequestError(f"continuation {continuation[:40]!r} is none that a query of this store returned")


def _key(new: Prepared) -> Key:
    return new.container, new.pk, new.id


@functools.lru_cache(10_000)
def _shared(body: bytes) -> Any:
    """Return what a body says, decoded once: to be looked at, never to be handed to the OS, which may change it."""
    return jsonio.loads(body)


def _decoded(version: Version) -> dict[str, Any]:
    document: dict[str, Any] = jsonio.loads(version.body or b"null")
    return document


def _stored(version: Version) -> Stored:
    return Stored(_decoded(version), version.etag)


def _missing(key: Key) -> NotFoundError:
    return NotFoundError(f"there is no document {key[0]}/{key[2]}")


def _mismatch(container: str, key: str, expected: str, found: str) -> ConflictError:
    return ConflictError(
        f"document {container}/{key} changed since it was read (expected etag {expected!r}, found {found!r})"
    )
