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
from vextir_os.api.intake import check_headers
from vextir_os.api.problem import Problem, RefusedError
from vextir_os.errors import NotFoundError, did_you_mean, shown
from vextir_os.events import jsonio
from vextir_os.events.identity import Principal
from vextir_os.kernel import Kernel
from vextir_os.runs import reading

ACT_BYTES = 16_000
"""The body of such a request, at most."""

_TEXT = {"type": "string"}


class ActRoutes:
    """The routes, over one kernel; they act as whoever holds the key.

    Args:
        kernel: The OS behind them.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._who = Principal(kind="user", id=kernel.settings.user, tenant=kernel.settings.tenant)

    def add_to(self, app: FastAPI) -> None:
        """Add them."""
        app.add_api_route(
            "/v1/events/{event_id:path}/cancel",
            self._cancel,
            methods=["POST"],
            response_class=Response,
            summary="Cancel what is left of an event",
            responses={
                200: contract.answer("Cancelled: nothing of it begins or commits any more", contract.RECORD),
                **contract.problems(400, 401, 403, 404, 409, 413, 415, 503),
            },
            openapi_extra=body_of(reason=_TEXT, source=_TEXT, correlationid=_TEXT),
        )

    async def _cancel(self, event_id: str, request: Request) -> Response:
        said = await read_act(request, ("reason", "source", "correlationid"))
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


async def read_act(request: Request, texts: tuple[str, ...], others: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """Return the members of a body.

    Args:
        request: Any request of an act.
        texts: Members that may be there, as texts.
        others: Members that may be there, as any JSON.

    Raises:
        RefusedError: It is no JSON object, too large, or has an unknown member.
        UndecodableError: It is no JSON.
    """
    check_headers(request.headers)
    limits = Limits(request_bytes=ACT_BYTES)
    with Room(ACT_BYTES).hold() as hold:
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
