"""From the body of a request to events on the queue. Knows the forms of HTTP and the kernel, no framework's routes."""

import asyncio
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request

from vextir_os.api import idempotency
from vextir_os.api.bodies import Limits, Room, read_body
from vextir_os.api.problem import Problem, RefusedError
from vextir_os.api.weight import PARTS, is_heavy
from vextir_os.errors import TooLargeError
from vextir_os.events.codec_data import media_type
from vextir_os.events.codec_http import decode_http
from vextir_os.events.event import Event
from vextir_os.events.limits import WIRE_BYTES
from vextir_os.events.traceparent import clean_traceparent
from vextir_os.kernel import Kernel, operator

SOURCE = "/api"
"""Source of events that name none."""

_LARGE_BYTES = WIRE_BYTES


class HttpIntake:
    """Accepts the events of requests on behalf of whoever holds the key.

    Args:
        kernel: Where they go.
        limits: What requests may cost.
    """

    def __init__(self, kernel: Kernel, limits: Limits) -> None:
        self._kernel = kernel
        self._limits = limits
        self._room = Room(limits.buffered_bytes)
        self._large = asyncio.Lock()
        self._who = operator(kernel.settings)

    async def accept(self, request: Request) -> list[Event]:
        """Return the events of a request as they were stamped, once they are durable on the queue; all or none.

        Raises:
            RefusedError: The request is none that is read here.
            EventError, DeniedError, StoreError: As decoding and `Intake.publish` do.
        """
        headers = request.headers
        content_type = check_headers(headers)
        # Before the body is read: who is refused costs nothing.
        if self._kernel.intake.pressure.may_refuse():
            await self._kernel.intake.pressure.check()
        key = idempotency.read_key(headers.getlist("idempotency-key"))
        with self._room.hold() as hold:
            body = await read_body(request.receive, headers.get("content-length"), hold, self._limits)
            if len(body) <= _LARGE_BYTES:
                return await self._publish(decode_http(content_type, headers, body), content_type, headers, body, key)
            # One at a time and beside the event loop: decoded, a body takes many times its bytes.
            async with self._large:
                events = await asyncio.to_thread(_decode_large, content_type, headers, body)
                return await self._publish(events, content_type, headers, body, key)

    async def _publish(
        self, events: Sequence[Event], content_type: str, headers: Headers, body: bytes, key: str | None
    ) -> list[Event]:
        if len(events) > self._limits.batch_events:
            raise TooLargeError(
                f"a batch of {len(events)} events, at most {self._limits.batch_events} are accepted",
                hint="Send several batches",
            )
        if key is not None:
            request = idempotency.fingerprint(content_type, headers.items(), body)
            await idempotency.remember(
                self._kernel.store, key, self._who, request, ttl_s=self._kernel.settings.retention_s
            )
            events = idempotency.name_events(events, key, self._who)
        if "traceparent" in headers:
            events = _traced(events, headers.getlist("traceparent"))
        return await self._kernel.intake.publish(events, self._who, source=SOURCE)


def check_headers(headers: Headers) -> str:
    """Return the content type of a request; empty in binary mode for an event without data.

    Only JSON is read: a form, or text, is what a page of a stranger may send without being asked (CSRF).

    Raises:
        RefusedError: 415, it is no JSON or is compressed; 400, there are two content types.
    """
    types = headers.getlist("content-type")
    if len(types) > 1:
        raise RefusedError(Problem(status=400, code=RefusedError.code, detail="the header Content-Type is given twice"))
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise RefusedError(_unsupported(f"content encoding {coding[:40]!r} is not read here", "Send it uncompressed"))
    content_type = types[0] if types else ""
    media = media_type(content_type)
    empty = not media and "ce-type" in headers and headers.get("content-length", "0") == "0"
    if not empty and media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise RefusedError(
            _unsupported(
                f"content type {content_type[:80]!r} is not read here",
                "Send application/json, application/cloudevents+json or application/cloudevents-batch+json",
            )
        )
    return content_type


def _traced(events: Sequence[Event], headers: Sequence[str]) -> Sequence[Event]:
    """Return the events in the trace of their request; those that bring their own `traceparent` stay in that."""
    trace = clean_traceparent(headers[0]) if len(headers) == 1 else ""
    return [event if event.traceparent else event.stamped(traceparent=trace) for event in events]


def _decode_large(content_type: str, headers: Headers, body: bytes) -> list[Event]:
    if is_heavy(body):
        raise TooLargeError(
            f"a request of more than {PARTS} values", hint="Send several requests, or the values as one text"
        )
    return decode_http(content_type, headers, body, limit_bytes=len(body))


def _unsupported(detail: str, hint: str) -> Problem:
    headers = {"Accept-Post": "application/json, application/cloudevents+json, application/cloudevents-batch+json"}
    return Problem(status=415, code=RefusedError.code, detail=detail, hint=hint, headers=headers)
