"""A host outside: a server on this machine that answers with the very bytes of a test, and what it was asked."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Asked:
    """One request: its first line, its headers by lower-case name, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Outside:
    """The host: where it listens, what it was asked."""

    port: int
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address by a name that only `resolve` knows."""
        return f"http://api.test:{self.port}"

    @property
    def allowed(self) -> list[str]:
        """What an operator names to let it be reached."""
        return [f"api.test:{self.port}"]


def answer(status: str = "200 OK", body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> bytes:
    """Return an answer as bytes."""
    named = {"content-length": str(len(body)), **(headers or {})}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in named.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@contextlib.asynccontextmanager
async def outside(say: bytes | Callable[[Asked], bytes], tls: ssl.SSLContext | None = None) -> AsyncIterator[Outside]:
    """Serve; each request is answered with these bytes, or with what `say` returns, and its connection closed."""
    served: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            host.asked.append(Asked(line=head[0], headers=headers, body=body))
            writer.write(say if isinstance(say, bytes) else say(host.asked[-1]))
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.create_task(serve(reader, writer)))

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    host = Outside(port=server.sockets[0].getsockname()[1])
    async with server:
        yield host
    await asyncio.gather(*served)


async def resolve(host: str, port: int) -> list[str]:
    """Return this machine for every name."""
    return ["127.0.0.1"]
