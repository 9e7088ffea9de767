"""The capability `atomic`: store and queue share one transaction. SQLite has it, Service Bus + Cosmos have not.

Who uses it must also have a way without it: write the record with an outbox, publish, remove, settle (PROTOCOL 7).
"""

from collections.abc import Awaitable, Sequence
from typing import NamedTuple, Protocol

from vextir_os.ports.queue import Message
from vextir_os.ports.store import Document


class Create(NamedTuple):
    """Create a document; an existing one fails the whole transaction, unless `exists_ok`."""

    container: str
    document: Document
    exists_ok: bool = False


class Replace(NamedTuple):
    """Replace a document if its ETag matches."""

    container: str
    document: Document
    if_match: str


class Send(NamedTuple):
    """Send messages to a queue; `at`: epoch seconds before which none is delivered."""

    entity: str
    messages: Sequence[Message]
    at: float | None = None


class Complete(NamedTuple):
    """Complete a delivery. A lock that was lost fails nothing: the knock comes again and finds the record finished."""

    token: str


Operation = Create | Replace | Send | Complete


class Atomic(Protocol):
    """All or nothing, over store and queue."""

    def transact(self, operations: Sequence[Operation], *, durable: bool = True) -> Awaitable[Sequence[str]]:
        """Apply all operations or none; return the ETag of each Create and Replace (empty for the others).

        `durable=False` may lose the write, with all after it, in a power loss, never in a crash of the process:
        for leases, which mean nothing after a power loss.

        Raises:
            AlreadyExistsError: A create met a document. Nothing was applied.
            ConflictError: A replace met another ETag, or no document. Nothing was applied.
        """
        ...
