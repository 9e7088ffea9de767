"""What holds for every test: Python's sockets reach this machine only, hypothesis has no deadline, a soak is longer.

How many processes work off the suite stands here as well.
"""

import ipaddress
import os
import socket
import sys
from typing import Any

from hypothesis import settings

SOAK = os.environ.get("VEXTIR_SOAK") == "1"

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("soak", settings.get_profile("default"), max_examples=3_000)
settings.load_profile("soak" if SOAK else "default")


def pytest_xdist_auto_num_workers() -> int:
    """Half as many processes again as there are cores: much of the suite waits for processes that it has started."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def _is_here(host: object) -> bool:
    """Whether a host is this machine: loopback by number or by name, or no host at all."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or host in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse_the_network(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook (PEP 578): a test that would reach another host fails at once, and says which."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in {"socket.connect", "socket.sendto"} and getattr(arguments[0], "family", None) in _INTERNET:
        host = arguments[1][0]
    else:
        return
    if not _is_here(host):
        raise PermissionError(f"a test reached for {host!r}. Tests stay on this machine: serve it on 127.0.0.1")


_INTERNET = {socket.AF_INET, socket.AF_INET6}
sys.addaudithook(_refuse_the_network)
