"""Measures an event over HTTP, one at a time: from the request on a real socket to its durable result.

    python benchmarks/over_http.py --lat 500 --data EMPTY_DIR

Server, workers and client share one process and one event loop, so the client's time is in the numbers. One connection
is kept; requests are written and answers read by hand, since a client library would cost more than what is measured.
Prints as its last line one JSON object. Every result is read back from the store and compared.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.job import latency, payload, result
from vextir_os import Context, Event, __version__, driver
from vextir_os.api.app import build_app
from vextir_os.api.serve import Address, serve
from vextir_os.bootstrap import open_kernel
from vextir_os.kernel import Kernel
from vextir_os.local.loop import run
from vextir_os.local.runner import Runner
from vextir_os.local.watch import Watch
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.registry.registry import Registry
from vextir_os.runs import reading
from vextir_os.settings import Settings

_KEY = "0123456789abcdef" * 4
_WARM = 50


@driver("bench.work", capabilities=["bench.in"], delivery="idempotent")
async def work(event: Event, ctx: Context) -> dict[str, Any]:
    """Do the job."""
    return result(event.data)


class _Client:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = (
            f"POST /v1/events HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {_KEY}\r\nContent-Type: application/json\r\n"
        )

    async def publish(self, event: dict[str, Any]) -> None:
        """Send one event and read the answer, which must be 202."""
        body = json.dumps(event).encode()
        self._writer.write(f"{self._head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        answer = await self._reader.readexactly(length)
        if " 202 " not in head.partition("\r\n")[0]:
            raise RuntimeError(answer.decode())


@asynccontextmanager
async def _connected(address: Address) -> AsyncIterator[_Client]:
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        yield _Client(reader, writer, f"{address.host}:{address.port}")
    finally:
        writer.close()
        await writer.wait_closed()


async def _times(client: _Client, watch: Watch, count: int, prefix: str) -> list[float]:
    found = []
    for number in range(count):
        event = {"type": "bench.in", "id": f"{prefix}{number}", "data": payload(number)}
        watch.expect(f"{prefix}{number}")
        began = time.perf_counter()
        await client.publish(event)
        await watch.idle()
        found.append(time.perf_counter() - began)
    return sorted(found)


async def _verified(kernel: Kernel, prefix: str, count: int) -> bool:
    for number in range(count):
        record = await reading.find(kernel.store, kernel.settings.tenant, f"{prefix}{number}")
        finished = None if record is None else record["runs"]["bench.work"]
        if finished is None or finished["state"] != "done" or finished["output"] != result(payload(number)):
            return False
    return True


async def measure(data: Path, *, lat: int) -> dict[str, Any]:
    """Return the numbers."""
    policy = PolicyEngine(
        Bundle(policies=(Policy(id="bench", effect="allow", match=Match(action=("publish:**", "process:**"))),))
    )
    watch = Watch()
    async with open_kernel(Settings(root=data, data_dir=data), registry=Registry.of(work), policy=policy) as kernel:
        kernel.observers.add(watch)
        app = build_app(kernel, key=_KEY)
        async with Runner(kernel), serve(app, host="127.0.0.1", port=0) as address, _connected(address) as client:
            await _times(client, watch, _WARM, "w")
            times = await _times(client, watch, lat, "l")
        right = await _verified(kernel, "l", lat)
    return {
        "ok": right,
        "peer": "vextir over HTTP",
        "version": __version__,
        "durability": "sqlite WAL, synchronous=FULL, group commit",
        "latency": latency(times),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lat", type=int, default=500)
    parser.add_argument("--data", type=Path, required=True)
    given = parser.parse_args()
    print(json.dumps(run(measure(given.data, lat=given.lat))))


if __name__ == "__main__":
    main()
