"""The HTTP/1.1 protocol under the app: uvicorn's on httptools, with the bounds that it lacks.

A head must come in whole, in time and within its size; what is no HTTP gets a problem; there are only so many
connections, and only so many requests that wait on one. Bodies are the app's matter, but not what stands around them.
"""

import asyncio
from typing import Any, Literal, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from vextir_os.api.guard import HEAD_BYTES
from vextir_os.api.problem import MEDIA_TYPE, Problem, RefusedError

HEAD_S = 10.0
"""Seconds for a request line and its headers to come in."""

CONNECTIONS = 500
"""Open at once, at most; one more is closed unanswered."""


WAITING = 32
"""Requests that wait on one connection for the answer to an earlier one, at most."""

FRAME_BYTES = 8
"""What one byte of a body may cost in sizes and line ends of chunks: a chunk of one byte has six."""


class GuardedProtocol(HttpToolsProtocol):
    """One connection."""

    head_s = HEAD_S
    connections_limit = CONNECTIONS
    waiting_limit = WAITING

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._at: Literal["between", "head", "body"] = "between"
        self._began = False
        self._message_bytes = self._body_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a connection, unless there are too many."""
        super().connection_made(cast(asyncio.Transport, transport))
        if len(self.connections) > self.connections_limit:
            self.transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._stop_timer()
        self._give_up()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        before, self._began = self._at, False
        self._message_bytes += len(data)
        super().data_received(data)
        if self._at == "body" and not self.transport.is_closing() and self._is_padded(len(data)):
            self._refuse(400, "the body has too much around it: trailers, or extensions of its chunks")
            return
        # Empty lines between requests count as well: uvicorn takes them for signs of life.
        idle = before == self._at == "between" and not self._began
        if self.transport.is_closing() or not (idle or self._at == "head"):
            return
        # One chunk may hold the end of a body and the beginning of the next head; so this is a bound, not a measure.
        if self._message_bytes > HEAD_BYTES + 2 * len(data):
            self._refuse(431, f"a request line and headers have more than {HEAD_BYTES} bytes together")
        elif self._head_timer is None:
            self._await_head()

    def on_message_begin(self) -> None:
        """Note that a head begins. Raises `ConnectionError` when too many requests wait already."""
        if len(self.pipeline) >= self.waiting_limit:
            # Reading goes on after every answer, so that they would pile up by the thousand; raising stops the parser.
            raise ConnectionError("too many requests at once on one connection")
        self._at, self._began = "head", True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that a head is whole."""
        self._at = "body"
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count and take a part of a body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Note that a request is whole."""
        self._at, self._message_bytes, self._body_bytes = "between", 0, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; uvicorn calls it."""
        self._refuse(400, msg.rstrip(".").lower())

    def _is_padded(self, last: int) -> bool:
        # Twice: for the head, which counts as well, and for the trailers. The last bytes may belong to two requests.
        return self._message_bytes > 2 * (HEAD_BYTES + last) + FRAME_BYTES * self._body_bytes

    def _refuse(self, status: int, detail: str) -> None:
        if self._answering():
            # The beginning of another answer may be on its way; a second one would be read as part of it.
            self._give_up()
            self.transport.abort()
            return
        problem = Problem(status=status, code=RefusedError.code, detail=detail)
        body = problem.body()
        head = f"HTTP/1.1 {status} \r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\n"
        self.transport.write(f"{head}cache-control: no-store\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _give_up(self) -> None:
        """Let nothing more be written. Uvicorn tells it to the last request alone; that may be one that waits."""
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_s, self._late)

    def _late(self) -> None:
        self._head_timer = None
        if self.transport.is_closing():
            return
        if self._answering():
            self._await_head()
        else:
            self._refuse(408, f"the request did not come in within {self.head_s:g} seconds")

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
