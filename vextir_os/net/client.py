"""One call to another host: its name resolved once, the connection made to the address that was checked.

No proxy, no cookies, no credentials of the environment. A redirect of GET and HEAD is checked like a first call, at
most five times; to another host it takes no header along, and never from https to http. Everything has one limit of
time, and one of bytes, packed or not.
"""

import asyncio
import os
import socket
import time
import zlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vextir_os.errors import AddressRefusedError, AnswerError, OutsideError, UnreachableError
from vextir_os.events import jsonio
from vextir_os.net.addresses import check_addresses, plain

if TYPE_CHECKING:
    import ssl

    import httpx2

REDIRECTS = 5
"""Redirects of one call, at most."""

ANSWER_BYTES = 8_000_000
"""Bytes of an answer, packed or not, at most, if the caller does not say otherwise."""

TIMEOUT_S = 30.0
"""Seconds for a whole call, if the caller does not say otherwise."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From host and port to addresses."""

_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_RETRY_AFTER_S = 86_400.0 * 365


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a host answered.

    Attributes:
        status: 100 to 599.
        headers: By lower-case name.
        content: The body, unpacked.
        retry_after_s: Seconds after which it is worth asking again, where the host says so.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    retry_after_s: float | None = None

    def json(self) -> Any:
        """Return the body as strict JSON; None for an empty one. Raises `UndecodableError`."""
        return jsonio.loads_strict(self.content) if self.content.strip() else None


