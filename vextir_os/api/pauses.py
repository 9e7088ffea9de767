"""What is paused, over HTTP: the list, a new pause, the end of one."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from vextir_os.api import contract
from vextir_os.api.acts import ACT_BYTES, body_of, not_found, read_act
from vextir_os.api.answers import add_get, json_of
from vextir_os.api.bodies import Room
from vextir_os.api.problem import Problem, RefusedError
from vextir_os.driverkit.durations import parse_duration
from vextir_os.errors import InvalidRequestError, NotFoundError, UnknownDriverError
from vextir_os.kernel import Kernel, operator
from vextir_os.processor.pausing import pause_view

PATH = "/v1/pauses"
"""Where they are."""

_TEXT = {"type": "string"}
_NUMBER = {"type": ["number", "null"], "description": "Epoch seconds."}
_PAUSE: dict[str, Any] = {
    "type": "object",
    "required": ["kind", "name", "by", "at", "until", "reason"],
    "properties": {
        "kind": {"enum": ["driver", "capability", "tenant"]},
        "name": _TEXT, "by": _TEXT, "at": _NUMBER, "until": _NUMBER, "reason": _TEXT,
    },
}  # fmt: skip
_LIST = {"type": "object", "required": ["pauses"], "properties": {"pauses": {"type": "array", "items": _PAUSE}}}
_RESUMED = {"type": "object", "required": ["knocked"], "properties": {"knocked": {"type": "integer"}}}


class PauseRoutes:
    """The routes, over one kernel; they act as whoever holds the key.

    Args:
        kernel: The OS behind them.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._pausing = kernel.pausing
        self._room = Room(10 * ACT_BYTES)
        self._who = operator(kernel.settings)

    def add_to(self, app: FastAPI) -> None:
        """Add them."""
        listed = contract.answer("What is paused", _LIST)
        add_get(app, PATH, self._list, "List what is paused", {200: listed, **contract.problems(401, 503)})
        refusals = contract.problems(400, 401, 403, 404, 413, 415, 503)
        for path, handler, summary, answer, body in (
            (
                PATH,
                self._pause,
                "Pause a driver, a type or pattern, or a tenant; intake stays open",
                contract.answer("The pause", _PAUSE),
                body_of(kind=_TEXT, name=_TEXT, reason=_TEXT, **{"for": {**_TEXT, "example": "1h"}}),
            ),
            (
                f"{PATH}/{{kind}}/{{name}}/resume",
                self._resume,
                "End a pause",
                contract.answer("How many events were waiting for it", _RESUMED),
                body_of(),
            ),
        ):
            app.add_api_route(
                path, handler, methods=["POST"], response_class=Response, summary=summary,
                responses={200: answer, **refusals}, openapi_extra=body,
            )  # fmt: skip

    async def _list(self) -> Response:
        return json_of({"pauses": [pause_view(entry) for entry in await self._pausing.listed()]})

    async def _pause(self, request: Request) -> Response:
        said = await read_act(request, self._room, ("kind", "name", "for", "reason"))
        kind: Any = said.get("kind", "")
        try:
            for_s = parse_duration(said["for"]) if "for" in said else None
            entry = await self._pausing.pause(
                kind, said.get("name", ""), self._who, for_s=for_s, reason=said.get("reason", "")
            )
        except ValueError as error:
            raise _wrong(f"for {error}") from None
        except (InvalidRequestError, UnknownDriverError) as error:
            raise _wrong(error.what, error.hint) from None
        return json_of(pause_view(entry))

    async def _resume(self, kind: str, name: str, request: Request) -> Response:
        await read_act(request, self._room, ())
        which: Any = kind
        try:
            return json_of({"knocked": await self._pausing.resume(which, name, self._who)})
        except NotFoundError as error:
            raise not_found(error) from None


def _wrong(detail: str, hint: str = "") -> RefusedError:
    return RefusedError(Problem(status=400, code=RefusedError.code, detail=detail, hint=hint))
