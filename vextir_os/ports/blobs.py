"""Large bytes, kept outside records and messages."""

import hashlib
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobRef:
    """A claim check: where the bytes lie, how many, and their SHA-256 in hex."""

    name: str
    size_bytes: int
    sha256: str

    @classmethod
    def of(cls, name: str, data: bytes) -> "BlobRef":
        """Return the claim check of these bytes under this name."""
        return cls(name=name, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


class Blobs(Protocol):
    """Bytes by name. A name is `<record id>/<part>`; all parts of a record are deleted together."""

    async def put(self, name: str, data: bytes) -> BlobRef:
        """Keep the bytes, durably; the same name again replaces them.

        Raises `TooLargeError` over 64 MB, `InvalidRequestError` for a name that is not `<record id>/<part>`.
        """
        ...

    async def get(self, ref: BlobRef) -> bytes:
        """Return the bytes. Raises `NotFoundError`, and `BlobMismatchError` when hash or size differ."""
        ...

    async def delete_all(self, record: str) -> None:
        """Remove all blobs of a record; none there is no error."""
        ...
