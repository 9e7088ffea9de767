"""Reading the body of a request: bounded in bytes, in time, and in what all requests together may hold in memory.

Knows no events. A body over a bound is refused while it comes in; the rest of it is never kept.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect
from starlette.types import Receive

from vextir_os.api.problem import Problem, RefusedError
from vextir_os.errors import StoreBusyError, TooLargeError
from vextir_os.events.limits import BLOB_BYTES, WIRE_BYTES

REQUEST_BYTES = BLOB_BYTES + WIRE_BYTES
"""A body, at most: one event with data that fills a claim check, and its other attributes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of what requests may cost.

    Attributes:
        request_bytes: One body.
        buffered_bytes: Bodies of all requests that are served at this moment, together.
        body_s: Seconds for a body to come in.
        batch_events: Events in one batch.
    """

    request_bytes: int = REQUEST_BYTES
    buffered_bytes: int = 4 * REQUEST_BYTES
    body_s: float = 60.0
    batch_events: int = 1_000


class Hold:
    """Bytes that one request holds."""

    def __init__(self, room: "Room") -> None:
        self._room = room
        self.held = 0

    def take(self, count: int) -> None:
        """Hold so many bytes more. Raises `RefusedError` with 503 where all requests together hold too many."""
        if count > self._room.free:
            raise RefusedError(
                Problem(
                    status=503,
                    code=StoreBusyError.code,
                    detail="too many large requests at once; nothing was accepted",
                    hint="Send again",
                    headers={"Retry-After": "1"},
                )
            )
        self._room.free -= count
        self.held += count


class Room:
    """Memory for bodies, shared by all requests of one event loop."""

    def __init__(self, limit_bytes: int) -> None:
        self.free = limit_bytes

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """Lend room to one request; all of it comes back at the end."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.free += hold.held


async def read_body(receive: Receive, declared: str | None, hold: Hold, limits: Limits) -> bytes:
    """Return the whole body.

    Args:
        receive: Where it comes from.
        declared: The header `Content-Length`; whoever announces too much is refused before anything is read.
        hold: Where the bytes are counted.
        limits: The bounds.

    Raises:
        RefusedError: 413, 408 or 503.
        ClientDisconnect: The sender is gone.
    """
    if declared is not None and declared.isdecimal() and int(declared[:20]) > limits.request_bytes:
        raise RefusedError(_too_large(limits))
    try:
        async with asyncio.timeout(limits.body_s):
            return await _read(receive, hold, limits)
    except TimeoutError:
        raise RefusedError(
            Problem(
                status=408,
                code=RefusedError.code,
                detail=f"the body did not come in within {limits.body_s:g} seconds; nothing was accepted",
                hint="Send it faster, or in several requests",
            )
        ) from None


async def _read(receive: Receive, hold: Hold, limits: Limits) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        part: bytes = message.get("body", b"")
        if part:
            if hold.held + len(part) > limits.request_bytes:
                raise RefusedError(_too_large(limits))
            hold.take(len(part))
            parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _too_large(limits: Limits) -> Problem:
    return Problem(
        status=413,
        code=TooLargeError.code,
        detail=f"a request has at most {limits.request_bytes} bytes; nothing was accepted",
        hint="Send several requests, or keep large data elsewhere and link it",
    )
