"""The AsyncAPI 3.0 document of a project (asyncapi.com): its events as channels, its drivers as operations. Pure.

A channel is a type of events, or a pattern that somebody handles or emits. An operation is a driver that receives
(`capabilities`) or sends (`emit:` permissions; a policy has to allow each as well). A message has the data as payload
and the CloudEvents attributes as headers, as in the binary mode of CloudEvents over HTTP.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vextir_os.driverkit.manifest import Manifest
from vextir_os.events.names import ERROR
from vextir_os.schemas.events import ATTRIBUTES, key_of, of_type, together
from vextir_os.schemas.shelf import Shelf
from vextir_os.schemas.types import Known, known_types

VERSION = "3.0.0"
PATH = "/v1/events"
TRAIT = "cloudevent"

_SEND, _RECEIVE = "send", "receive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What a project is called, and where it is served.

    Attributes:
        host: Host and port of the HTTP API: `127.0.0.1:8300`.
    """

    title: str
    version: str
    host: str
    description: str = ""


def asyncapi(manifests: Iterable[Manifest], info: Info) -> dict[str, Any]:
    """Return the document. The same drivers give the same document, in the same order."""
    everybody = list(manifests)
    types = known_types(everybody)
    shelf = Shelf("#/components/schemas/", frozenset(map(key_of, types)))
    payloads = {key_of(name): together(known.schemas, shelf) for name, known in types.items() if known.schemas}
    return {
        "asyncapi": VERSION,
        "info": {
            "title": info.title,
            "version": info.version,
            **({"description": info.description} if info.description else {}),
        },
        "defaultContentType": "application/json",
        "servers": {"http": _server(info.host)},
        "channels": {key_of(name): _channel(known) for name, known in types.items()},
        "operations": dict(sorted(_operations(types, _several(everybody)))),
        "components": {
            "schemas": dict(sorted({**payloads, **shelf.schemas}.items())),
            "messages": {key_of(name): _message(known) for name, known in types.items()},
            "messageTraits": {TRAIT: _trait()},
            "securitySchemes": {"key": {"type": "httpApiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


def _server(host: str) -> dict[str, Any]:
    return {
        "host": host,
        "pathname": PATH,
        "protocol": "http",
        "description": "Takes events of any type: one, an array, or CloudEvents in any mode.",
        "security": [{"$ref": "#/components/securitySchemes/key"}],
    }


def _channel(known: Known) -> dict[str, Any]:
    address, parameters = _address(known.type)
    return {
        "address": address,
        **({"parameters": parameters} if parameters else {}),
        "messages": {key_of(known.type): {"$ref": f"#/components/messages/{key_of(known.type)}"}},
    }


def _address(type_: str) -> tuple[str, dict[str, Any]]:
    """Return a type as the address of its channel, with a parameter for what a pattern leaves open."""
    segments, parameters = [], dict[str, Any]()
    for number, segment in enumerate(type_.split("."), 1):
        if segment in ("*", "**"):
            name = f"segment{number}" if segment == "*" else f"segments{number}"
            what = "One segment of the type." if segment == "*" else "Any number of segments, none included."
            parameters[name] = {"description": what}
            segment = f"{{{name}}}"
        segments.append(segment)
    return ".".join(segments), parameters


def _message(known: Known) -> dict[str, Any]:
    return {
        "name": known.type,
        "headers": {"type": "object", "properties": {"ce-type": of_type(known.type)}},
        "payload": {"$ref": f"#/components/schemas/{key_of(known.type)}"} if known.schemas else {},
        "traits": [{"$ref": f"#/components/messageTraits/{TRAIT}"}],
    }


def _trait() -> dict[str, Any]:
    needed = ("specversion", "id", "source", "type")
    return {
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "description": "Attributes of CloudEvents 1.0, and our extension attributes.",
            "required": [f"ce-{name}" for name in needed],
            "properties": {f"ce-{name}": dict(schema) for name, schema in ATTRIBUTES.items()},
        },
    }


def _operations(types: Mapping[str, Known], several: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for known in types.values():
        for action, manifests in ((_RECEIVE, known.handlers), (_SEND, known.emitters)):
            for each in manifests:
                # Who handles a type by a pattern has that pattern as a channel.
                if action == _SEND or known.type in each.capabilities:
                    who = f"{each.id}@{each.version}" if each.id in several else each.id
                    yield f"{who}:{action}:{key_of(known.type)}", _operation(known, each, action)
    yield f"vextir:{_SEND}:{ERROR}", {**_on(types[ERROR], _SEND), "title": "Vextir OS"}


def _several(manifests: Iterable[Manifest]) -> Collection[str]:
    """Return the ids of drivers that are there in several versions."""
    return {each for each, times in Counter(manifest.id for manifest in manifests).items() if times > 1}


def _operation(known: Known, manifest: Manifest, action: str) -> dict[str, Any]:
    return {
        **_on(known, action),
        "title": manifest.id,
        **({"summary": manifest.description} if manifest.description else {}),
        "tags": [{"name": manifest.kind}],
        "x-vextir-driver": {
            "id": manifest.id,
            "version": manifest.version,
            "where": manifest.entry.rpartition(":")[0],
        },
    }


def _on(known: Known, action: str) -> dict[str, Any]:
    channel = f"#/channels/{key_of(known.type)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{key_of(known.type)}"}],
    }
