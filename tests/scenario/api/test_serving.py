"""The server itself: where it listens, who may reach it, how it stops; and what it answers when the store cannot."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.scenario.api.serving import JSON, KEY, a_server, answer, problem
from tests.support.harness import an_os
from vextir_os import bootstrap
from vextir_os.adapters.sqlite.storage import open_storage
from vextir_os.api.app import build_app
from vextir_os.api.serve import Address, serve
from vextir_os.api.wire import GuardedProtocol
from vextir_os.errors import SettingsError

LATER = b'{"type": "said.a"}'


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


async def test_port_0_is_any_free_one_and_the_address_says_which(tmp_path: Path) -> None:
    async with a_server(tmp_path) as one, a_server(tmp_path / "two") as two:
        assert one.address.port != two.address.port
        assert one.address.url == f"http://127.0.0.1:{one.address.port}"


def test_the_url_of_an_ipv6_address_has_brackets() -> None:
    assert Address(host="::1", port=80).url == "http://[::1]:80"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
async def test_it_listens_on_every_name_of_this_machine(tmp_path: Path, host: str) -> None:
    if host == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    async with an_os(tmp_path, working=False) as os:
        app = build_app(os.kernel, key=KEY)
        async with serve(app, host=host, port=0) as address, httpx2.AsyncClient() as client:
            assert (await client.get(f"{address.url}/v1/health")).status_code == 200


async def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        port = served.address.port
        with pytest.raises(SettingsError) as caught:
            await serve(build_app(served.os.kernel, key=KEY), host="127.0.0.1", port=port).__aenter__()
        assert str(caught.value) == (
            f"VEXTIR_PORT: port {port} on 127.0.0.1 is in use. "
            "Stop what runs there, or set VEXTIR_PORT to another port, 0 for any free one"
        )


async def test_a_port_is_free_again_at_once(tmp_path: Path) -> None:
    async with an_os(tmp_path, working=False) as os:
        app = build_app(os.kernel, key=KEY)
        port = 0
        for _ in range(3):
            async with serve(app, host="127.0.0.1", port=port) as address, httpx2.AsyncClient() as client:
                port = address.port
                assert (await client.get(f"{address.url}/v1/health")).status_code == 200


@pytest.mark.parametrize(
    ("host", "public", "development", "message"),
    [
        pytest.param(
            "0.0.0.0",  # noqa: S104 - it is refused
            False,
            False,
            "VEXTIR_HOST: host 0.0.0.0 can be reached by other machines. "
            "Use 127.0.0.1, or serve with --public if they shall",
            id="every-address",
        ),
        pytest.param("::", False, False, "VEXTIR_HOST: host :: can be reached", id="every-ipv6-address"),
        pytest.param("192.0.2.1", False, False, "VEXTIR_HOST: host 192.0.2.1 can be", id="another-address"),
        pytest.param("", False, False, "VEXTIR_HOST: host `` is neither an IP address nor localhost", id="empty"),
        pytest.param("example.com", True, False, "VEXTIR_HOST: host `example.com` is neither", id="name"),
        pytest.param("2130706433", False, False, "VEXTIR_HOST: host `2130706433` is neither", id="number"),
        pytest.param(
            "127.0.0.1",
            True,
            True,
            "policies: the policies are for development, and with --public other machines would be served under them. "
            "Write policies without `development: true`, or leave --public out",
            id="public-development",
        ),
        pytest.param("192.0.2.1", True, False, "VEXTIR_HOST: 192.0.2.1 cannot be served: ", id="not-ours"),
    ],
)
async def test_what_other_machines_reach_is_bound_only_when_that_is_wanted_and_safe(
    host: str, public: bool, development: bool, message: str
) -> None:
    async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError

    with pytest.raises(SettingsError) as caught:
        await serve(nothing, host=host, port=0, public=public, development=development).__aenter__()
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", ["", "short", "x" * 31, "x" * 40 + " ", "x" * 40 + "\n", "ü" * 40])
async def test_a_key_that_is_none_is_refused_at_the_start(tmp_path: Path, key: str) -> None:
    async with an_os(tmp_path, working=False) as os:
        with pytest.raises(SettingsError, match="the API key is not at least 32 visible ASCII characters"):
            build_app(os.kernel, key=key)


@pytest.mark.parametrize("host", ["*", "*.example.com", "http://example.com", "example.com:80", "", "a b", "a/b"])
async def test_a_host_name_that_is_none_is_refused_at_the_start(tmp_path: Path, host: str) -> None:
    async with an_os(tmp_path, working=False) as os:
        with pytest.raises(SettingsError, match="is no host name"):
            build_app(os.kernel, key=KEY, hosts=[host])


async def test_it_changes_neither_signals_nor_logging(tmp_path: Path) -> None:
    names = ("uvicorn", "uvicorn.error", "uvicorn.access")
    signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    loggers = [(logging.getLogger(name).level, logging.getLogger(name).handlers[:]) for name in names]
    async with a_server(tmp_path):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == signals
        assert [(logging.getLogger(name).level, logging.getLogger(name).handlers) for name in names] == loggers


async def test_stopping_closes_idle_connections_and_takes_no_new_ones(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        served = await stack.enter_async_context(a_server(tmp_path, grace_s=60))
        reader, writer = await asyncio.open_connection(served.address.host, served.address.port)
        writer.write(served.head("GET /v1/health", Connection=""))
        assert b"200" in await reader.readline()
        await reader.readuntil(b'"0.1.0"}')
        await stack.aclose()
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(served.address.host, served.address.port)


async def test_stopping_lets_a_request_at_work_end(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        served = await stack.enter_async_context(a_server(tmp_path, grace_s=60))
        reader, writer = await asyncio.open_connection(served.address.host, served.address.port)
        writer.write(served.head(Content_Length=str(len(LATER)), Expect="100-continue"))
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        stopping = asyncio.create_task(stack.aclose())
        await asyncio.sleep(0)
        writer.write(LATER)
        raw = await reader.read()
        assert b"HTTP/1.1 202 " in raw
        await stopping
        writer.close()


async def test_stopping_does_not_wait_for_a_request_that_never_ends(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        served = await stack.enter_async_context(a_server(tmp_path, grace_s=0.02))
        reader, writer = await asyncio.open_connection(served.address.host, served.address.port)
        writer.write(served.head(Content_Length="100", Expect="100-continue"))
        assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        await stack.aclose()
        assert b"202" not in await reader.read()
        writer.close()


async def test_a_connection_between_two_requests_is_not_hurried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_server(tmp_path) as served:
        reader, writer = await asyncio.open_connection(served.address.host, served.address.port)
        for _ in range(3):
            writer.write(served.head("GET /v1/health", Connection=""))
            assert b"200" in await reader.readline()
            await reader.readuntil(b'"0.1.0"}')
            monkeypatch.setattr(GuardedProtocol, "head_s", 0.01)
            await asyncio.sleep(0.02)
        writer.close()


async def test_a_store_that_is_full_is_a_503_and_what_was_accepted_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accepted = 0
    with monkeypatch.context() as patched:
        patched.setattr(bootstrap, "open_storage", partial(open_storage, max_pages=200))
        async with a_server(tmp_path) as served:
            last = None
            while last is None or last.status_code == 202:
                assert accepted < 100
                last = await served.client.post("/v1/events", json={"type": "said.a", "data": "x" * 60_000})
                accepted += last.status_code == 202
            found = problem(last, 503)
            assert (found["code"], found["detail"]) == ("VX506", "the store is full; nothing was accepted")
            assert last.headers["retry-after"] == "30"
            assert str(tmp_path) not in last.text
            assert (await served.client.get("/v1/health")).status_code == 200
    async with a_server(tmp_path) as served:
        assert accepted > 0
        assert len(await served.os.kernel.queue.receive(100, 0)) == accepted


async def test_a_store_that_does_not_answer_is_a_503_and_health_says_so(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        os = await stack.enter_async_context(an_os(tmp_path, working=False))
        app = build_app(os.kernel, key=KEY)
        await stack.aclose()
        async with (
            serve(app, host="127.0.0.1", port=0) as address,
            httpx2.AsyncClient(base_url=address.url, headers={"X-API-Key": KEY}) as client,
        ):
            health = await client.get("/v1/health")
            assert (health.status_code, health.json()["status"]) == (503, "unavailable")
            for refused in (await client.post("/v1/events", json={"type": "said.a"}), await client.get("/v1/events/x")):
                assert problem(refused, 503)["code"] == "VX504"
                assert refused.headers["retry-after"] == "5"
                assert str(tmp_path) not in refused.text


async def test_an_error_of_our_own_is_a_500_that_tells_nothing_and_a_log_that_tells_all(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_server(tmp_path) as served:
        await served.os.kernel.store.create(
            "events", {"id": "local~1", "pk": "local~1", "event_id": "odd", "secret": str(tmp_path)}
        )
        refused = await served.client.get("/v1/events/odd")
        found = problem(refused, 500)
        assert found["detail"] == "the request failed inside the OS"
        assert "KeyError" not in refused.text
        assert str(tmp_path) not in refused.text
        assert refused.headers["x-content-type-options"] == "nosniff"
        (logged,) = [record for record in caplog.records if record.name == "vextir.api"]
        assert logged.getMessage() == "GET '/v1/events/odd' failed"
        assert logged.exc_info is not None
        assert KEY not in caplog.text


async def test_an_event_whose_blob_is_gone_is_still_shown(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        body = {"type": "said.a", "id": "e-1", "data": "x" * 100_000}
        assert (await served.client.post("/v1/events", json=body)).status_code == 202
        await served.work_off()
        record = await served.os.record("e-1")
        await served.os.kernel.blobs.delete_all(record["id"])
        shown = (await served.client.get("/v1/events/e-1")).json()
        assert shown["event"]["dataref"].startswith("vextir-blob:")
        assert shown["runs"]["hear"]["output"] is None


async def test_without_httptools_it_serves_on_h11(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vextir_os.api.wire", None)
    async with a_server(tmp_path) as served:
        assert (await served.client.post("/v1/events", content=LATER, headers=JSON)).status_code == 202
        assert answer(await served.raw(b"NO HTTP\r\n\r\n"))[0] == 400
        with contextlib.suppress(ConnectionError):
            assert answer(await served.raw(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000))[0] in {400, 431}
