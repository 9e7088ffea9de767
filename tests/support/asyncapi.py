"""The official JSON Schema of AsyncAPI 3.0: npm `@asyncapi/specs` (Apache-2.0)."""

import io
import json
import tarfile
from functools import cache
from typing import Any

import jsonschema

from tests.support import npm

PACKAGE = "@asyncapi/specs"
VERSION = "6.11.1"
SHA512 = "A3WBLqAKGoJ2+6FWFtpjBlCQ1oFCcs4GxF7zsIGvNqp/klGUHjlA3aAcZ9XMMpLGE8zPeYDz2x9FmO6DSuKraQ=="

_MEMBER = "package/schemas/3.0.0.json"


def problems_of(document: Any) -> list[str]:
    """Return what the official schema says against a document, by place."""
    found = _validator().iter_errors(document)
    return sorted(f"{error.json_path}: {error.message[:200]}" for error in found)


@cache
def _validator() -> jsonschema.Draft7Validator:
    with tarfile.open(fileobj=io.BytesIO(npm.package(PACKAGE, VERSION, SHA512))) as archive:
        member = archive.extractfile(_MEMBER)
        assert member is not None
        return jsonschema.Draft7Validator(json.load(member))
