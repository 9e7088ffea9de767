"""One call to another host, over real sockets: what is reached, what goes along, what is read, what is refused."""

import asyncio
import gzip
import json
import socket
import zlib
from collections.abc import Mapping
from typing import Any

import pytest

from tests.support.outside import Asked, Outside, answer, outside, resolve
from vextir_os.errors import AddressRefusedError, AnswerError, OutsideError, UndecodableError, UnreachableError
from vextir_os.net import Answer, request

SECRET = "s3cr3t-of-the-caller"


async def ask(host: Outside, path: str = "/", method: str = "GET", **options: Any) -> Answer:
    return await request(method, f"{host.url}{path}", allowed=host.allowed, resolve=resolve, **options)


async def test_a_call_arrives_whole_and_its_answer_comes_back() -> None:
    async with outside(answer(body=b'{"a": [1]}', headers={"x-kind": "plain"})) as host:
        got = await ask(
            host,
            "/pets?x=1",
            "post",
            params=[("q", "a b&c"), ("q", "ü")],
            headers={"X-Key": SECRET},
            content=b"body",
        )
    (asked,) = host.asked
    assert asked.line == "POST /pets?x=1&q=a+b%26c&q=%C3%BC HTTP/1.1"
    assert (asked.headers["host"], asked.headers["x-key"]) == (f"api.test:{host.port}", SECRET)
    assert asked.body == b"body"
    assert (got.status, got.json(), got.headers["x-kind"]) == (200, {"a": [1]}, "plain")


async def test_the_name_is_resolved_once_and_the_checked_address_is_called() -> None:
    names: list[str] = []

    async def rebinding(name: str, port: int) -> list[str]:
        names.append(name)
        return ["127.0.0.1"] if len(names) == 1 else ["169.254.169.254"]

    async with outside(answer()) as host:
        got = await request("GET", host.url, allowed=host.allowed, resolve=rebinding)
    assert (got.status, names) == (200, ["api.test"])


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST.", "[::1]", "0.0.0.0.", "[::ffff:127.0.0.1]"])
async def test_this_machine_is_refused(name: str) -> None:
    async with outside(answer()) as host:
        with pytest.raises((AddressRefusedError, UnreachableError), match=r"may not be reached|is not known"):
            await request("GET", f"http://{name}:{host.port}/")
    assert host.asked == []


@pytest.mark.parametrize("name", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "017700000001"])
async def test_this_machine_is_refused_however_its_number_is_written(name: str) -> None:
    async def as_c_reads_it(host: str, port: int) -> list[str]:
        return [socket.inet_ntoa(socket.inet_aton(host))]

    with pytest.raises(AddressRefusedError, match=r"127\.0\.0\.1 is no address of the open|no http"):
        await request("GET", f"http://{name}/", resolve=as_c_reads_it)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "gopher://x", "/relative", "", "http://", "https://:443/",
        f"http://ann:{SECRET}@example.com/", "http://example.com:99999/", "http://exa\nmple.com/", "data:,x",
    ],
)  # fmt: skip
async def test_what_is_no_plain_http_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(AddressRefusedError, match="the address is no http or https address") as caught:
        await request("GET", url, resolve=resolve)
    assert SECRET not in str(caught.value)


async def test_the_identity_endpoint_is_refused_though_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with outside(answer()) as host:
        monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://api.test:{host.port}/msi/token")
        with pytest.raises(AddressRefusedError, match="hands out secrets"):
            await ask(host)
    assert host.asked == []


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async with outside(answer("500 No")) as proxy, outside(answer()) as host:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert (await ask(host)).status == 200
    assert proxy.asked == []


async def test_a_redirect_on_the_same_host_is_followed_with_its_headers() -> None:
    def say(asked: Asked) -> bytes:
        return answer() if "/there" in asked.line else answer("302 Found", headers={"location": "/there"})

    async with outside(say) as host:
        got = await ask(host, headers={"Authorization": SECRET})
    assert got.status == 200
    assert [asked.headers["authorization"] for asked in host.asked] == [SECRET, SECRET]


async def test_a_redirect_to_another_host_takes_no_header_along() -> None:
    async with outside(answer()) as other:
        place = f"http://other.test:{other.port}/"
        async with outside(answer("302 Found", headers={"location": place})) as host:
            allowed = [*host.allowed, f"other.test:{other.port}"]
            got = await request("GET", host.url, headers={"X-Key": SECRET}, allowed=allowed, resolve=resolve)
    assert got.status == 200
    assert SECRET not in json.dumps(other.asked[0].headers)


