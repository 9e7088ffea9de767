"""Which types of events a project knows: what its drivers handle, what they may emit, and what the data looks like.

Pure: manifests in, values out. A pattern such as `github.*` stands for itself, beside the types that it matches.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from vextir_os.driverkit.manifest import Manifest
from vextir_os.events.names import ERROR, check_type
from vextir_os.events.patterns import PatternTrie, matches
from vextir_os.policy.grammar import permits

_EMIT = "emit:"
_TEXT: Mapping[str, Any] = MappingProxyType({"type": "string"})

FAILURE: Mapping[str, Any] = MappingProxyType(
    {
        "title": "RunFailed",
        "description": "A run has failed for good. Published by the OS.",
        "type": "object",
        "required": ["driver", "event", "attempts", "rerun", "error", "dead_letter"],
        "properties": {
            "driver": {"type": "string", "description": "Id of the driver."},
            "event": {
                "type": "object",
                "description": "The failed event.",
                "required": ["id", "type", "source"],
                "properties": {"id": _TEXT, "type": _TEXT, "source": _TEXT},
            },
            "attempts": {"type": "integer", "minimum": 0},
            "rerun": {"type": "integer", "minimum": 0, "description": "How often people have had it run again."},
            "error": {
                "type": "object",
                "required": ["class", "code", "kind", "message"],
                "properties": {"class": _TEXT, "code": _TEXT, "kind": _TEXT, "message": _TEXT},
            },
            "dead_letter": {"type": "string", "description": "Its id."},
        },
    }
)
"""JSON Schema of the data of `vextir.error`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A type or pattern, and who has to do with it.

    Attributes:
        handlers: Manifests with a capability that is this type, or matches it.
        emitters: Manifests with a permission `emit:` that is just this.
        schemas: JSON Schemas of the data, one for each handler that has one and no two alike; it has to fit all.
    """

    type: str
    handlers: tuple[Manifest, ...] = ()
    emitters: tuple[Manifest, ...] = ()
    schemas: tuple[Mapping[str, Any], ...] = ()


def of_one(type_: str, manifests: Iterable[Manifest]) -> Known | None:
    """Return what is known of one type, which drivers may handle or emit by a pattern; None for nothing.

    Raises:
        InvalidEventError, PatternError: It is no type and no pattern.
    """
    everybody = list(manifests)
    types = known_types(everybody)
    if type_ in types:
        return types[type_]
    check_type(type_)
    handlers = [each for each in everybody if any(matches(one, type_) for one in each.capabilities)]
    emitters = [each for each in everybody if permits(each.permissions, f"{_EMIT}{type_}")]
    if not handlers and not emitters:
        return None
    return Known(type=type_, handlers=tuple(handlers), emitters=tuple(emitters), schemas=_schemas(type_, handlers))


def known_types(manifests: Iterable[Manifest]) -> dict[str, Known]:
    """Return all types and patterns that the drivers handle or may emit, and those of the OS, by name in order."""
    everybody = sorted(manifests, key=lambda manifest: (manifest.id, manifest.version))
    trie: PatternTrie[Manifest] = PatternTrie()
    named: dict[str, list[Manifest]] = {}
    emitters: dict[str, list[Manifest]] = {ERROR: []}
    for manifest in everybody:
        for capability in dict.fromkeys(manifest.capabilities):
            trie.add(capability, manifest)
            named.setdefault(capability, []).append(manifest)
        for permission in dict.fromkeys(manifest.permissions):
            if permission.startswith(_EMIT):
                emitters.setdefault(permission.removeprefix(_EMIT), []).append(manifest)
    known = {}
    for name in sorted(named.keys() | emitters.keys()):
        # Which types two patterns have in common is nobody's question here: a pattern is handled by who names it.
        found = named.get(name, ()) if "*" in name else [manifest for _, manifest in trie.match(name)]
        handlers = {(each.id, each.version): each for each in found}
        in_order = [handlers[key] for key in sorted(handlers)]
        known[name] = Known(
            type=name,
            handlers=tuple(in_order),
            emitters=tuple(emitters.get(name, ())),
            schemas=_schemas(name, in_order),
        )
    return known


def _schemas(name: str, handlers: Iterable[Manifest]) -> tuple[Mapping[str, Any], ...]:
    found: list[Mapping[str, Any]] = [FAILURE] if name == ERROR else []
    for manifest in handlers:
        if manifest.schema is not None and manifest.schema not in found:
            found.append(manifest.schema)
    return tuple(found)
