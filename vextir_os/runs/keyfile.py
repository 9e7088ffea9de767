"""One worker's copy of an ordered key's document: read, then written under the condition that nobody else has."""

from typing import cast

from vextir_os.errors import AlreadyExistsError, ConflictError, NotFoundError, StoreUnavailableError
from vextir_os.ports.atomic import Create, Operation, Replace
from vextir_os.ports.store import Document
from vextir_os.runs.keeper import Desk
from vextir_os.runs.ordering import KeyDoc, new_key
from vextir_os.runs.record import STATE


class KeyFile:
    """The document as it was read, or last written. Made by `read`.

    Attributes:
        doc: The copy; that of a key without a document is new and empty.
        is_new: Whether there was no document, as far as the read can tell.
    """

    __slots__ = ("_desk", "_etag", "doc")

    def __init__(self, desk: Desk, doc: KeyDoc, etag: str) -> None:
        self.doc = doc
        self._desk = desk
        self._etag = etag

    @classmethod
    async def read(cls, desk: Desk, key: str) -> "KeyFile":
        """Return the document of a key as it is now; may be old where the store is replicated."""
        try:
            stored = await desk.store.read(STATE, key, key)
        except NotFoundError:
            return cls(desk, new_key(key, now=desk.clock.time()), "")
        return cls(desk, cast(KeyDoc, stored.document), stored.etag)

    @property
    def is_new(self) -> bool:
        """Whether there was no document, as far as the read can tell."""
        return not self._etag

    async def write(self, doc: KeyDoc) -> None:
        """Write the document if nobody has since it was read.

        Raises:
            ConflictError: Somebody has, or there was no answer, which is not "no". Read it again.
        """
        document = cast(Document, doc)
        try:
            if self._desk.atomic is not None:
                # Soft: what a power failure takes of it, it takes of all that came after as well.
                operation: Operation = Replace(STATE, document, self._etag) if self._etag else Create(STATE, document)
                [self._etag] = await self._desk.atomic.transact([operation], durable=False)
            elif self._etag:
                self._etag = await self._desk.store.replace(STATE, document, if_match=self._etag)
            else:
                self._etag = await self._desk.store.create(STATE, document)
        except (AlreadyExistsError, NotFoundError, StoreUnavailableError) as error:
            raise ConflictError(f"document {STATE}/{doc['id']} is not what was read any more, or may not be") from error
        self.doc = doc
