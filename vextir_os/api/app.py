"""The ASGI app: the routes of `/v1` over a kernel, behind the guard. Imports the web framework, so import it late."""

import asyncio
from collections.abc import Iterable
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

import vextir_os
from vextir_os.api import contract
from vextir_os.api.access import door
from vextir_os.api.acts import ActRoutes
from vextir_os.api.answers import add_get, json_of
from vextir_os.api.asyncapi import ASYNCAPI, AsyncApi
from vextir_os.api.bodies import Limits
from vextir_os.api.drivers import PATH as DRIVERS
from vextir_os.api.drivers import DriverRoutes
from vextir_os.api.guard import HEALTH, Guard, response_of
from vextir_os.api.intake import HttpIntake
from vextir_os.api.lists import ListRoutes
from vextir_os.api.metrics import METRICS, Metrics
from vextir_os.api.pauses import PATH as PAUSES
from vextir_os.api.pauses import PauseRoutes
from vextir_os.api.problem import Problem, RefusedError, problem_of
from vextir_os.api.views import event_view
from vextir_os.errors import NotFoundError, StoreError, VextirError, did_you_mean, shown
from vextir_os.kernel import Kernel
from vextir_os.runs.record import EVENTS

_HEALTH_S = 2.0


def build_app(kernel: Kernel, *, key: str, hosts: Iterable[str] = (), limits: Limits | None = None) -> ASGIApp:
    """Return the app.

    Args:
        kernel: The OS behind it; stays open as long as the app serves.
        key: Who has it acts as the user of the settings. At least 32 characters.
        hosts: Names under which the OS is reached, beside those of this machine.
        limits: What requests may cost.

    Raises:
        SettingsError: The key is too short, or a host is no host name.
    """
    app = FastAPI(
        title="Vextir OS",
        version=vextir_os.__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _unrouted, VextirError: _problem, Exception: _problem},
    )
    hosts = tuple(hosts)
    _Routes(kernel, limits or Limits()).add_to(app)
    ActRoutes(kernel).add_to(app)
    ListRoutes(kernel).add_to(app)
    PauseRoutes(kernel).add_to(app)
    DriverRoutes(kernel).add_to(app)
    # Served to other machines, or by a proxy for them, who asks from here may stand for anybody.
    open_here = {METRICS} if kernel.settings.metrics == "open" and not hosts else set[str]()
    return Guard(app, door(key, hosts), kernel.clock, open_here=open_here)


class _Routes:
    """The handlers, over one kernel."""

    def __init__(self, kernel: Kernel, limits: Limits) -> None:
        self._kernel = kernel
        self._intake = HttpIntake(kernel, limits)
        self._metrics = Metrics(kernel)
        self._asyncapi = AsyncApi(kernel)

    def add_to(self, app: FastAPI) -> None:
        """Add all routes."""
        app.add_api_route(
            "/v1/events",
            self._publish,
            methods=["POST"],
            status_code=202,
            response_class=Response,
            summary="Publish events: one, an array, or CloudEvents in any mode",
            responses={
                202: contract.answer("Accepted: durable on the queue", contract.ACCEPTED),
                **contract.problems(400, 401, 403, 408, 413, 415, 422, 429, 503),
            },
            openapi_extra=contract.PUBLISH,
        )
        add_get(
            app,
            "/v1/events/{event_id:path}",
            self._event,
            "Read what became of an event",
            {200: contract.answer("The record", contract.RECORD), **contract.problems(401, 404, 503)},
        )
        add_get(
            app,
            HEALTH,
            self._health,
            "Ask whether the OS works; needs no key",
            {
                200: contract.answer("It works", contract.HEALTH),
                503: contract.answer("The store does not answer", contract.HEALTH),
            },
        )
        add_get(
            app,
            METRICS,
            self._metrics.answer,
            "Read the metrics of this process and its storage, as Prometheus does",
            {200: contract.answer("The metrics", contract.METRICS, "text/plain"), **contract.problems(401)},
        )
        add_get(app, "/v1/openapi.json", self._contract, "Read this document", {**contract.problems(401)})
        described = {200: contract.answer("The document", {"type": "object"}), **contract.problems(401)}
        add_get(app, ASYNCAPI, self._asyncapi.answer, "Read which events there are, as AsyncAPI 3.0", described)

    async def _publish(self, request: Request) -> Response:
        accepted = await self._intake.accept(request)
        headers = {"Location": f"/v1/events/{quote(accepted[0].id, safe='')}"} if len(accepted) == 1 else {}
        return json_of({"events": [{"id": event.id, "type": event.type} for event in accepted]}, 202, headers)

    async def _event(self, event_id: str) -> Response:
        found = await event_view(self._kernel, event_id)
        if found is None:
            raise RefusedError(
                Problem(
                    status=404,
                    code=NotFoundError.code,
                    detail=f"no record of event {shown(event_id)}",
                    hint="An event that was accepted has its record as soon as a worker takes it from the queue",
                )
            )
        return json_of(found)

    async def _health(self) -> Response:
        works = await _answers(self._kernel)
        status = "ok" if works else "unavailable"
        return json_of({"status": status, "version": vextir_os.__version__}, 200 if works else 503)

    async def _contract(self, request: Request) -> Response:
        app: FastAPI = request.app
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        document["components"] = {"securitySchemes": contract.SECURITY_SCHEMES}
        document["security"] = [{name: []} for name in contract.SECURITY_SCHEMES]
        document["paths"][HEALTH]["get"]["security"] = []
        return json_of(document)


async def _answers(kernel: Kernel) -> bool:
    """Whether the store answers within two seconds."""
    try:
        async with asyncio.timeout(_HEALTH_S):
            await kernel.store.read(EVENTS, "health", "health")
    except NotFoundError:
        return True
    except (StoreError, TimeoutError):
        return False
    return True


async def _problem(_request: Request, error: Exception) -> Response:
    return response_of(problem_of(error))


async def _unrouted(request: Request, error: Exception) -> Response:
    # Only the router raises these: no handler here does.
    path = request.url.path
    if isinstance(error, HTTPException) and error.status_code == 405:
        allowed = _methods(request)
        return response_of(
            Problem(
                status=405,
                code=RefusedError.code,
                detail=f"{request.method} is not allowed on {shown(path)}",
                hint=f"It takes {', '.join(allowed)}",
                headers={"Allow": ", ".join(allowed)},
            )
        )
    known = ["/v1/events", "/v1/dead", "/v1/runs", PAUSES, DRIVERS, HEALTH, METRICS, "/v1/openapi.json"]
    hint = did_you_mean(path, known) or "Read /v1/openapi.json"
    return response_of(Problem(status=404, code=RefusedError.code, detail=f"there is no {shown(path)}", hint=hint))


def _methods(request: Request) -> list[str]:
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return sorted({method for route in matching for method in route.methods or ()})
