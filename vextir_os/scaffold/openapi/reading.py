"""An OpenAPI document: read from a local file, bounded, its references followed inside it alone. Writes nothing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vextir_os.errors import ApiDocumentError, VextirError, YamlProblemsError, shown
from vextir_os.events import jsonio
from vextir_os.yamlio import load_yaml

DOCUMENT_BYTES = 20_000_000
"""Size of a document, at most; as YAML, `YAML_BYTES`."""

CHAIN = 20
"""References in a row, at most."""

_VERSION = re.compile(r"3\.[01]\.[0-9]{1,3}(-[A-Za-z0-9.]{1,20})?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An OpenAPI 3.0 or 3.1 document.

    Attributes:
        name: How the file is called in messages.
        value: What it holds; exact JSON types.
    """

    name: str
    value: Mapping[str, Any]

    def followed(self, value: Any) -> Any:
        """Return a value, or what it refers to inside this document.

        Raises:
            ApiDocumentError: It refers elsewhere, to nothing, or in a circle.
        """
        for _ in range(CHAIN):
            reference = reference_of(value)
            if reference is None:
                return value
            value = self._at(reference)
        raise self.problem("references lead in a circle", "#", "Let one of them end at a definition")

    def problem(self, what: str, where: str, hint: str) -> ApiDocumentError:
        """Return an error with its place in the document."""
        return ApiDocumentError(what, hint=hint, where=f"{self.name}, {where[:200]}")

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            hint = "Bundle the document into one file first; nothing is fetched"
            raise self.problem(f"the reference {shown(reference)} leads out of the document", "$ref", hint)
        found: Any = self.value
        for part in reference[2:].split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, Mapping) and key in found:
                found = found[key]
            elif isinstance(found, list) and key.isdecimal() and len(key) < 7 and int(key) < len(found):
                found = found[int(key)]
            else:
                raise self.problem(f"the reference {shown(reference)} leads to nothing", "$ref", "Correct it")
        return found


def reference_of(value: Any) -> str | None:
    """Return where a value refers to; None where it is the thing itself."""
    reference = value.get("$ref") if isinstance(value, Mapping) else None
    return reference if isinstance(reference, str) else None


def read_document(path: Path) -> Document:
    """Read an OpenAPI document.

    Raises:
        ApiDocumentError: It cannot be read, is too large, no JSON or YAML, or of a version that is not understood.
    """
    name = path.name
    try:
        with path.open("rb") as file:
            raw = file.read(DOCUMENT_BYTES + 1)
    except OSError as error:
        raise ApiDocumentError(f"{path} cannot be read: {error.strerror or error}", hint="Name a local file") from None
    if len(raw) > DOCUMENT_BYTES:
        raise ApiDocumentError(f"more than {DOCUMENT_BYTES} bytes", hint="Keep the part that is needed", where=name)
    value = _parsed(raw, name)
    if not isinstance(value, dict):
        raise ApiDocumentError("the document is no object", hint="It begins with `openapi`", where=name)
    version = value.get("openapi")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        said = shown(str(value.get("swagger", version)))
        hint = "Versions 3.0 and 3.1 are understood; converters make one of Swagger 2.0"
        raise ApiDocumentError(f"the version of OpenAPI is {said}", hint=hint, where=name)
    return Document(name=name, value=value)


def _parsed(raw: bytes, name: str) -> Any:
    try:
        if raw.lstrip()[:1] in (b"{", b"["):
            return jsonio.loads_strict(raw)
        return load_yaml(raw, name, lenient=True).value
    except YamlProblemsError as error:
        first = error.problems[0]
        raise ApiDocumentError(first.what, hint=first.hint, where=first.where) from error
    except VextirError as error:
        raise ApiDocumentError(error.what, hint=error.hint, where=name) from error
