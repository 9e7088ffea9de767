"""Around every route: who may come in, what every answer carries, what becomes of an error. Knows no route but health.

The outermost ASGI layer, so that not even a 404 is told to somebody without the key.
"""

import asyncio
import logging
from collections.abc import Collection
from email.utils import formatdate

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vextir_os.api.access import Door, from_this_machine, refusal
from vextir_os.api.bodies import REQUEST_BYTES
from vextir_os.api.problem import MEDIA_TYPE, Problem, RefusedError, problem_of
from vextir_os.ports.clock import Clock

HEALTH = "/v1/health"
"""The one path that is answered without the key."""

HEAD_BYTES = 64_000
"""Names and values of all headers of a request, at most."""

_LOG = logging.getLogger("vextir.api")
_SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_DISCARD_BYTES = 2 * REQUEST_BYTES
_DISCARD_S = 5.0
_DISCARD_IDLE_S = 0.5


def response_of(problem: Problem) -> Response:
    """Return the response that tells a problem."""
    return Response(problem.body(), problem.status, dict(problem.headers), MEDIA_TYPE)


class Guard:
    """Lets in who may, and turns every error into a problem.

    Args:
        app: What is guarded.
        door: Who may come in.
        clock: Gives the date of answers.
        open_here: Paths that programs of this machine may read without the key.
    """

    def __init__(self, app: ASGIApp, door: Door, clock: Clock, *, open_here: Collection[str] = ()) -> None:
        self._app = app
        self._door = door
        self._clock = clock
        self._open_here = open_here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "http":
            await self._serve(_Exchange(scope, receive, send, formatdate(self._clock.time(), usegmt=True)))
        elif scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, exchange: "_Exchange") -> None:
        problem = self._refusal(exchange.scope)
        if problem is None:
            try:
                await self._app(exchange.scope, exchange.receive, exchange.send)
            except ClientDisconnect:
                return
            except Exception as error:  # noqa: BLE001 - whatever it is, the sender gets an answer and the log the rest
                _LOG.error("%s %.200r failed", exchange.scope["method"], exchange.scope["path"], exc_info=error)
                problem = None if exchange.answered else problem_of(error)
        if problem is not None:
            await response_of(problem)(exchange.scope, exchange.receive, exchange.send)

    def _refusal(self, scope: Scope) -> Problem | None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
            return Problem(
                status=431, code=RefusedError.code, detail=f"the headers have more than {HEAD_BYTES} bytes together"
            )
        free = scope["path"] == HEALTH or (scope["path"] in self._open_here and from_this_machine(scope.get("client")))
        with_key = not (free and scope["method"] in ("GET", "HEAD"))
        return refusal(self._door, Headers(scope=scope), scheme=scope["scheme"], with_key=with_key)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, date: str) -> None:
        self.scope = scope
        self.answered = False
        self._receive = receive
        self._send = send
        self._date = date
        headers = Headers(scope=scope)
        self._unread = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        self._waits = "expect" in headers

    async def receive(self) -> Message:
        """Return the next part of the request."""
        message = await self._receive()
        if not message.get("more_body", False):
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; the first one carries what every answer carries."""
        if message["type"] == "http.response.start":
            self.answered = True
            if self._unread and not self._waits and message["status"] != 408:
                await self._discard()
            headers = MutableHeaders(scope=message)
            for name, value in _SECURITY.items():
                headers.setdefault(name, value)
            headers.setdefault("Date", self._date)
            if self._unread:
                # Otherwise the connection would read on, for as long as the sender likes.
                headers["Connection"] = "close"
        await self._send(message)

    async def _discard(self) -> None:
        # Many clients look for the answer only once they have sent everything, and a connection that is closed with
        # unread bytes is reset, the answer lost. Who waits for `100 Continue`, or is too slow, is not waited for.
        seen = 0
        try:
            async with asyncio.timeout(_DISCARD_S):
                while self._unread and seen <= _DISCARD_BYTES:
                    async with asyncio.timeout(_DISCARD_IDLE_S):
                        seen += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return
