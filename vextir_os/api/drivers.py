"""Drivers over HTTP: which there are and what counts for them now; turning one off and on; weights of versions."""

from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from vextir_os.api import contract
from vextir_os.api.acts import ACT_BYTES, body_of, not_found, read_act
from vextir_os.api.answers import add_get, json_of
from vextir_os.api.bodies import Room
from vextir_os.api.problem import Problem, RefusedError
from vextir_os.errors import NotFoundError, UnknownDriverError, VextirError
from vextir_os.kernel import Kernel, operator
from vextir_os.processor.switching import shares_of
from vextir_os.runs.healthfile import UnwellDoc

PATH = "/v1/drivers"
"""Where they are."""

_TEXT = {"type": "string"}
_OFF = {"type": ["object", "null"], "description": "Who turned it off, when and why; null while it is on."}
_DRIVER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "kind", "version", "form", "isolation", "capabilities", "off", "share", "unhealthy"],
    "properties": {
        "id": _TEXT, "kind": _TEXT, "version": _TEXT, "form": _TEXT, "isolation": _TEXT, "off": _OFF,
        "capabilities": {"type": "array", "items": _TEXT},
        "unhealthy": {"type": ["object", "null"], "description": "What it says of itself, and since when."},
        "share": {"type": "number", "description": "Part of 1 of the driver's new events that this version gets."},
    },
}  # fmt: skip
_LIST = {"type": "object", "required": ["drivers"], "properties": {"drivers": {"type": "array", "items": _DRIVER}}}
_ON = {"type": "object", "required": ["off"], "properties": {"off": {"type": "null"}}}
_WEIGHTS = {"type": "object", "additionalProperties": {"type": "number"}, "description": "By version."}


class DriverRoutes:
    """The routes, over one kernel; they act as whoever holds the key.

    Args:
        kernel: The OS behind them.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._registry = kernel.registry
        self._switching = kernel.switching
        self._health = kernel.health
        self._room = Room(10 * ACT_BYTES)
        self._who = operator(kernel.settings)

    def add_to(self, app: FastAPI) -> None:
        """Add them."""
        listed = contract.answer("The drivers, each version for itself", _LIST)
        add_get(app, PATH, self._list, "List the drivers", {200: listed, **contract.problems(401, 503)})
        refusals = contract.problems(400, 401, 403, 404, 409, 413, 415, 503)
        for path, handler, summary, answer, body in (
            (f"{PATH}/{{name}}/off", self._off, "Give a driver no new events", _OFF, body_of(reason=_TEXT)),
            (f"{PATH}/{{name}}/on", self._on, "Give a driver new events again", _ON, body_of()),
            (
                f"{PATH}/{{name}}/weights",
                self._weigh,
                "Set which part of 100 of the new events versions get; none gives them back to the manifests",
                _WEIGHTS,
                body_of(weights=_WEIGHTS),
            ),
        ):
            app.add_api_route(
                path, handler, methods=["POST"], response_class=Response, summary=summary,
                responses={200: contract.answer("What counts now", answer), **refusals}, openapi_extra=body,
            )  # fmt: skip

    async def _list(self) -> Response:
        switches, drivers = await self._switching.listed(), list[dict[str, Any]]()
        unwell = await self._health.known()
        for driver, leading in self._registry.manifests.items():
            versions = self._registry.versions.get(driver, (leading,))
            shares = shares_of(versions, switches)
            drivers += [
                {
                    "id": driver,
                    "kind": each.kind,
                    "version": each.version,
                    "form": each.form,
                    "isolation": each.isolation,
                    "capabilities": list(each.capabilities),
                    "off": switches.get("off", {}).get(driver),
                    "share": shares[each.version],
                    "unhealthy": _said(unwell.get(f"{driver}@{each.version}" if len(versions) > 1 else driver)),
                }
                for each in versions
            ]
        return json_of({"drivers": drivers})

    async def _off(self, name: str, request: Request) -> Response:
        said = await read_act(request, self._room, ("reason",))
        try:
            return json_of(dict(await self._switching.off(name, self._who, reason=said.get("reason", ""))))
        except UnknownDriverError as error:
            raise _missing(error) from None

    async def _on(self, name: str, request: Request) -> Response:
        await read_act(request, self._room, ())
        try:
            await self._switching.on(name, self._who)
        except NotFoundError as error:
            raise not_found(error) from None
        return json_of({"off": None})

    async def _weigh(self, name: str, request: Request) -> Response:
        said = await read_act(request, self._room, (), ("weights",))
        weights = said.get("weights")
        if not isinstance(weights, dict):
            problem = Problem(
                status=400,
                code=RefusedError.code,
                detail="weights is no object",
                hint='Send {"weights": {"2": 10}}; {} gives them back to the manifests',
            )
            raise RefusedError(problem)
        try:
            return json_of(dict(await self._switching.weigh(name, weights, self._who)))
        except UnknownDriverError as error:
            raise _missing(error) from None


def _said(unwell: UnwellDoc | None) -> dict[str, Any] | None:
    return None if unwell is None else {"reason": unwell["reason"], "since": unwell["since"]}


def _missing(error: VextirError) -> RefusedError:
    return RefusedError(Problem(status=404, code=error.code, detail=error.what, hint=error.hint))