async def system_addresses(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the machine resolves it. Raises `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


async def request(
    method: str,
    url: str,
    *,
    params: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    allowed: Collection[str] = (),
    timeout_s: float = TIMEOUT_S,
    max_bytes: int = ANSWER_BYTES,
    resolve: Resolve = system_addresses,
) -> Answer:
    """Call another host and return its answer, whatever its status.

    Args:
        method: `GET`, `POST` and so on.
        url: An http or https address without user and password.
        params: Added to its query.
        headers: Sent to this host, and to no other that it may redirect to.
        content: The body.
        allowed: Hosts, `crm.local` or `crm.local:8080`, that the operator names: their addresses may be private.
        timeout_s: Seconds for all of it, redirects too.
        max_bytes: Size of the body, packed or not, at most.
        resolve: Where addresses of names come from.

    Raises:
        AddressRefusedError: The address may not be reached.
        UnreachableError: There was no answer in time.
        AnswerError: The answer is too large, packed in an unknown way, or redirected in a way that is not followed.
        OutsideError: A header cannot be sent.
    """
    import httpx2

    hop = _Hop(method=method.upper(), url=_url(url, params), headers={**(headers or {})}, content=content)
    host = urlsplit(hop.url).hostname or ""
    try:
        async with asyncio.timeout(timeout_s):
            for _ in range(REDIRECTS + 1):
                answer = await _send(hop, allowed, max_bytes, resolve)
                if answer.status not in _FOLLOWED or "location" not in answer.headers:
                    return answer
                hop = _next(hop, answer)
    except TimeoutError:
        raise UnreachableError(f"{host} did not answer within {timeout_s:g} s", hint="It is tried again") from None
    except httpx2.LocalProtocolError as error:
        raise OutsideError(f"the request to {host} cannot be sent: a header is none") from error
    except httpx2.TransportError as error:
        raise UnreachableError(f"{host} did not answer: {type(error).__name__}", hint="It is tried again") from error
    raise AnswerError(f"{host} redirects more than {REDIRECTS} times", hint="Give the address that it ends at")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hop:
    """One request of a call; its parts stand in no message."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


def _url(url: str, params: Sequence[tuple[str, str]]) -> str:
    import httpx2

    try:
        parsed = httpx2.URL(url)
        parsed = parsed.copy_merge_params(httpx2.QueryParams([*params])) if params else parsed
        well = parsed.scheme in ("http", "https") and bool(parsed.host) and not parsed.userinfo
        well = well and 0 < (parsed.port or 80) < 65_536
    except (httpx2.InvalidURL, ValueError, TypeError):
        well = False
    if not well:
        hint = "Write it as https://host/path, without user and password"
        raise AddressRefusedError("the address is no http or https address", hint=hint)
    return str(parsed)


async def _send(hop: _Hop, allowed: Collection[str], max_bytes: int, resolve: Resolve) -> Answer:
    import httpx2

    url = httpx2.URL(hop.url)
    port = url.port or (443 if url.scheme == "https" else 80)
    addresses = await _checked(url.host, port, allowed, resolve)
    headers = {
        "accept-encoding": "gzip, deflate",
        "user-agent": "vextir-os",
        **{k.lower(): v for k, v in hop.headers.items()},
    }
    headers["host"] = url.netloc.decode("ascii")
    async with httpx2.AsyncHTTPTransport(verify=_trust(), trust_env=False) as transport:
        for number, address in enumerate(addresses, 1):
            asked = httpx2.Request(
                hop.method,
                url.copy_with(host=address),
                headers=headers,
                content=hop.content or None,
                extensions={"sni_hostname": url.raw_host.decode("ascii"), "timeout": httpx2.Timeout(None).as_dict()},
            )
            try:
                response = await transport.handle_async_request(asked)
            except httpx2.ConnectError:
                if number == len(addresses):
                    raise
                continue
            return await _read(response, url.host, max_bytes)
    raise UnreachableError(f"{url.host} has no address", hint="Look at the name")


async def _checked(host: str, port: int, allowed: Collection[str], resolve: Resolve) -> Sequence[str]:
    identity = urlsplit(os.environ.get("IDENTITY_ENDPOINT", "")).hostname
    try:
        addresses = await resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(
            f"the name {host[:200]!r} is not known", hint="Look at it, and at the network"
        ) from error
    check_addresses(host, port, addresses, allowed, {plain(identity)} if identity else ())
    return addresses


async def _read(response: "httpx2.Response", host: str, max_bytes: int) -> Answer:
    too_large = AnswerError(f"{host} answers with more than {max_bytes} bytes", hint="Ask for less of it")
    packed = bytearray()
    try:
        async for chunk in response.aiter_raw():
            packed += chunk
            if len(packed) > max_bytes:
                raise too_large
    finally:
        await response.aclose()
    headers = {name.lower(): value for name, value in response.headers.items()}
    match headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            content = bytes(packed)
        case "gzip" | "x-gzip":
            content = _unpacked(bytes(packed), zlib.MAX_WBITS | 16, max_bytes, host)
        case "deflate":
            content = _unpacked(bytes(packed), zlib.MAX_WBITS, max_bytes, host)
        case other:
            raise AnswerError(f"{host} packs its answer as {other[:40]!r}", hint="gzip and deflate are read")
    if len(content) > max_bytes:
        raise too_large
    after = _retry_after_s(headers)
    return Answer(status=response.status_code, headers=headers, content=content, retry_after_s=after)


def _unpacked(packed: bytes, window: int, max_bytes: int, host: str) -> bytes:
    """Return unpacked bytes, one more than may be at most: a bomb never comes to be in memory."""
    try:
        return zlib.decompressobj(window).decompress(packed, max_bytes + 1) if packed else b""
    except zlib.error as error:
        raise AnswerError(f"{host} answers with broken packing: {error}") from error


def _next(hop: _Hop, answer: Answer) -> _Hop:
    import httpx2

    here = httpx2.URL(hop.url)
    if hop.method not in ("GET", "HEAD"):
        raise AnswerError(f"{here.host} redirects a {hop.method}", hint="Give the address that it ends at")
    try:
        there = here.join(answer.headers["location"])
    except (httpx2.InvalidURL, ValueError) as error:
        raise AnswerError(f"{here.host} redirects to what is no address") from error
    target = _url(str(there), ())
    if here.scheme == "https" and there.scheme != "https":
        raise AnswerError(f"{here.host} redirects from https to http", hint="Give the address that it ends at")
    same = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
    return _Hop(method=hop.method, url=target, headers=hop.headers if same else {}, content=b"")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit() and len(said) < 10:
        return float(said)
    try:
        at = parsedate_to_datetime(said).timestamp()
        # Its own clock against its own clock: ours may be another.
        now = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(0.0, at - now), _RETRY_AFTER_S)


@lru_cache(1)
def _trust() -> "ssl.SSLContext":
    """Return the certificates that are trusted: those that the HTTP client brings, whatever the environment says."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=False)
