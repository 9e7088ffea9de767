"""A driver made of a document, run by the OS against a real server: what it sends, and what it makes of the answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.support.openapi.documents import PETS, document, made
from vextir_os import Event
from vextir_os.scaffold.openapi.reading import read_document
from vextir_os.testing import open_os

SECRET = "s3cr3t"


class Asked(NamedTuple):
    """One request."""

    line: str
    headers: dict[str, str]
    body: Any


class Service(ThreadingHTTPServer):
    """A service that gives its answers in turn, the last one for ever, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[Asked] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = [(200, {"content-type": "application/json"}, b"{}")]


class _Handler(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append(Asked(f"{self.command} {self.path}", headers, json.loads(body) if body else None))
        answers = self.server.answers
        status, more, content = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in {"content-length": str(len(content)), **more}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that http.server asks for

    def log_message(self, *words: Any) -> None:
        """Say nothing."""


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service on this machine that the driver's setting leads to, and secrets for it."""
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("PETS_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        monkeypatch.setenv("PETS_KEY", SECRET)
        monkeypatch.setenv("PETS_TOKEN", SECRET)
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the driver of the pets."""
    made(tmp_path, read_document(PETS))
    return tmp_path


@pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])
async def test_parameters_secret_and_body_go_where_the_document_says(
    root: Path, service: Service, atomic: bool
) -> None:
    data = {"limit": 5, "tag": ["a b", "c&d"], "kind": ["cat", "dog"], "near": {"lat": 1.5}, "X-Trace": "t-1"}
    async with open_os(root=root, atomic=atomic) as os:
        await os.publish(Event(type="pets.list_pets", data=data))
        assert os.output("pets.list_pets") == {}
    (asked,) = service.asked
    assert asked.line == "GET /v1/pets?limit=5&tag=a+b&tag=c%26d&kind=cat%2Cdog&near%5Blat%5D=1.5"
    assert (asked.headers["x-trace"], asked.headers["x-api-key"]) == ("t-1", SECRET)
    assert asked.body is None


async def test_only_what_was_given_is_in_the_body(root: Path, service: Service) -> None:
    pet = {"name": "Rex", "born": "2027-01-15", "young": [{"name": "Ava", "weightKg": 0.5}], "spots": 101}
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.create_pet", data={"body": pet}))
        assert os.run("pets.create_pet").state == "done"
    assert service.asked[0].body == pet
    assert service.asked[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("pet", "line"),
    [
        pytest.param("../admin?x#y", "GET /v1/pets/..%2Fadmin%3Fx%23y", id="slashes"),
        pytest.param("a b/%2e", "GET /v1/pets/a%20b%2F%252e", id="percent"),
        pytest.param("x\r\nHost: evil", "GET /v1/pets/x%0D%0AHost%3A%20evil", id="line-ends"),
    ],
)
async def test_a_part_of_the_path_stays_one_part(root: Path, service: Service, pet: str, line: str) -> None:
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.get_pet_by_id", data={"petId": pet}))
        assert os.run("pets.get_pet_by_id").state == "done"
    assert service.asked[0].line == line


@pytest.mark.parametrize("pet", [".", ".."])
async def test_a_part_of_the_path_that_would_climb_is_refused(root: Path, service: Service, pet: str) -> None:
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.get_pet_by_id", data={"petId": pet}))
        assert os.run("pets.get_pet_by_id").state == "dead"
    assert service.asked == []


async def test_a_secret_that_is_missing_is_named_and_nobody_is_asked(
    root: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PETS_TOKEN")
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.delete_pet", data={"petId": "7"}))
        run = os.run("pets.delete_pet")
        assert (run.state, os.calls("pets.delete_pet")) == ("dead", 1)
        assert "the setting PETS_TOKEN is missing" in str(run)
    assert service.asked == []


async def test_a_bearer_token_goes_along_and_into_no_record(root: Path, service: Service) -> None:
    service.answers = [(403, {}, SECRET.encode())]
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.delete_pet", data={"petId": "7"}))
        assert os.run("pets.delete_pet").state == "dead"
        assert SECRET not in repr([os.records, os.dead, list(os.logs)])
    assert service.asked[0].headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("atomic", [True, False], ids=["one-transaction", "outbox"])
async def test_a_keyed_call_is_repeated_under_the_same_key(root: Path, service: Service, atomic: bool) -> None:
    service.answers = [(503, {}, b""), (200, {"content-type": "application/json"}, b"{}")]
    body = {"pet": {"name": "Rex"}, "pay": {"cash": 7}}
    async with open_os(root=root, atomic=atomic) as os:
        (event,) = await os.publish(Event(type="pets.order", data={"body": body}))
        await os.finish()
        assert os.run("pets.order").state == "done"
    assert [asked.headers["idempotency-key"] for asked in service.asked] == [event.id, event.id]


async def test_a_call_that_cannot_be_undone_is_not_repeated_by_itself(root: Path, service: Service) -> None:
    service.answers = [(500, {}, b"")]
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.create_pet", data={"body": {"name": "Rex"}}))
        await os.finish()
        assert os.run("pets.create_pet").state == "dead"
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        pytest.param((204, {}, b""), "done", id="empty"),
        pytest.param((200, {"content-type": "text/plain"}, b"hello"), "done", id="text"),
        pytest.param((200, {"content-type": "application/pdf"}, b"%PDF"), "dead", id="neither-json-nor-text"),
        pytest.param((200, {"content-type": "application/json"}, b"{"), "dead", id="broken-json"),
        pytest.param((302, {}, b""), "dead", id="nowhere"),
        pytest.param((404, {}, b""), "dead", id="not-found"),
        pytest.param((502, {}, b""), "retry", id="down"),
        pytest.param((503, {"retry-after": "7"}, b""), "retry", id="busy"),
    ],
)
async def test_what_becomes_of_an_answer(
    root: Path, service: Service, answer: tuple[int, dict[str, str], bytes], state: str
) -> None:
    service.answers = [answer]
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.get_pet_by_id", data={"petId": "7"}))
        assert os.run("pets.get_pet_by_id").state == state


async def test_a_service_cannot_send_a_driver_to_another_port_of_its_host(root: Path, service: Service) -> None:
    with Service() as other:
        service.answers = [(302, {"location": f"http://127.0.0.1:{other.server_port}/"}, b"")]
        async with open_os(root=root) as os:
            await os.publish(Event(type="pets.get_pet_by_id", data={"petId": "7"}))
            assert "AddressRefusedError" in str(os.run("pets.get_pet_by_id"))
    assert len(service.asked) == 1


async def test_a_document_cannot_send_a_driver_to_this_machine(tmp_path: Path, service: Service) -> None:
    servers = [{"url": f"http://127.0.0.1:{service.server_port}"}]
    made(tmp_path, document({"/x": {"get": {"operationId": "ask"}}}, servers=servers))
    async with open_os(root=tmp_path) as os:
        await os.publish(Event(type="shop.ask", data={}))
        assert "AddressRefusedError" in str(os.run("shop.ask"))
    assert service.asked == []


async def test_data_that_the_document_does_not_know_is_refused(root: Path, service: Service) -> None:
    async with open_os(root=root) as os:
        await os.publish(Event(type="pets.list_pets", data={"limit": 5, "lmit": 1}))
        assert "InvalidPayloadError" in str(os.run("pets.list_pets"))
    assert service.asked == []
