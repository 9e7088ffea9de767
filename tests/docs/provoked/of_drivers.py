"""Codes of drivers: 4xx."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.provoked.seen import Provocation, Seen, raised, recorded, reported
from tests.support.drivers import simple_driver, write_driver
from tests.support.harness import an_os
from tests.support.isolated import RETRY_NONE, a_driver, an_os_of
from vextir_os import Event, ForbiddenError, InvalidError, Result, Retry, ThrottledError, TransientError, driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.isolation.threads import STUCK
from vextir_os.net.client import request
from vextir_os.registry.discover import discover
from vextir_os.registry.index import build_index, load_index, write_index
from vextir_os.registry.packs import homes_of
from vextir_os.registry.registry import Registry

ONCE = Retry(max_attempts=1)
AGENT = """\
---
name: Triage
description: Sort mail.
trigger:
  type: http_trigger
  args:
    route: triage
---
Sort it.
"""


async def bug(folder: Path) -> Seen:
    @driver("shop.till", capabilities=["order.placed"], retry=ONCE)
    async def till(event: Event) -> float:
        return 1 / 0

    return await recorded(folder, till)


async def manifest(folder: Path) -> Seen:
    write_driver(folder, "mail", simple_driver("mail.reader", "mail.*", options=", kind='tol'"))
    return await reported(lambda: discover(folder))


async def manifest_problems(folder: Path) -> Seen:
    write_driver(folder, "mail", simple_driver("mail.reader", "mail.*", options=", kind='tol'"))
    return await raised(lambda: discover(folder))


async def stale_index(folder: Path) -> Seen:
    write_driver(folder, "mail", simple_driver("mail.reader", "mail.*"))
    return await raised(lambda: load_index(folder))


async def time_out(folder: Path) -> Seen:
    @driver("shop.till", capabilities=["order.placed"], retry=ONCE, timeout="10ms")
    async def till(event: Event) -> None:
        await asyncio.Event().wait()

    return await recorded(folder, till)


async def silence(folder: Path) -> Seen:
    @driver("shop.till", capabilities=["order.placed"], retry=ONCE, heartbeat="20ms")
    async def till(event: Event) -> None:
        await asyncio.Event().wait()

    return await recorded(folder, till)


@dataclass
class Order:
    item: str
    count: int


async def payload(folder: Path) -> Seen:
    @driver("shop.till", capabilities=["order.placed"])
    async def till(event: Event, data: Order) -> None: ...

    return await recorded(folder, till, data={"item": "tea", "count": "many"})


async def output(folder: Path) -> Seen:
    @driver("shop.till", capabilities=["order.placed"], retry=ONCE)
    async def till(event: Event) -> object:
        return object()

    return await recorded(folder, till)


async def not_permitted(folder: Path) -> Seen:
    @driver("shop.till", capabilities=["order.placed"])
    async def till(event: Event) -> Result:
        return Result(events=[Event(type="order.paid")])

    return await recorded(folder, till)


async def unknown_driver(_folder: Path) -> Seen:
    registry = Registry([Manifest(id="mail.reader", kind="tool", capabilities=("mail.*",))])
    return await raised(lambda: registry.get("mail.raeder"))


async def failing_import(folder: Path) -> Seen:
    source = simple_driver("mail.reader", "mail.*")
    write_driver(folder, "mail", source)
    write_index(folder, build_index(folder))
    write_driver(folder, "mail", source + "import httpz\n")
    registry = Registry.open(folder)
    from vextir_os.registry.modules import forget_modules

    forget_modules(folder)
    return await raised(lambda: registry.load(registry.get("mail.reader")))


async def _raising(folder: Path, error: Exception) -> Seen:
    @driver("shop.till", capabilities=["order.placed"], retry=ONCE)
    async def till(event: Event) -> None:
        raise error

    return await recorded(folder, till)


async def transient(folder: Path) -> Seen:
    return await _raising(folder, TransientError("the till answers 503"))


async def throttled(folder: Path) -> Seen:
    return await _raising(folder, ThrottledError("the till answers 429", retry_after_s=30))


async def invalid(folder: Path) -> Seen:
    return await _raising(folder, InvalidError("there is no customer c-7"))


async def forbidden(folder: Path) -> Seen:
    return await _raising(folder, ForbiddenError("the till answers 403"))


async def agent(folder: Path) -> Seen:
    (folder / "agents").mkdir()
    (folder / "agents" / "triage.agent.md").write_text(AGENT, encoding="utf-8")
    registry = Registry(discover(folder), root=folder)
    return await raised(lambda: registry.load(registry.get("triage")))


async def start(folder: Path) -> Seen:
    @driver("shop.till", capabilities=["order.placed"], retry=ONCE)
    class Till:
        async def start(self) -> None:
            raise RuntimeError("the drawer is stuck")

        async def handle(self, event: Event) -> None: ...

    return await recorded(folder, Till)


async def _in_a_process(folder: Path, body: str, options: str = "") -> Seen:
    a_driver(folder, body, name="till", options=options + RETRY_NONE)
    async with an_os_of(folder) as os:
        error = (await os.event("till.wanted"))["runs"]["till"]["error"]
    return Seen(error["code"], error["message"])


async def limit(folder: Path) -> Seen:
    return await _in_a_process(folder, "return len(bytearray(900_000_000))", ', memory="300MB"')


async def crash(folder: Path) -> Seen:
    return await _in_a_process(folder, "import os\nos._exit(3)")


async def refused(folder: Path) -> Seen:
    return await _in_a_process(folder, "return open('/etc/passwd').read()")


async def refused_import(folder: Path) -> Seen:
    return await _in_a_process(folder, "import ctypes")


async def stuck(folder: Path) -> Seen:
    let_go = threading.Event()

    @driver("shop.till", capabilities=["order.placed"], retry=ONCE, isolation="thread", timeout="20ms")
    def till(event: Event) -> None:
        let_go.wait(60)

    async with an_os(folder, till) as os:
        records = [await os.event("order.placed", event_id=f"e-{number}") for number in range(STUCK + 1)]
        let_go.set()
    error = records[-1]["runs"]["shop.till"]["error"]
    return Seen(error["code"], error["message"])


async def refused_address(_folder: Path) -> Seen:
    return await raised(lambda: request("GET", "http://api.example.com/", resolve=_inside))


@contextlib.asynccontextmanager
async def _a_host(answer: bytes) -> AsyncIterator[str]:
    """Serve one answer on this machine; yield the host."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.CancelledError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def outside(_folder: Path) -> Seen:
    async with _a_host(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as host:
        headers = {"X-Customer": "Ann\nEve"}
        return await raised(lambda: request("GET", f"http://{host}/", headers=headers, allowed=[host]))


async def answer(_folder: Path) -> Seen:
    async with _a_host(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 0\r\n\r\n") as host:
        return await raised(lambda: request("GET", f"http://{host}/", allowed=[host]))


async def _inside(_host: str, _port: int) -> list[str]:
    return ["169.254.169.254"]


async def _nowhere(_host: str, _port: int) -> list[str]:
    return []


async def unreachable(_folder: Path) -> Seen:
    return await raised(lambda: request("GET", "https://api.example.com/", resolve=_nowhere))


async def pack(_folder: Path) -> Seen:
    return await raised(lambda: homes_of(["acme-drivrs"]))


OF_DRIVERS: Mapping[str, Provocation] = {
    "VX400": bug,
    "VX401": manifest,
    "VX402": manifest_problems,
    "VX403": stale_index,
    "VX404": time_out,
    "VX405": payload,
    "VX406": output,
    "VX407": not_permitted,
    "VX408": unknown_driver,
    "VX409": failing_import,
    "VX410": transient,
    "VX411": throttled,
    "VX412": invalid,
    "VX413": forbidden,
    "VX420": agent,
    "VX421": start,
    "VX422": pack,
    "VX423": silence,
    "VX430": limit,
    "VX431": crash,
    "VX432": stuck,
    "VX433": refused,
    "VX434": refused_import,
    "VX440": outside,
    "VX441": refused_address,
    "VX442": unreachable,
    "VX443": answer,
}
