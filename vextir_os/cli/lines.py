"""Lines of a stream in chunks, read by a thread of its own, so that Ctrl-C works while nothing comes."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Callable

from vextir_os.errors import TooLargeError
from vextir_os.events.limits import BLOB_BYTES

CHUNK = 500
"""Lines in one chunk, at most."""

_READ_BYTES = 1 << 16
_GATHER_S = 0.05

Numbered = tuple[int, bytes]
"""Number of a line, from 1, and what it holds."""


async def chunks(
    descriptor: int, *, size: int = CHUNK, limit_bytes: int = BLOB_BYTES
) -> AsyncGenerator[list[Numbered], None]:
    """Yield the lines that are not blank, `size` at a time; fewer when no more come for 50 ms, so that none waits.

    Args:
        descriptor: What to read, to its end.
        size: Lines in one chunk, at most.
        limit_bytes: Bytes in one line, at most.

    Raises:
        TooLargeError: A line is longer; what stands before it was yielded.
        OSError: The stream cannot be read.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[Numbered | Exception | None] = asyncio.Queue()
    room = threading.Semaphore(size * 2)

    def put(item: Numbered | Exception | None) -> None:
        room.acquire()
        # The loop is closed when nobody reads any more; the thread ends with the process.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(waiting.put_nowait, item)

    threading.Thread(target=_read, args=(descriptor, limit_bytes, put), name="vextir-lines", daemon=True).start()
    chunk: list[Numbered] = []
    while True:
        try:
            async with asyncio.timeout(_GATHER_S if chunk else None):
                item = await waiting.get()
        except TimeoutError:
            yield chunk
            chunk = []
            continue
        room.release()
        if isinstance(item, tuple):
            chunk.append(item)
            if len(chunk) < size:
                continue
        if chunk:
            yield chunk
            chunk = []
        if isinstance(item, Exception):
            raise item
        if item is None:
            return


def _read(descriptor: int, limit_bytes: int, put: Callable[[Numbered | Exception | None], None]) -> None:
    number, parts, held = 0, list[bytes](), 0
    try:
        while block := os.read(descriptor, _READ_BYTES):
            first, *others = block.split(b"\n")
            parts.append(first)
            held += len(first)
            for other in others:
                number += 1
                _put_line(number, b"".join(parts), put)
                parts, held = [other], len(other)
            if held > limit_bytes:
                raise TooLargeError(f"over {limit_bytes} bytes", where=f"line {number + 1}")
        _put_line(number + 1, b"".join(parts), put)
    except (OSError, TooLargeError) as error:
        put(error)
    else:
        put(None)


def _put_line(number: int, line: bytes, put: Callable[[Numbered | Exception | None], None]) -> None:
    if line.strip():
        put((number, line))
