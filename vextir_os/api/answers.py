"""Answers as every route gives them."""

from typing import Any

from starlette.responses import Response

from vextir_os.events import jsonio


def json_of(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a value as a JSON answer."""
    return Response(jsonio.dumps(value), status, headers, "application/json")
