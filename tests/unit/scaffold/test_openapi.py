"""A driver out of an OpenAPI document: what it is, what it leaves out, and how it is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.openapi.documents import PETS, document, made, read, taking
from vextir_os.errors import ApiDocumentError, UsageError
from vextir_os.policy.loader import load_policies
from vextir_os.registry.index import build_index
from vextir_os.scaffold.openapi.driver import openapi_driver
from vextir_os.scaffold.openapi.reading import DOCUMENT_BYTES, Document, read_document

ROOT = Path(__file__).resolve().parents[3]
OK = {"200": {"description": "ok"}}


def talkative() -> Document:
    """Return a document whose every name and text is long."""
    long = "customer_relationship_management_" * 3
    member = {"type": "string", "enum": [f"{long}{number}"[-70:] for number in range(5)], "description": long}
    schema = {"type": "object", "description": long, "properties": {f"{long}{number}": member for number in range(4)}}
    body = {"required": True, "content": {"application/json": {"schema": {"oneOf": [schema] * 9}}}}
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 10**9}}
    query = [{"name": f"{long[:60]}{number}", "in": "query", "schema": member} for number in range(4)]
    operation = {"operationId": long, "summary": long, "parameters": [key, *query], "requestBody": body}
    servers = [{"url": f"https://{long.replace('_', '-')[:60]}.example.com/v1"}]
    return document({"/things/of/" + long[:60]: {"post": operation, "put": operation}}, servers=servers)


LONG = talkative()


def needing(place: str, name: str) -> dict[str, Any]:
    """Return an operation with one parameter that it cannot do without."""
    return {"parameters": [{"name": name, "in": place, "required": True, "schema": {}}]}


def test_each_operation_is_a_capability_with_its_permissions(tmp_path: Path) -> None:
    driver = made(tmp_path, read_document(PETS))
    manifests = {one.id: one for one in build_index(tmp_path).manifests}
    assert list(manifests) == sorted(
        f"pets.{name}" for name in ("list_pets", "create_pet", "get_pet_by_id", "replace_pet", "delete_pet", "order")
    )
    one = manifests["pets.delete_pet"]
    assert one.capabilities == ("pets.delete_pet",)
    assert one.permissions == ("emit:pets.delete_pet.answered", "http:pets.example.com", "secret:PETS_TOKEN")
    assert driver.left_out == ["POST /photos is left out: its body is multipart/form-data, not JSON"]
    assert len(load_policies(tmp_path / "policies").policies) == 3


def test_what_cannot_be_undone_is_tried_once_and_what_only_asks_may_run_twice(tmp_path: Path) -> None:
    made(tmp_path, read_document(PETS))
    manifests = {one.id.partition(".")[2]: one for one in build_index(tmp_path).manifests}
    retried = {name: (one.delivery, one.retry.max_attempts) for name, one in manifests.items()}
    assert retried == {
        "list_pets": ("idempotent", 5),
        "get_pet_by_id": ("idempotent", 5),
        "create_pet": ("default", 1),
        "replace_pet": ("default", 5),
        "delete_pet": ("default", 5),
        "order": ("default", 5),
    }
    assert manifests["create_pet"].retry.on["throttled"].max_attempts == 5
    table = (tmp_path / "drivers/pets/README.md").read_text()
    assert "| `pets.create_pet` | `POST /pets` | irreversible: " in table
    assert "| `pets.order` | `POST /orders` | keyed: " in table


@pytest.mark.parametrize("value", [read_document(PETS), LONG], ids=["pets", "long-names"])
def test_the_driver_needs_no_formatting_and_breaks_no_rule(tmp_path: Path, value: Document) -> None:
    made(tmp_path, value, name="p" * 40)
    build_index(tmp_path)
    ruff = [str(Path(sys.executable).with_name("ruff"))]
    config = ["--no-cache", "--config", str(ROOT / "pyproject.toml")]
    for words in (["check", *config, "drivers"], ["format", "--check", *config, "."]):
        done = subprocess.run([*ruff, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_operations_that_are_named_are_made(tmp_path: Path) -> None:
    made(tmp_path, read_document(PETS), name="zoo", only=["listPets", "get_pet_by_id"])
    assert [one.id for one in build_index(tmp_path).manifests] == ["zoo.get_pet_by_id", "zoo.list_pets"]
    models = (tmp_path / "drivers/zoo/models.py").read_text()
    assert "class Pet(" not in models


@pytest.mark.parametrize(
    ("only", "message"),
    [
        pytest.param("listPet", "no driver is made of the operation `listPet`. Did you mean `listPets`?", id="typo"),
        pytest.param("upload", "POST /photos is left out: its body is multipart/form-data", id="not-made"),
    ],
)
def test_an_operation_that_is_not_made_is_an_error_when_it_is_asked_for(only: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        openapi_driver(read_document(PETS), only=["listPets", only])
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "path", "reason"),
    [
        pytest.param(needing("cookie", "a"), "/x", "needs a parameter in cookie", id="cookie"),
        pytest.param(needing("body", "a"), "/x", "needs a parameter in body", id="place"),
        pytest.param(needing("header", "a\r\nb"), "/x", "a header has a name that cannot be sent", id="header"),
        pytest.param({}, "/x/{id}", "its path and its path parameters do not fit", id="path"),
        pytest.param({}, "/x y", "its path is none of plain ASCII", id="odd-path"),
        pytest.param({"security": [{"saml": []}]}, "/x", "it asks for a way to prove who one is", id="security"),
    ],
)
def test_an_operation_that_cannot_be_made_is_left_out_with_the_reason(
    operation: dict[str, Any], path: str, reason: str
) -> None:
    paths = {"/good": {"get": {"responses": OK}}, path: {"post": {**operation, "responses": OK}}}
    driver = openapi_driver(document(paths))
    (line,) = driver.left_out
    assert reason in line


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"swagger": "2.0"}', "the version of OpenAPI is `2.0`. Versions 3.0 and 3.1 are", id="swagger"),
        pytest.param('{"openapi": "3.1.0"}', "shop.json, paths: there is no operation", id="empty"),
        pytest.param("[]", "the document is no object", id="list"),
        pytest.param("{", "shop.json: not JSON", id="broken"),
        pytest.param("openapi: 3.0.0\npaths: &a {}", "shop.json:2:8: `&a` is an anchor", id="anchor"),
        pytest.param("openapi: !!python/object:os.system {}", "the tag ", id="tag"),
        pytest.param("[" * 500 + "]" * 500, "nested deeper than", id="deep"),
        pytest.param('{"a": "\\ud800"}', "shop.json: ", id="half-a-character"),
        pytest.param('{"openapi": "3.0.0", "openapi": "3.1.0"}', "twice", id="duplicate-key"),
        pytest.param("x" * (DOCUMENT_BYTES + 1), "more than 20000000 bytes", id="large"),
    ],
)
def test_a_document_that_cannot_be_read_says_why(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ApiDocumentError) as caught:
        openapi_driver(read(tmp_path, text))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        pytest.param("http://169.254.169.254/x.json", "leads out of the document. Bundle the document", id="url"),
        pytest.param("../../etc/passwd", "leads out of the document", id="file"),
        pytest.param("#/components/schemas/None", "leads to nothing", id="nothing"),
        pytest.param("#/components/schemas/A", "references lead in a circle", id="circle"),
    ],
)
def test_references_lead_inside_the_document_or_nowhere(reference: str, message: str) -> None:
    value = taking({"$ref": reference}, A={"$ref": "#/components/schemas/B"}, B={"$ref": "#/components/schemas/A"})
    with pytest.raises(ApiDocumentError, match=message):
        openapi_driver(value)


@pytest.mark.parametrize(
    ("servers", "url"),
    [
        pytest.param([{"url": "https://a.example/v1/"}], "https://a.example/v1", id="plain"),
        pytest.param(
            [{"url": "https://{host}.example", "variables": {"host": {"default": "eu"}}}],
            "https://eu.example",
            id="var",
        ),
        pytest.param([{"url": "/v1"}], "", id="relative"),
        pytest.param([{"url": "ftp://a.example"}], "", id="ftp"),
        pytest.param([{"url": "https://ann:secret@a.example"}], "", id="credentials"),
        pytest.param([{"url": 'https://a.example/"+exit()+"'}], "", id="injection"),
        pytest.param([], "", id="none"),
    ],
)
def test_the_base_url_is_a_plain_address_or_has_to_be_set(tmp_path: Path, servers: Any, url: str) -> None:
    made(tmp_path, document({"/x": {"get": {"responses": OK}}}, servers=servers))
    assert f'BASE_URL = "{url}"\n' in (tmp_path / "drivers/shop/client.py").read_text()
    assert json.loads((tmp_path / "tests/test_shop.json").read_text())[0]["path"] == "/x"


def test_names_that_would_hide_others_are_given_another_form(tmp_path: Path) -> None:
    ids = ["call", "driver", "models", "list", "import", "match", "Event", "print", "list", "2fast", "é", ""]
    paths = {f"/{number}": {"get": {"operationId": id_, "responses": OK}} for number, id_ in enumerate(ids)}
    made(tmp_path, document(paths))
    names = {one.id.partition(".")[2] for one in build_index(tmp_path).manifests}
    assert names == {
        "call_", "driver_", "models_", "list_", "import_", "match_", "event", "print_", "list_2", "n2fast", "e",
        "get_11",
    }  # fmt: skip
