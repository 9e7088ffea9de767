"""The real server on a real socket of this machine, a client with the key, and raw sockets for what no client sends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from tests.support.harness import Harness, an_os
from vextir_os.api.app import build_app
from vextir_os.api.bodies import Limits
from vextir_os.api.serve import Address, serve
from vextir_os.driverkit.context import Context
from vextir_os.driverkit.decorator import driver
from vextir_os.events.event import Event

KEY = "0123456789abcdef" * 4
JSON = {"Content-Type": "application/json"}


@driver("hear", capabilities=["said.**"])
async def hear(event: Event, ctx: Context) -> dict[str, Any]:
    return {"heard": event.data}


@dataclass(frozen=True, kw_only=True)
class Served:
    """An OS that is served, and what tests ask of it."""

    os: Harness
    client: httpx2.AsyncClient
    address: Address

    async def work_off(self) -> None:
        """Process what waits on the queue, and what comes of it, to its end."""
        queue, processor = self.os.kernel.queue, self.os.kernel.processor
        while deliveries := await queue.receive(64, 0):
            for delivery in deliveries:
                if await processor.process(delivery) == "complete":
                    await queue.complete(delivery.token)

    async def raw(self, *parts: bytes, end: bool = False) -> bytes:
        """Send bytes over a connection of its own and return all that comes until the server closes it.

        Args:
            parts: Each is sent by itself.
            end: Whether to say that nothing more comes.
        """
        reader, writer = await asyncio.open_connection(self.address.host, self.address.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            if end:
                writer.write_eof()
            return await reader.read()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def head(self, line: str = "POST /v1/events", **headers: str) -> bytes:
        """Return a request line and headers: Host, key, JSON and `Connection: close`, unless others are given."""
        given = {"Host": f"127.0.0.1:{self.address.port}", "X-API-Key": KEY, "Connection": "close", **JSON}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = [f"{line} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items() if value)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@contextlib.asynccontextmanager
async def a_server(
    folder: Path,
    *drivers: Callable[..., Any],
    limits: Limits | None = None,
    hosts: tuple[str, ...] = (),
    headers: Mapping[str, str] = {"X-API-Key": KEY},
    grace_s: float = 5.0,
    **given: Any,
) -> AsyncIterator[Served]:
    """Serve an OS on `folder/data`; no worker runs beside.

    Args:
        folder: Where the data goes.
        drivers: By default `hear`, which takes `said.**`.
        limits: What requests may cost.
        hosts: Further names of the server.
        headers: What the client sends with every request.
        grace_s: As of `serve`.
        given: Settings, `policies`.
    """
    async with an_os(folder, *(drivers or (hear,)), working=False, **given) as os:
        app = build_app(os.kernel, key=KEY, hosts=hosts, limits=limits)
        async with (
            serve(app, host="127.0.0.1", port=0, grace_s=grace_s) as address,
            httpx2.AsyncClient(base_url=address.url, headers=dict(headers), timeout=30) as client,
        ):
            yield Served(os=os, client=client, address=address)


def problem(response: httpx2.Response, status: int) -> Mapping[str, Any]:
    """Return the problem in a response, after a look at what every one has."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert found["type"] == "about:blank"
    assert found["title"]
    return found


def answer(raw: bytes) -> tuple[int, bytes]:
    """Return status and body of the first of the raw answers."""
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body
