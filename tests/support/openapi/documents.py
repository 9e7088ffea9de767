"""OpenAPI documents for tests, and drivers made of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vextir_os.scaffold.openapi.driver import Made, openapi_driver
from vextir_os.scaffold.openapi.reading import Document, read_document

PETS = Path(__file__).with_name("pets.yaml")


def document(paths: Mapping[str, Any], **more: Any) -> Document:
    """Return a document with these paths."""
    head = {"openapi": "3.1.0", "info": {"title": "Shop", "version": "1"}}
    return Document(name="shop.json", value={**head, "paths": paths, **more})


def taking(schema: Any, **schemas: Any) -> Document:
    """Return a document with one operation, `POST /things`, whose body has this schema."""
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "put", "requestBody": body, "responses": {"200": {"description": "ok"}}}
    return document({"/things": {"post": operation}}, components={"schemas": schemas})


def made(root: Path, value: Document, **options: Any) -> Made:
    """Make a driver of a document and write it below a project folder."""
    driver = openapi_driver(value, **options)
    for path, content in driver.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return driver


def read(folder: Path, value: Any, name: str = "shop.json") -> Document:
    """Read a value as a document out of a file."""
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return read_document(folder / name)
