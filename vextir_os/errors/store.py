"""Errors of the store, the queue and the blobs (5xx)."""

from vextir_os.errors.base import VextirError


class StoreError(VextirError):
    """Something about the store, the queue or the blobs behind a port."""

    code = "VX500"


class NotFoundError(StoreError):
    """No such document, message, entity or blob."""

    code = "VX501"
    kind = "invalid"


class GoneError(NotFoundError):
    """A document was there and has expired; the store remembers its id for a while, and takes no other under it."""

    code = "VX518"


class AlreadyExistsError(StoreError):
    """A create met a document of the same id and partition."""

    code = "VX502"
    kind = "invalid"


class ConflictError(StoreError):
    """A document changed since it was read, or a condition on it does not hold."""

    code = "VX503"
    kind = "transient"


class StoreUnavailableError(StoreError):
    """The store or queue did not answer, or is closed; whether a write happened is unknown unless it says so."""

    code = "VX504"
    kind = "transient"


class StoreBusyError(StoreUnavailableError):
    """Another process holds the database's write lock for too long; nothing was written."""

    code = "VX505"


class StoreFullError(StoreError):
    """The disk, or the limit set for the database, is full; nothing was written."""

    code = "VX506"
    kind = "transient"


class StoreCorruptError(StoreError):
    """The database file is damaged."""

    code = "VX507"


class ForeignFileError(StoreError):
    """The file is no Vextir OS database, or of a newer version."""

    code = "VX508"
    kind = "invalid"


class LockLostError(StoreError):
    """The lock of a message or session has expired or belongs to another receiver."""

    code = "VX509"
    kind = "invalid"


class SessionLockedError(StoreError):
    """The session is locked by another receiver."""

    code = "VX510"
    kind = "transient"


class BlobMismatchError(StoreError):
    """The bytes of a blob do not have the hash or size that its reference names."""

    code = "VX511"


class InvalidRequestError(StoreError):
    """A document, message, name, path or option that no store or queue takes."""

    code = "VX512"
    kind = "invalid"


class OverloadedError(StoreError):
    """There is no room for more events from outside now; nothing was accepted.

    Args:
        what: What happened, lower case.
        retry_after_s: Seconds after which it is worth asking again; over 0.
        hint: What to do about it; a sentence.
    """

    code = "VX513"
    kind = "throttled"

    def __init__(self, what: str, *, retry_after_s: float = 5.0, hint: str = "") -> None:
        self.retry_after_s = retry_after_s
        super().__init__(what, hint=hint)


class QueueFullError(OverloadedError):
    """More events wait on the queue than may."""

    code = "VX514"


class DiskLowError(OverloadedError):
    """The disk or the database is fuller than it may be."""

    code = "VX515"


class BackupError(StoreError):
    """A file is no backup, is damaged, or of a newer version; nothing was restored from it."""

    code = "VX516"
    kind = "invalid"


class DataInUseError(StoreError):
    """A data directory cannot be replaced: somebody works on it, or it holds data already."""

    code = "VX517"
    kind = "invalid"
