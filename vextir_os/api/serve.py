"""Serving the app on a socket, inside the event loop that runs already: no signal handler, no logging set up.

Who may be reached from another machine is decided here, before anything is bound.
"""

import asyncio
import contextlib
import errno
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import ServerState

from vextir_os.errors import SettingsError, shown

GRACE_S = 5.0
"""Seconds that requests at work have to end when the server stops."""

_BACKLOG = 512
_KEEP_ALIVE_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server is reached; the port is the one that was bound."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """`http://127.0.0.1:8300`, `http://[::1]:8300`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def check_bind(host: str, *, public: bool, development: bool) -> None:
    """Refuse an address that other machines reach, unless that is wanted and safe. Pure.

    Args:
        host: An IP address, or `localhost`.
        public: Whether other machines may reach it.
        development: Whether the policies are those for one's own machine: `kernel.policy.bundle.development`.

    Raises:
        SettingsError: It may not be bound.
    """
    if public and development:
        raise SettingsError(
            "the policies are for development, and with --public other machines would be served under them",
            hint="Write policies without `development: true`, or leave --public out",
            where="policies",
        )
    if host == "localhost":
        return
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise SettingsError(
            f"host {shown(host)} is neither an IP address nor localhost", where="VEXTIR_HOST", hint="Use 127.0.0.1"
        ) from None
    if not address.is_loopback and not public:
        raise SettingsError(
            f"host {host} can be reached by other machines",
            where="VEXTIR_HOST",
            hint="Use 127.0.0.1, or serve with --public if they shall",
        )


@contextlib.asynccontextmanager
async def serve(
    app: ASGIApp, *, host: str, port: int, public: bool = False, development: bool = False, grace_s: float = GRACE_S
) -> AsyncIterator[Address]:
    """Serve an app until the block ends. Then nothing new is taken, requests at work end, idle connections are closed.

    Args:
        app: From `build_app`.
        host: An IP address, or `localhost`.
        port: 0 for any free one.
        public: Whether other machines may reach it.
        development: Whether the policies are for development: `kernel.policy.bundle.development`.
        grace_s: Seconds that requests at work have to end; after them they are cancelled.

    Raises:
        SettingsError: The address may not, or cannot, be bound.
    """
    check_bind(host, public=public, development=development)
    config = Config(
        app,
        http=_protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    config.load()
    state = ServerState()
    listener = _bind(host, port)
    try:
        server = await asyncio.get_running_loop().create_server(
            lambda: config.http_protocol_class(config=config, server_state=state, app_state={}),  # type: ignore[call-arg]
            sock=listener,
            backlog=_BACKLOG,
        )
    except BaseException:
        listener.close()
        raise
    bound = listener.getsockname()
    try:
        yield Address(host=bound[0], port=bound[1])
    finally:
        server.close()
        await _finish(state, grace_s)


async def _finish(state: ServerState, grace_s: float) -> None:
    for connection in list(state.connections):
        connection.shutdown()
    if state.tasks:
        _, late = await asyncio.wait(set(state.tasks), timeout=grace_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for connection in list(state.connections):
        connection.transport.close()


def _protocol() -> type[asyncio.Protocol] | str:
    try:
        from vextir_os.api.wire import GuardedProtocol
    except ImportError:  # httptools is not built for every platform
        return "h11"
    return GuardedProtocol


def _bind(host: str, port: int) -> socket.socket:
    # Not resolved: whatever a file of hosts says, `localhost` is this machine.
    where = "127.0.0.1" if host == "localhost" else host
    try:
        listener = socket.socket(socket.AF_INET6 if ":" in where else socket.AF_INET, socket.SOCK_STREAM)
    except OSError as error:
        raise _unbound(host, port, error) from error
    try:
        if sys.platform == "win32":
            # There SO_REUSEADDR would let another program take the port away.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listener.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((where, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise _unbound(host, port, error) from error
    return listener


def _unbound(host: str, port: int, error: OSError) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"port {port} on {host} is in use",
            where="VEXTIR_PORT",
            hint="Stop what runs there, or set VEXTIR_PORT to another port, 0 for any free one",
        )
    if error.errno == errno.EACCES:
        return SettingsError(
            f"port {port} on {host} may not be used by this user", where="VEXTIR_PORT", hint="Use a port over 1023"
        )
    return SettingsError(f"{host} cannot be served: {error.strerror}", where="VEXTIR_HOST", hint="Use 127.0.0.1")
