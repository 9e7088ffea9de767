"""Tests cannot reach other hosts: the guard of tests/conftest.py."""

import socket

import pytest


@pytest.mark.parametrize("host", ["example.com", "192.0.2.1", "2001:db8::1", "169.254.169.254"])
def test_another_host_is_refused_by_name_and_by_number(host: str) -> None:
    with pytest.raises(PermissionError, match=r"a test reached for .*serve it on 127\.0\.0\.1"):
        socket.create_connection((host, 80), timeout=1)


def test_a_socket_that_skips_the_name_lookup_is_refused() -> None:
    with socket.socket() as plain, pytest.raises(PermissionError, match=r"a test reached for '192\.0\.2\.1'"):
        plain.connect(("192.0.2.1", 80))


def test_this_machine_is_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
