"""Who is let in: by Host, Origin and key, before anything else is told; and what every answer carries."""

from pathlib import Path
from typing import Any

import pytest

from tests.scenario.api.serving import JSON, KEY, a_server, answer, problem

EVENT = {"type": "said.a"}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Authorization": f"Bearer {KEY}"}, id="bearer"),
        pytest.param({"Authorization": f"bearer   {KEY}"}, id="lower-case-and-spaces"),
        pytest.param({"X-API-Key": KEY}, id="x-api-key"),
    ],
)
async def test_the_key_opens_in_either_header(tmp_path: Path, headers: dict[str, str]) -> None:
    async with a_server(tmp_path, headers=headers) as served:
        assert (await served.client.post("/v1/events", json=EVENT)).status_code == 202


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        pytest.param({}, "the request has no key", id="none"),
        pytest.param({"X-API-Key": ""}, "the key is wrong", id="empty"),
        pytest.param({"X-API-Key": KEY[:-1]}, "the key is wrong", id="one-short"),
        pytest.param({"X-API-Key": KEY + "0"}, "the key is wrong", id="one-long"),
        pytest.param({"X-API-Key": KEY.upper()}, "the key is wrong", id="upper-case"),
        pytest.param({"X-API-Key": "\u00fc" * 64}, "the key is wrong", id="no-ascii"),
        pytest.param({"Authorization": KEY}, "the key is wrong", id="no-scheme"),
        pytest.param({"Authorization": f"Basic {KEY}"}, "the key is wrong", id="basic"),
        pytest.param({"Authorization": f"Bearer {KEY}", "X-API-Key": KEY}, "more than one key", id="both"),
        pytest.param([("X-API-Key", KEY), ("X-API-Key", "x")], "more than one key", id="twice"),
        pytest.param({"Cookie": f"key={KEY}"}, "the request has no key", id="cookie"),
    ],
)
async def test_without_the_one_right_key_nobody_comes_in(tmp_path: Path, headers: Any, detail: str) -> None:
    given = headers.items() if isinstance(headers, dict) else headers
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given]
    async with a_server(tmp_path, headers={}) as served:
        found = problem(await served.client.post("/v1/events", json=EVENT, headers=raw), 401)
        assert detail in found["detail"]
        assert found["code"] == "VX902"
        assert await served.os.kernel.queue.receive(1, 0) == ()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/docs"),
        ("GET", f"/v1/events/x?key={KEY}"),
        ("GET", "/v1/health/"),
        ("GET", "//v1/health"),
        ("GET", "/v1/health%2f..%2fevents"),
        ("POST", "/v1/health"),
        ("DELETE", "/v1/events"),
        ("OPTIONS", "/v1/events"),
    ],
)
async def test_without_the_key_not_even_the_routes_are_told(tmp_path: Path, method: str, path: str) -> None:
    async with a_server(tmp_path, headers={}) as served:
        refused = await served.client.request(method, path)
        assert problem(refused, 401)["detail"] == "the request has no key"
        assert refused.headers["www-authenticate"] == 'Bearer realm="vextir"'


async def test_health_needs_no_key_and_says_status_and_version(tmp_path: Path) -> None:
    async with a_server(tmp_path, headers={}) as served:
        healthy = await served.client.get("/v1/health")
        assert (healthy.status_code, healthy.json()) == (200, {"status": "ok", "version": "0.1.0"})
        assert (await served.client.head("/v1/health")).status_code == 200


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:80"])
async def test_names_of_this_machine_are_answered_to_with_any_port(tmp_path: Path, host: str) -> None:
    async with a_server(tmp_path) as served:
        assert (await served.client.get("/v1/openapi.json", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8300",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "127.0.0.2",
        "127.1",
        "0.0.0.0",  # noqa: S104 - it is never bound
        "[::]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
    ],
)
@pytest.mark.parametrize("path", ["/v1/health", "/v1/openapi.json"])
async def test_other_names_are_not_answered_to_whatever_they_resolve_to(tmp_path: Path, host: str, path: str) -> None:
    async with a_server(tmp_path) as served:
        found = problem(await served.client.get(path, headers={"Host": host}), 421)
        assert found["detail"] == f"this server does not answer for host `{host.partition(':8300')[0]}`"


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost.",
        "localhost:",
        "localhost:x",
        "localhost:123456",
        "a@localhost",
        "localhost/x",
        "local host",
        "[::1",
        "::1",
    ],
)
async def test_a_host_that_is_none_is_refused(tmp_path: Path, host: str) -> None:
    async with a_server(tmp_path) as served:
        raw = await served.raw(
            served.head("GET /v1/openapi.json", Host="H").replace(b"Host: H", b"Host: " + host.encode())
        )
        code, body = answer(raw)
        assert code == 400
        assert b"the request has no single, well-formed Host header" in body


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"]])
async def test_a_request_has_exactly_one_host(tmp_path: Path, hosts: list[str]) -> None:
    async with a_server(tmp_path) as served:
        lines = "".join(f"Host: {host}\r\n" for host in hosts)
        raw = f"GET /v1/health HTTP/1.1\r\n{lines}Connection: close\r\n\r\n"
        assert answer(await served.raw(raw.encode()))[0] == 400


