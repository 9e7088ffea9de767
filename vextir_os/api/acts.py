"""What people do over HTTP to what is there: the bodies of these requests, and the routes that take them.

A body is a small JSON object whose members are all known; it is JSON even when it says nothing, since a form or text is
what a page of a stranger may send without being asked.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from vextir_os.api import contract
from vextir_os.api.answers import json_of
from vextir_os.api.bodies import Limits, Room, read_body
from vextir_os.api.intake import SOURCE, check_headers
from vextir_os.api.problem import Problem, RefusedError
from vextir_os.errors import InvalidEventError, NotFoundError, did_you_mean, shown
from vextir_os.events import jsonio
from vextir_os.events.codec import from_item
from vextir_os.events.limits import WIRE_BYTES
from vextir_os.kernel import Kernel, operator
from vextir_os.processor.edits import Edit
from vextir_os.runs import reading
from vextir_os.runs.letters import letter_view

ACT_BYTES = WIRE_BYTES
"""The body of such a request, at most: an edited event is in it."""

BUFFERED_BYTES = 100 * ACT_BYTES
"""Bodies of all such requests at one moment, at most."""

_TEXT = {"type": "string"}


class ActRoutes:
    """The routes, over one kernel; they act as whoever holds the key.

    Args:
        kernel: The OS behind them.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._room = Room(BUFFERED_BYTES)
        self._who = operator(kernel.settings)

    def add_to(self, app: FastAPI) -> None:
        """Add them."""
        _add(
            app,
            "/v1/events/{event_id:path}/cancel",
            self._cancel,
            "Cancel what is left of an event",
            contract.answer("Cancelled: nothing of it begins or commits any more", contract.RECORD),
            body_of(reason=_TEXT, source=_TEXT, correlationid=_TEXT),
        )
        _add(
            app,
            "/v1/dead/{letter_id}/replay",
            self._replay,
            "Replay a dead letter as it is; with `data` or `event`, publish an event in its place",
            contract.answer("The dead letter; `closed` says what was done", contract.DEAD_LETTER),
            body_of(reason=_TEXT, data={"description": "New data for its event."}, event=contract.EVENT),
        )
        _add(
            app,
            "/v1/dead/{letter_id}/discard",
            self._discard,
            "Set a dead letter aside",
            contract.answer("The dead letter; `closed` says what was done", contract.DEAD_LETTER),
            body_of(reason=_TEXT),
        )

    async def _cancel(self, event_id: str, request: Request) -> Response:
        said = await read_act(request, self._room, ("reason", "source", "correlationid"))
        try:
            record = await self._kernel.control.cancel(
                event_id,
                self._who,
                reason=said.get("reason", ""),
                source=said.get("source", ""),
                correlation=said.get("correlationid", ""),
            )
        except NotFoundError as error:
            raise not_found(error) from None
        return json_of(reading.view(record))

    async def _replay(self, letter_id: str, request: Request) -> Response:
        said = await read_act(request, self._room, ("reason",), ("data", "event"))
        edit, reason = _edit_of(said), said.get("reason", "")
        letters = self._kernel.dead_letters
        try:
            if edit is None:
                return json_of(letter_view(await letters.replay(letter_id, self._who, reason=reason)))
            letter, _ = await letters.edit(letter_id, self._who, edit, source=SOURCE, reason=reason)
        except NotFoundError as error:
            raise not_found(error) from None
        return json_of(letter_view(letter))

    async def _discard(self, letter_id: str, request: Request) -> Response:
        said = await read_act(request, self._room, ("reason",))
        try:
            letter = await self._kernel.dead_letters.discard(letter_id, self._who, reason=said.get("reason", ""))
        except NotFoundError as error:
            raise not_found(error) from None
        return json_of(letter_view(letter))


def _add(
    app: FastAPI, path: str, handler: Any, summary: str, answer: Mapping[str, Any], body: Mapping[str, Any]
) -> None:
    app.add_api_route(
        path,
        handler,
        methods=["POST"],
        response_class=Response,
        summary=summary,
        responses={200: dict(answer), **contract.problems(400, 401, 403, 404, 409, 413, 415, 503)},
        openapi_extra=dict(body),
    )


def _edit_of(said: Mapping[str, Any]) -> Edit | None:
    if "data" in said and "event" in said:
        raise InvalidEventError("both `data` and `event` are given", hint="Give one of them")
    if "event" in said:
        return Edit(event=from_item(said["event"]))
    return Edit(data=said["data"]) if "data" in said else None


async def read_act(
    request: Request, room: Room, texts: tuple[str, ...], others: tuple[str, ...] = ()
) -> Mapping[str, Any]:
    """Return the members of a body.

    Args:
        request: Any request of an act.
        room: Where its bytes are counted.
        texts: Members that may be there, as texts.
        others: Members that may be there, as any JSON.

    Raises:
        RefusedError: It is no JSON object, too large, or has an unknown member.
        UndecodableError: It is no JSON.
    """
    check_headers(request.headers)
    limits = Limits(request_bytes=ACT_BYTES)
    with room.hold() as hold:
        body = await read_body(request.receive, request.headers.get("content-length"), hold, limits)
    said = jsonio.loads_strict(body) if body.strip() else {}
    if not isinstance(said, dict):
        raise _refused("the body is no JSON object", 'Send {"reason": "…"}')
    known = (*texts, *others)
    for name, value in said.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"Members are: {', '.join(known)}"
            raise _refused(f"unknown member {shown(name)}", hint)
        if name in texts and not isinstance(value, str):
            raise _refused(f"{name} is no text", "")
    return said


def body_of(**members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of such a request as OpenAPI writes it."""
    schema = {"type": "object", "properties": dict(members), "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def not_found(error: NotFoundError) -> RefusedError:
    """Return the refusal for what is not there."""
    return RefusedError(Problem(status=404, code=error.code, detail=error.what, hint=error.hint))


def _refused(detail: str, hint: str) -> RefusedError:
    return RefusedError(Problem(status=400, code=RefusedError.code, detail=detail, hint=hint))
