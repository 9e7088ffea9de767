"""Frames on the channel between the OS and a driver's process: four bytes of length, big-endian, and that many of JSON.

Pure: bytes in, values out. Whoever writes at the other end may be hostile: a length is judged before a byte of the body
is kept, and a body is JSON of an object or an error.
"""

from collections.abc import Iterator
from typing import Any

from vextir_os.errors import UndecodableError
from vextir_os.events import jsonio

FRAME_BYTES = 80_000_000
"""Longest body of a frame: an output may have 64 MB."""

_HEAD = 4


def frame(body: bytes) -> bytes:
    """Return a body with its length in front.

    Raises:
        ValueError: It is longer than `FRAME_BYTES`.
    """
    if len(body) > FRAME_BYTES:
        raise ValueError(f"a frame of {len(body)} bytes, at most {FRAME_BYTES} are allowed")
    return len(body).to_bytes(_HEAD, "big") + body


class MalformedError(Exception):
    """What the process wrote is no message; its text goes on from "the process of driver x"."""

    def __init__(self, what: str) -> None:
        super().__init__(f"wrote {what} on the channel that is the OS's")


class FrameReader:
    """Cuts a stream of bytes, fed in pieces of any size, into the objects that its frames hold.

    Args:
        limit_bytes: Longest body that is taken.
    """

    __slots__ = ("_held", "_limit")

    def __init__(self, limit_bytes: int = FRAME_BYTES) -> None:
        self._limit = limit_bytes
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take a piece, and yield what is complete.

        Raises:
            MalformedError: What came is no frame; nothing after it can be trusted.
        """
        held = self._held
        held += data
        while len(held) >= _HEAD:
            length = int.from_bytes(held[:_HEAD], "big")
            if length > self._limit:
                raise MalformedError(f"a frame of {length} bytes, at most {self._limit} are allowed")
            end = _HEAD + length
            if len(held) < end:
                return
            body = bytes(held[_HEAD:end])
            del held[:end]
            yield _object(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = jsonio.loads(body)
    except UndecodableError as error:
        raise MalformedError("a frame that is not JSON") from error
    if type(value) is not dict:
        raise MalformedError(f"a frame that holds a {type(value).__name__}, not an object")
    return value
