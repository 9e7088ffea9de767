"""Answers as every route gives them, and routes that read."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from starlette.responses import Response

from vextir_os.events import jsonio


def json_of(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value as a JSON answer."""
    return Response(jsonio.dumps(value), status, headers, "application/json")


def add_get(
    app: FastAPI,
    path: str,
    handler: Any,
    summary: str,
    responses: dict[int | str, dict[str, Any]],
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Add a route for GET, and for HEAD."""
    app.add_api_route(
        path,
        handler,
        methods=["GET"],
        response_class=Response,
        summary=summary,
        responses=responses,
        openapi_extra=dict(extra or {}),
    )
    app.add_api_route(path, handler, methods=["HEAD"], include_in_schema=False)
