"""How a service wants to know who asks: the security schemes that a driver can carry out, and their settings. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from vextir_os.scaffold.openapi.naming import unique, words
from vextir_os.scaffold.openapi.reading import Document

Way = Literal["bearer", "basic", "header", "query"]

_NAME = re.compile(r"[A-Za-z0-9_.~-]{1,80}", re.ASCII)
_HEADERS = frozenset({"host", "content-length", "content-type", "connection", "transfer-encoding"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One scheme.

    Attributes:
        id: What the document calls it.
        setting: Name of the setting that holds the secret: `PETS_API_KEY`.
        way: How the secret goes along.
        name: Of the header or of the part of the query; empty for others.
    """

    id: str
    setting: str
    way: Way
    name: str


def find_schemes(document: Document, api: str) -> Mapping[str, Scheme]:
    """Return the schemes that a driver can carry out, by what the document calls them.

    A token of OAuth 2 or OpenID Connect is taken as it is: whoever gets it puts it into the setting.
    """
    components = document.value.get("components")
    listed = components.get("securitySchemes") if isinstance(components, Mapping) else None
    found: dict[str, Scheme] = {}
    for id_, value in list(listed.items())[:50] if isinstance(listed, Mapping) else ():
        raw = document.followed(value)
        for way, name in _ways(raw) if isinstance(raw, Mapping) else ():
            setting = "_".join([api, *(words(id_) or ["secret"])])[:60].upper()
            taken = {scheme.setting for scheme in found.values()} | {f"{api.upper()}_BASE_URL"}
            found[id_] = Scheme(id=id_, setting=unique(setting, taken), way=way, name=name)
    return found


def _ways(raw: Mapping[str, object]) -> Iterator[tuple[Way, str]]:
    kind, place, name = raw.get("type"), raw.get("in"), raw.get("name")
    scheme = str(raw.get("scheme")).lower()
    if kind in ("oauth2", "openIdConnect") or (kind == "http" and scheme == "bearer"):
        yield "bearer", ""
    elif kind == "http" and scheme == "basic":
        yield "basic", ""
    elif kind == "apiKey" and isinstance(name, str) and _NAME.fullmatch(name):
        if place == "query":
            yield "query", name
        elif place == "header" and name.lower() not in _HEADERS:
            yield "header", name
