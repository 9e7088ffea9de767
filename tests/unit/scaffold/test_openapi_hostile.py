"""Documents of an enemy: nothing of them becomes code, and nothing of them takes the machine's time or memory."""

import ast
import io
import json
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.openapi.documents import document, made, taking
from vextir_os.errors import ApiDocumentError, UsageError
from vextir_os.policy.loader import load_policies
from vextir_os.registry.index import build_index
from vextir_os.scaffold.openapi.driver import Made, openapi_driver

EVIL = [
    'x"); __import__("os").system("touch pwned"); ("',
    'x"""\nimport os\nos.system(\'touch pwned\')\n"""',
    "x'''\n__import__('os').system('touch pwned')",
    "x\\",
    'x\\"""',
    "x\n@driver\ndef pwned(): pass",
    "x\r\nimport os",
    "x\x0cimport os",
    "x\u2028import os",
    "{__import__('os').system('touch pwned')}",
    "<<secrets>>",
    "<<functions>> pwned",
    "# pwned",
    "`pwned` | <script>pwned</script> | [pwned](javascript:pwned)",
    "\u202epwned\u202c",
    "x\0pwned",
    "pwned" * 5_000,
]
CALLED = {
    "driver", "Retry", "call", "Result", "Event", "Field", "ConfigDict", "Secret", "dataclass", "model_rebuild",
}  # fmt: skip
"""What `driver.py` and `models.py` call, and `client.py` at its top."""

IMPORTED = {
    "__future__", "datetime", "typing", "uuid", "pydantic", "vextir_os", "vextir_os.net", "base64", "json", "os",
    "collections.abc", "dataclasses", "urllib.parse", "", "client", "threading", "http.server", "pathlib", "pytest",
}  # fmt: skip


def hostile(text: str) -> dict[str, Any]:
    """Return a document that says a text wherever one can be said."""
    evil = {"$ref": "#/components/schemas/Evil"}
    inner = {"type": "object", "description": text, "properties": {text: evil}}
    more = {"type": "string", "pattern": text, "format": text, "example": text}
    own = {"type": "string", "enum": [text, "a"], "description": text, "default": text}
    about = {"title": text, "description": text}
    schema = {"type": "object", **about, "required": [text], "properties": {text: own, "inner": inner, "more": more}}
    const = {"type": "string", "const": text}
    parameter = {"name": text[:90], "in": "query", "description": text, "required": True, "schema": const}
    header = {"name": text[:90], "in": "header", "schema": {"type": text}}
    content = {"application/json": {"schema": schema, "example": text}}
    operation = {
        "operationId": text,
        "summary": text,
        "tags": [text],
        "parameters": [parameter, header],
        "requestBody": {"required": True, "description": text, "content": content},
        "responses": {"200": {"description": text, "content": content}},
        "security": [{text: []}],
    }
    scheme = {"type": "apiKey", "in": "header", "name": "X-Key", "description": text}
    return {
        "info": {"version": text, **about},
        "servers": [{"url": text, "variables": {text: {"default": text}}}, {"url": "https://{x}"}],
        "paths": {"/things": {"post": operation}, f"/{text}": {"get": {"operationId": text, "responses": {}}}},
        "components": {"schemas": {"Evil": schema, text: schema}, "securitySchemes": {text: scheme}},
    }


def code(driver: Made) -> Iterator[tuple[str, str]]:
    yield from ((path, content.decode()) for path, content in driver.files.items() if path.endswith(".py"))


def check_is_harmless(driver: Made) -> None:
    """Say when a file of a driver holds anything but what we put there and literals."""
    for path, text in code(driver):
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "") in IMPORTED, f"{path} imports {node.module}"
            elif isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= IMPORTED, path
            elif isinstance(node, (ast.Name, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.arg)):
                name = getattr(node, "id", "") or getattr(node, "name", "") or getattr(node, "arg", "")
                assert name.isascii(), path
        if path.endswith(("driver.py", "models.py")):
            called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
            names = {getattr(one, "id", "") or getattr(one, "attr", "") for one in called}
            assert names <= CALLED, f"{path} calls {names - CALLED}"
            kinds = {type(node) for node in tree.body}
            assert kinds <= {
                ast.Expr,
                ast.Import,
                ast.ImportFrom,
                ast.ClassDef,
                ast.AsyncFunctionDef,
                ast.Assign,
                ast.For,
            }
        comments = [
            token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token[0] == tokenize.COMMENT
        ]
        assert comments == [], path


