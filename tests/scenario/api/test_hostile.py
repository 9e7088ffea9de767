"""What no honest client sends: bodies without end, heads without end, HTTP that is none, values that break out."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenario.api.serving import JSON, KEY, Served, a_server, answer, problem
from vextir_os.api.bodies import Limits
from vextir_os.api.wire import WAITING, GuardedProtocol

SMALL = Limits(request_bytes=100_000, buffered_bytes=250_000, batch_events=3)
HURRIED = Limits(body_s=0.05)
EVENT = b'{"type": "said.a"}'


async def chunks(count: int, size_bytes: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size_bytes


async def flood(served: Served, start: bytes, part: bytes) -> int:
    """Send a part again and again, a thousand times at most; return how often, until the server hung up."""
    _, writer = await asyncio.open_connection(served.address.host, served.address.port)
    writer.write(start)
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 1_000:
            writer.write(part)
            await writer.drain()
            sent += 1
    writer.close()
    return sent


async def nothing_came_in(served: Served) -> bool:
    return await served.os.kernel.queue.receive(1, 0) == ()


async def works_still(served: Served) -> bool:
    return (await served.client.post("/v1/events", json={"type": "said.after"})).status_code == 202


async def test_a_body_that_says_it_is_too_large_is_refused(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=SMALL) as served:
        found = problem(await served.client.post("/v1/events", content=b"x" * 100_001, headers=JSON), 413)
        assert found["detail"] == "a request has at most 100000 bytes; nothing was accepted"
        assert await nothing_came_in(served)


async def test_a_body_that_says_it_is_too_large_is_not_even_asked_for(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=SMALL) as served:
        raw = await served.raw(served.head(Content_Length="999999999999", Expect="100-continue"))
        assert answer(raw)[0] == 413
        assert b"100 Continue" not in raw


async def test_a_body_of_the_limit_is_read_and_one_byte_more_is_not(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=SMALL) as served:
        body = b'{"type":"said.a","data":"' + b"x" * (100_000 - 27) + b'"}'
        assert (await served.client.post("/v1/events", content=body, headers=JSON)).status_code == 202
        problem(await served.client.post("/v1/events", content=body + b" ", headers=JSON), 413)


async def test_a_body_in_chunks_is_refused_as_soon_as_it_is_over_the_limit(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=SMALL) as served:
        found = problem(await served.client.post("/v1/events", content=chunks(50, 10_000), headers=JSON), 413)
        assert found["code"] == "VX202"
        assert await nothing_came_in(served)
        assert await works_still(served)


async def test_a_body_without_end_is_cut_off(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=SMALL) as served:
        part = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        assert await flood(served, served.head(Transfer_Encoding="chunked"), part) < 1_000
        assert await works_still(served)


@pytest.mark.parametrize(
    ("start", "part"),
    [
        pytest.param(b"2\r\n{}\r\n0\r\nX: ", b"y" * 10_000, id="one-trailer-without-end"),
        pytest.param(b"2\r\n{}\r\n0\r\n", b"X: y\r\n" * 2_000, id="trailers-without-end"),
        pytest.param(b"2;", b"y" * 10_000, id="extension-without-end"),
        pytest.param(b"", b"1;" + b"y" * 10_000 + b"\r\nx\r\n", id="extensions-of-every-chunk"),
    ],
)
@pytest.mark.parametrize("key", [KEY, ""], ids=["key", "no-key"])
async def test_what_stands_around_a_body_is_bounded(tmp_path: Path, key: str, start: bytes, part: bytes) -> None:
    async with a_server(tmp_path) as served:
        head = served.head(Transfer_Encoding="chunked", X_API_Key=key)
        assert await flood(served, head + start, part) < 1_000
        assert await works_still(served)


async def test_a_body_in_chunks_of_one_byte_is_read(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        body = b'{"type": "said.a", "data": "' + b"x" * 100_000 + b'"}'
        parts = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
        head = served.head(Transfer_Encoding="chunked")
        assert answer(await served.raw(head, parts, b"0\r\nX-Sum: 1\r\n\r\n"))[0] == 202


async def test_requests_are_not_piled_up_behind_one_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with a_server(tmp_path) as served:
        many = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2_000
        for _ in range(5):
            assert await flood(served, b"", many) < 1_000
        assert await works_still(served)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_a_few_requests_behind_one_another_are_all_answered(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        some = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n" * (WAITING - 1)
        raw = await served.raw(some + served.head("GET /v1/health"))
        assert raw.count(b"HTTP/1.1 200") == WAITING


async def test_a_body_that_stops_coming_in_is_given_up(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=HURRIED) as served:
        code, body = answer(await served.raw(served.head(Content_Length="100"), b'{"type"'))
        assert code == 408
        assert b"the body did not come in within 0.05 seconds; nothing was accepted" in body
        assert await nothing_came_in(served)


async def test_a_body_that_drips_is_given_up_however_steadily(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=HURRIED) as served:
        reader, writer = await asyncio.open_connection(served.address.host, served.address.port)
        writer.write(served.head(Content_Length="100000"))
        reading = asyncio.create_task(reader.read())
        while not reading.done():
            writer.write(b" ")
            await asyncio.sleep(0.002)
        with contextlib.suppress(ConnectionError):  # what still came in when it was closed resets it
            assert answer(await reading)[0] == 408
        writer.close()
        assert await nothing_came_in(served)


async def test_who_hangs_up_in_the_middle_of_a_body_leaves_nothing_behind(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        assert await served.raw(served.head(Content_Length="100"), EVENT[:5], end=True) == b""
        assert await nothing_came_in(served)
        assert await works_still(served)


async def test_all_requests_together_hold_only_so_much_and_give_it_back(tmp_path: Path) -> None:
    limits = Limits(request_bytes=100_000, buffered_bytes=150_000, body_s=100)
    async with a_server(tmp_path, limits=limits) as served, asyncio.timeout(90):

        async def hold() -> tuple[asyncio.StreamWriter, asyncio.Task[bytes]]:
            reader, writer = await asyncio.open_connection(served.address.host, served.address.port)
            writer.write(served.head(Content_Length="100000", Expect="100-continue") + b"x" * 99_000)
            await writer.drain()
            return writer, asyncio.create_task(reader.read())

        first, ended = await hold()
        second = await served.client.post("/v1/events", content=b" " * 90_000 + EVENT, headers=JSON)
        while second.status_code == 202:  # until the first one's bytes have come in
            if ended.done():  # it came while the second one was held, and was the one too many
                first.close()
                with contextlib.suppress(ConnectionError):
                    await first.wait_closed()
                first, ended = await hold()
            second = await served.client.post("/v1/events", content=b" " * 90_000 + EVENT, headers=JSON)
        assert problem(second, 503)["detail"] == "too many large requests at once; nothing was accepted"
        assert second.headers["retry-after"] == "1"
        first.close()
        await first.wait_closed()
        await ended
        while second.status_code == 503:
            second = await served.client.post("/v1/events", content=b" " * 90_000 + EVENT, headers=JSON)
        assert second.status_code == 202


async def test_a_request_without_the_key_is_answered_although_its_body_never_comes(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        raw = await served.raw(served.head(X_API_Key="", Content_Length="100000", Expect="100-continue"))
        assert answer(raw)[0] == 401
        assert b"100 Continue" not in raw
        assert b"connection: close" in raw.lower()


async def test_a_batch_has_only_so_many_events(tmp_path: Path) -> None:
    async with a_server(tmp_path, limits=SMALL) as served:
        found = problem(await served.client.post("/v1/events", json=[{"type": "said.a"}] * 4), 413)
        assert found["detail"] == "a batch of 4 events, at most 3 are accepted"
        assert await nothing_came_in(served)


async def test_a_large_body_of_very_many_values_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        body = b'{"type": "said.a", "data": [' + b"0," * 2_000_001 + b"0]}"
        found = problem(await served.client.post("/v1/events", content=body, headers=JSON), 413)
        assert found["detail"] == "a request of more than 2000000 values"


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", id="tls"),
        pytest.param(b"HELO localhost\r\n\r\n", id="smtp"),
        pytest.param(b"*1\r\n$4\r\nPING\r\n", id="redis"),
        pytest.param(b"GET /v1/health\r\n\r\n", id="http-0.9"),
        pytest.param(b"GET /v1/health HTTP/9.9\r\nHost: localhost\r\n\r\n", id="version"),
        pytest.param(b"GE T /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n", id="method-with-space"),
        pytest.param(b"GET /v1/\x00health HTTP/1.1\r\nHost: localhost\r\n\r\n", id="null-in-path"),
        pytest.param(b"GET /v1/\xff HTTP/1.1\r\nHost: localhost\r\n\r\n", id="path-no-ascii"),
        pytest.param(b"GET http:// HTTP/1.1\r\nHost: localhost\r\n\r\n", id="absolute-without-host"),
        pytest.param(b"GET http://evil.example HTTP/1.1\r\nHost: localhost\r\n\r\n", id="absolute-without-path"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", id="asterisk"),
        pytest.param(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n", id="connect"),
        pytest.param(b"GET /v1/health HTTP/1.1\r\nHost : localhost\r\n\r\n", id="space-before-colon"),
        pytest.param(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n", id="null-in-header"),
        pytest.param(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n", id="lone-cr"),
        pytest.param(b"GET /v1/health HTTP/1.1\r\nno colon\r\n\r\n", id="no-colon"),
    ],
)
async def test_what_is_no_http_is_refused_as_a_problem(tmp_path: Path, raw: bytes) -> None:
    async with a_server(tmp_path) as served:
        code, body = answer(await served.raw(raw))
        assert code in {400, 401}
        assert b'"type":"about:blank"' in body
        assert b"Traceback" not in body
        assert await works_still(served)


@pytest.mark.parametrize(
    "lengths",
    [
        pytest.param("Content-Length: 18\r\nContent-Length: 5\r\n", id="two-lengths"),
        pytest.param("Content-Length: 18\r\nTransfer-Encoding: chunked\r\n", id="length-and-chunks"),
        pytest.param("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", id="two-codings"),
        pytest.param("Transfer-Encoding: xchunked\r\n", id="unknown-coding"),
        pytest.param("Content-Length: +18\r\n", id="plus"),
        pytest.param("Content-Length: -1\r\n", id="minus"),
        pytest.param("Content-Length: 0x12\r\n", id="hex"),
        pytest.param("Content-Length: 18, 18\r\n", id="list"),
        pytest.param("Transfer-Encoding: chunked\r\n", id="chunks-that-are-none"),
    ],
)
async def test_a_body_whose_end_is_in_doubt_is_refused_and_nothing_after_it_is_read(
    tmp_path: Path, lengths: str
) -> None:
    async with a_server(tmp_path) as served:
        head = f"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {KEY}\r\n{lengths}"
        smuggled = served.head(Content_Length=str(len(EVENT))) + EVENT
        raw = await served.raw(f"{head}Content-Type: application/json\r\n\r\n".encode() + EVENT + smuggled, end=True)
        assert raw.count(b"HTTP/1.1 ") <= 1
        assert b" 202 " not in raw
        assert await nothing_came_in(served)


async def test_headers_that_are_too_long_together_are_refused(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        headers = {f"x-{number}": "x" * 8_000 for number in range(8)}
        found = problem(await served.client.get("/v1/health", headers=headers), 431)
        assert found["detail"] == "the headers have more than 64000 bytes together"


@pytest.mark.parametrize("start", [b"GET /", b"GET /v1/health HTTP/1.1\r\nX: ", b"GET /v1/health HTTP/1.1\r\n"])
async def test_a_head_without_end_is_cut_off(tmp_path: Path, start: bytes) -> None:
    async with a_server(tmp_path) as served:
        more = b"X: y\r\n" * 1_000 if start.endswith(b"\n") else b"x" * 6_000
        assert await flood(served, start, more) < 1_000
        assert await works_still(served)


@pytest.mark.parametrize(
    "start",
    [b"", b"GET /v1/health HTTP/1.1\r\nHost: ", b"\r\n\r\n", b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\nGET "],
    ids=["nothing", "half-a-head", "empty-lines", "after-a-whole-one"],
)
async def test_a_head_that_does_not_come_in_time_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(GuardedProtocol, "head_s", 0.03)
    async with a_server(tmp_path) as served:
        last = (await served.raw(start)).rpartition(b"HTTP/1.1 ")[2]
        assert last.startswith(b"408 ")
        assert b"the request did not come in within 0.03 seconds" in last


async def test_one_connection_too_many_is_closed_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GuardedProtocol, "connections_limit", 2)
    async with a_server(tmp_path) as served:
        assert await works_still(served)
        _, idle = await asyncio.open_connection(served.address.host, served.address.port)
        refused = b""
        with contextlib.suppress(ConnectionError):
            refused = await served.raw(served.head("GET /v1/health"))
        assert refused == b""
        assert await works_still(served)
        idle.close()


async def test_requests_in_one_go_are_answered_in_their_order(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        one = served.head(Connection="", Content_Length=str(len(EVENT))) + EVENT
        raw = await served.raw(one + one + served.head("GET /v1/health"))
        assert [part.split(b" ")[0] for part in raw.split(b"HTTP/1.1 ")[1:]] == [b"202", b"202", b"200"]


async def test_garbage_behind_a_request_does_not_get_into_its_answer(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        raw = await served.raw(served.head("GET /v1/health", Connection="") + b"\x00\x01garbage\r\n\r\n")
        assert raw.count(b"HTTP/1.1 ") <= 1
        assert b" 200 " not in raw or b"400" not in raw


@pytest.mark.parametrize(
    "name",
    ["a\r\nSet-Cookie: x=1", "a\nb", "a\u2028b", "\u202eabc", "a\u0000b"],
    ids=["crlf", "lf", "ls", "rlo", "nul"],
)
async def test_an_id_cannot_break_out_into_the_headers(tmp_path: Path, name: str) -> None:
    async with a_server(tmp_path) as served:
        refused = await served.client.post("/v1/events", json={"type": "said.a", "id": name})
        assert problem(refused, 400)["code"] == "VX201"
        assert "set-cookie" not in refused.headers


async def test_a_header_value_cannot_carry_a_line_break_into_an_attribute(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        binary = {"ce-specversion": "1.0", "ce-id": "1%0d%0aX", "ce-source": "/x", "ce-type": "said.a", **JSON}
        assert problem(await served.client.post("/v1/events", content=b"1", headers=binary), 400)["code"] == "VX201"


@pytest.mark.parametrize("name", ["ce-id", "CE-ID", "ce-type", "ce-priority"])
async def test_an_attribute_that_is_given_twice_is_refused(tmp_path: Path, name: str) -> None:
    async with a_server(tmp_path) as served:
        binary = [
            ("ce-specversion", "1.0"),
            ("ce-id", "1"),
            ("ce-source", "/x"),
            ("ce-type", "said.a"),
            ("ce-priority", "1"),
        ]
        headers = [*binary, (name, "2"), *JSON.items()]
        found = problem(await served.client.post("/v1/events", content=b"1", headers=headers), 400)
        assert found["detail"] == f"header {name.lower()} is given twice"


async def test_a_content_type_that_is_given_twice_is_refused(tmp_path: Path) -> None:
    async with a_server(tmp_path) as served:
        headers = [("Content-Type", "application/json"), ("Content-Type", "text/plain")]
        found = problem(await served.client.post("/v1/events", content=EVENT, headers=headers), 400)
        assert found["detail"] == "the header Content-Type is given twice"