@pytest.mark.parametrize(
    ("method", "place", "error", "message"),
    [
        pytest.param("GET", "http://127.0.0.1/", AddressRefusedError, "may not be reached", id="to-this-machine"),
        pytest.param("GET", "http://169.254.169.254/x", AddressRefusedError, "secrets", id="to-metadata"),
        pytest.param("GET", "file:///etc/passwd", AddressRefusedError, "no http", id="to-a-file"),
        pytest.param("GET", f"http://a:{SECRET}@x.test/", AddressRefusedError, "no http", id="with-credentials"),
        pytest.param("GET", "/again", AnswerError, "redirects more than 5 times", id="for-ever"),
        pytest.param("POST", "/there", AnswerError, "redirects a POST", id="with-a-body"),
    ],
)
async def test_a_redirect_that_is_not_followed_says_why(
    method: str, place: str, error: type[OutsideError], message: str
) -> None:
    async def numbers(name: str, port: int) -> list[str]:
        return [name] if name[0].isdigit() else ["127.0.0.1"]

    async with outside(answer("307 Temporary Redirect", headers={"location": place})) as host:
        with pytest.raises(error, match=message) as caught:
            await request(method, host.url, allowed=host.allowed, resolve=numbers, content=b"x" * (method == "POST"))
    assert len(host.asked) == (6 if place == "/again" else 1)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("packing", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("identity", bytes), ("", bytes)]
)
async def test_a_packed_answer_is_unpacked(packing: str, pack: Any) -> None:
    async with outside(answer(body=pack(b'{"a": 1}'), headers={"content-encoding": packing})) as host:
        assert (await ask(host)).json() == {"a": 1}


def packed_as(packing: str, body: bytes) -> bytes:
    return answer(body=body, headers={"content-encoding": packing})


BOMB = gzip.compress(b"\0" * 50_000_000)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        pytest.param(answer(body=b"x" * 100_001), "more than 100000 bytes", id="large"),
        pytest.param(packed_as("gzip", BOMB), "more than 100000 bytes", id="bomb"),
        pytest.param(
            answer(body=b"x", headers={"content-encoding": "br"}), "packs its answer as 'br'", id="unknown-packing"
        ),
        pytest.param(
            answer(body=b"x", headers={"content-encoding": "gzip, gzip"}), "packs its answer as", id="packed-twice"
        ),
        pytest.param(packed_as("gzip", b"no"), "broken packing", id="broken-packing"),
    ],
)
async def test_an_answer_that_is_not_read_says_why(said: bytes, message: str) -> None:
    async with outside(said) as host:
        with pytest.raises(AnswerError, match=message):
            await ask(host, max_bytes=100_000)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"garbage\r\n\r\n", id="garbage"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", id="half"),
    ],
)
async def test_no_whole_answer_is_worth_another_try(said: bytes) -> None:
    async with outside(said) as host:
        with pytest.raises(UnreachableError, match=r"api\.test did not answer"):
            await ask(host, f"/?key={SECRET}")


async def test_a_host_that_never_answers_is_given_up_in_time() -> None:
    async def never(name: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(UnreachableError, match=r"api\.test did not answer within 0\.01 s"):
        await request("GET", "http://api.test/", resolve=never, timeout_s=0.01)


async def test_a_name_that_nobody_knows_is_unreachable() -> None:
    async def unknown(name: str, port: int) -> list[str]:
        raise OSError("no such name")

    with pytest.raises(UnreachableError, match=r"the name 'api\.test' is not known"):
        await request("GET", f"http://api.test/?key={SECRET}", resolve=unknown)


async def test_a_header_cannot_smuggle_another_request() -> None:
    async with outside(answer()) as host:
        with pytest.raises(OutsideError, match="a header is none") as caught:
            await ask(host, headers={"X-Key": f"{SECRET}\r\nX-Evil: 1"})
    assert host.asked == []
    assert SECRET not in str(caught.value)


async def test_the_second_address_is_tried_when_nobody_listens_at_the_first() -> None:
    async def two(name: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    # This machine is all of 127.0.0.0/8, and the server listens at one address of it.
    async with outside(answer()) as host:
        assert (await request("GET", host.url, allowed=host.allowed, resolve=two)).status == 200


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"retry-after": "7"}, 7.0, id="seconds"),
        pytest.param(
            {"retry-after": "Sat, 21 Nov 2026 00:01:00 GMT", "date": "Sat, 21 Nov 2026 00:00:00 GMT"}, 60.0, id="date"
        ),
        pytest.param({"retry-after": "soon"}, None, id="neither"),
        pytest.param({"retry-after": "9" * 30}, None, id="absurd"),
        pytest.param({}, None, id="nothing"),
    ],
)
async def test_the_time_to_come_back_is_read_off_the_answer(headers: Mapping[str, str], seconds: float | None) -> None:
    async with outside(answer("429 Slow Down", headers=headers)) as host:
        got = await ask(host)
    assert (got.status, got.retry_after_s) == (429, seconds)


async def test_an_answer_that_is_no_json_says_so_and_an_empty_one_is_nothing() -> None:
    async with outside(lambda asked: answer(body=b" " if "empty" in asked.line else b'{"a": NaN}')) as host:
        assert (await ask(host, "/empty")).json() is None
        got = await ask(host)
    with pytest.raises(UndecodableError):
        got.json()


def test_no_secret_shows_in_an_answer() -> None:
    shown = repr(Answer(status=200, headers={"set-cookie": SECRET}, content=SECRET.encode()))
    assert shown == "Answer(status=200, retry_after_s=None)"