@pytest.mark.parametrize("text", EVIL, ids=lambda text: ascii(text)[:30])
def test_no_text_of_a_document_becomes_code(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    value = hostile(text)
    driver = made(tmp_path, document(value.pop("paths"), **value), name="evil")
    check_is_harmless(driver)
    build_index(tmp_path)
    assert not (tmp_path / "pwned").exists()
    assert load_policies(tmp_path / "policies").policies
    calls = json.loads((tmp_path / "tests/test_evil.json").read_text())
    assert all(call["type"].startswith("evil.") for call in calls)
    page = (tmp_path / "drivers/evil/README.md").read_text()
    assert not [bad for bad in ("<script", "](", "\u202e", "\x00") if bad in page]


def test_what_is_fixed_calls_nothing_that_makes_code(tmp_path: Path) -> None:
    driver = made(tmp_path, document({"/x": {"get": {"responses": {}}}}))
    for path, text in code(driver):
        names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
        assert names & {"eval", "exec", "compile", "__import__", "getattr", "globals"} == set(), path


TEXTS = st.text(st.sampled_from("ab\"'\\\n\r\t{}<>#`|$_-./:é\u2028\x00 Z9"), max_size=12)
KEYS = [
    "type", "properties", "items", "enum", "allOf", "oneOf", "$ref", "required", "minimum", "format", "nullable",
    "const", "additionalProperties", "maxLength", "minItems", "exclusiveMinimum",
]  # fmt: skip
VALUES = ["object", "array", "string", "integer", "#/components/schemas/A", "#/components"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | TEXTS, inner | st.sampled_from(VALUES), max_size=5)
    ),
    max_leaves=25,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(schema=JSON, other=JSON, name=TEXTS, title=TEXTS)
def test_any_schema_gives_harmless_code_or_an_error_of_ours(schema: Any, other: Any, name: str, title: str) -> None:
    value = taking(schema, A=other)
    parameter = {"name": name, "in": "query", "schema": other}
    path = dict(value.value["paths"]["/things"]["post"], parameters=[parameter], operationId=name, summary=title)
    try:
        driver = openapi_driver(
            document({"/things": {"post": path}}, components=value.value["components"]), name="evil"
        )
    except (ApiDocumentError, UsageError):
        return
    check_is_harmless(driver)


def grown(levels: int) -> dict[str, Any]:
    """Return schemas of which each needs the next ten times."""
    return {
        f"S{level}": {
            "type": "object",
            "required": [f"p{number}" for number in range(10)],
            "properties": {f"p{number}": {"$ref": f"#/components/schemas/S{level + 1}"} for number in range(10)},
            "allOf": [{"$ref": f"#/components/schemas/S{level + 1}"}] * 10,
        }
        for level in range(levels)
    } | {f"S{levels}": {"type": "string"}}


def test_a_document_that_grows_when_it_is_followed_is_cut(tmp_path: Path) -> None:
    driver = made(tmp_path, taking({"$ref": "#/components/schemas/S0"}, **grown(30)))
    assert sum(len(content) for content in driver.files.values()) < 200_000
    assert json.loads(driver.files["tests/test_shop.json"]) == []


def test_variables_of_a_server_cannot_multiply() -> None:
    variables = {f"v{number}": {"default": f"{{v{number + 1}}}{{v{number + 1}}}"} for number in range(60)}
    driver = openapi_driver(document({"/x": {"get": {}}}, servers=[{"url": "https://{v0}", "variables": variables}]))
    assert b'BASE_URL = ""' in driver.files["drivers/shop/client.py"]


def test_a_document_with_too_many_operations_asks_for_a_choice() -> None:
    paths = {f"/p{number}": {"get": {"operationId": "same"}} for number in range(201)}
    with pytest.raises(UsageError, match=r"the document has 201 operations\. Choose with --only, at most 200"):
        openapi_driver(document(paths))
    assert openapi_driver(document(paths), only=["same7"]).left_out == []


def test_a_document_with_very_many_operations_is_refused() -> None:
    paths: dict[str, Any] = {f"/p{number}": {"get": {}} for number in range(3_001)}
    with pytest.raises(ApiDocumentError, match="there are more than 3000 operations"):
        openapi_driver(document(paths))


def test_a_schema_with_very_many_parts_is_cut(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {f"p{number}": {"enum": [*range(5_000)]} for number in range(2_000)}}
    driver = openapi_driver(taking(schema))
    assert driver.files["drivers/shop/models.py"].count(b"p1") < 200


def test_a_union_of_very_many_is_anything() -> None:
    driver = openapi_driver(taking({"oneOf": [{"type": "object", "properties": {"a": {}}}] * 50}))
    assert b"body: Any" in driver.files["drivers/shop/models.py"]