async def test_a_named_host_is_answered_to_beside_those_of_this_machine(tmp_path: Path) -> None:
    async with a_server(tmp_path, hosts=("Vextir.example.com",)) as served:
        for host in ("vextir.example.com", "VEXTIR.example.com:443", "localhost"):
            assert (await served.client.get("/v1/openapi.json", headers={"Host": host})).status_code == 200
        problem(await served.client.get("/v1/openapi.json", headers={"Host": "example.com"}), 421)


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "https://{host}:{port}",
        "http://{host}",
        "http://{host}:1",
        "http://localhost:{port}",
        "http://{host}:{port}/",
        "http://{host}:{port}@evil.example",
        "{host}:{port}",
        "file://",
    ],
)
@pytest.mark.parametrize("path", ["/v1/health", "/v1/openapi.json"])
async def test_pages_of_another_origin_are_refused(tmp_path: Path, origin: str, path: str) -> None:
    async with a_server(tmp_path) as served:
        given = origin.format(host=served.address.host, port=served.address.port)
        refused = await served.client.get(path, headers={"Origin": given})
        assert problem(refused, 403)["detail"] == "requests of pages from another origin are refused"
        assert not [name for name in refused.headers if name.startswith("access-control-")]


async def test_a_page_of_its_own_origin_is_let_in(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        own = {"Origin": served.address.url}
        assert (await served.client.post("/v1/events", json=EVENT, headers=own)).status_code == 202
        default = {"Origin": "http://localhost", "Host": "localhost:80"}
        assert (await served.client.get("/v1/openapi.json", headers=default)).status_code == 200


async def test_of_two_origins_both_must_be_its_own(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        both = [("Origin", served.address.url), ("Origin", "http://evil.example")]
        problem(await served.client.get("/v1/openapi.json", headers=both), 403)


async def test_a_preflight_is_granted_nothing(tmp_path: Path) -> None:
    async with a_server(tmp_path, headers={}) as served:
        asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
        refused = await served.client.options("/v1/events", headers=asked)
        problem(refused, 403)
        assert not [name for name in refused.headers if name.startswith("access-control-")]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/events", "POST"),
        ("HEAD", "/v1/events", "POST"),
        ("OPTIONS", "/v1/events", "POST"),
        ("PUT", "/v1/events", "POST"),
        ("POST", "/v1/events/x", "GET, HEAD"),
        ("DELETE", "/v1/health", "GET, HEAD"),
        ("TRACE", "/v1/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(tmp_path: Path, method: str, path: str, allowed: str) -> None:
    async with a_server(tmp_path) as served:
        refused = await served.client.request(method, path)
        assert refused.status_code == 405
        assert refused.headers["allow"] == allowed
        if method != "HEAD":
            assert problem(refused, 405)["detail"] == f"{method} is not allowed on `{path}`"


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/v1/event", "Did you mean `/v1/events`?"),
        ("/v1/healt", "Did you mean `/v1/health`?"),
        ("/zzz", "Read /v1/openapi.json"),
        ("/v1/%1b[31m", "Read /v1/openapi.json"),
    ],
)
async def test_an_unknown_route_is_told_the_nearest(tmp_path: Path, path: str, hint: str) -> None:
    async with a_server(tmp_path) as served:
        found = problem(await served.client.get(path), 404)
        assert (found["code"], found["hint"]) == ("VX903", hint)
        assert found["detail"].isprintable()


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/health"), ("POST", "/v1/events"), ("GET", "/nowhere"), ("PATCH", "/v1/health")]
)
@pytest.mark.parametrize("key", [KEY, "wrong"])
async def test_every_answer_forbids_sniffing_framing_and_keeping(
    tmp_path: Path, method: str, path: str, key: str
) -> None:
    async with a_server(tmp_path, headers={"X-API-Key": key}) as served:
        headers = (await served.client.request(method, path, headers=JSON)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["date"].endswith("GMT")
        assert "server" not in headers


async def test_the_contract_names_every_route_and_needs_no_other_host(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        found = await served.client.get("/v1/openapi.json")
        document = found.json()
        assert document["openapi"].startswith("3.1")
        assert sorted(document["paths"]) == [
            "/metrics",
            "/v1/asyncapi.json",
            "/v1/dead",
            "/v1/dead/{letter_id}",
            "/v1/dead/{letter_id}/discard",
            "/v1/dead/{letter_id}/replay",
            "/v1/drivers",
            "/v1/drivers/{name}/off",
            "/v1/drivers/{name}/on",
            "/v1/drivers/{name}/weights",
            "/v1/events",
            "/v1/events/{event_id}",
            "/v1/events/{event_id}/cancel",
            "/v1/health",
            "/v1/openapi.json",
            "/v1/pauses",
            "/v1/pauses/{kind}/{name}/resume",
            "/v1/runs",
            "/v1/runs/{event_id}",
        ]
        assert document["paths"]["/v1/health"]["get"]["security"] == []
        assert document["security"] == [{"bearer": []}, {"key": []}]
        assert "http://" not in found.text
        assert "https://" not in found.text
