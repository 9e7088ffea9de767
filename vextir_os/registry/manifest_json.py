"""Manifests and the index as JSON, and back. Pure: bytes in, values out.

`{"v": 2, "shape": "9f2c…", "sources": {"drivers/mail": "sha256:…"}, "manifests": [{"id": "mail.sorter", …}], …}`
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from vextir_os.driverkit.agent import AgentSpec
from vextir_os.driverkit.flow import Flow, Rate
from vextir_os.driverkit.manifest import Manifest, Retry
from vextir_os.errors import StaleIndexError, UndecodableError
from vextir_os.events.jsonio import loads
from vextir_os.registry.agent_json import agent_from_json, agent_to_json
from vextir_os.registry.sources import source_of
from vextir_os.registry.stored import FIRST_FIELDS, OPENING, StoredManifests

VERSION = 2
INDEX_FILE = "drivers/index.json"
BUILD = "Run: vextir build"

VALUES = (Manifest, Retry, Flow, AgentSpec)
"""Every class of a manifest whose fields stand in the index by name."""

_DIGEST = ',\n  "digest": "sha256:{}"\n}}\n'
_APART = {*FIRST_FIELDS, "code_hash"}
_FIELDS = (*FIRST_FIELDS, *(each.name for each in fields(Manifest) if each.name not in _APART))


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """All drivers of a project.

    Attributes:
        manifests: By id.
        sources: `sha256:` + hex of all that drivers are declared in: driver folders, YAML files, agents, packs.
    """

    manifests: Sequence[Manifest] = ()
    sources: Mapping[str, str] = field(default_factory=dict)


def encode_index(index: Index) -> bytes:
    """Return the index as the bytes of its file; the same index gives the same bytes."""
    return _sealed(
        {
            "v": VERSION,
            "shape": _shape(),
            "sources": dict(sorted(index.sources.items())),
            "manifests": [*map(manifest_json, sorted(index.manifests, key=lambda manifest: manifest.id))],
        }
    )


def decode_index(raw: bytes) -> Index:
    """Return the index that the bytes of its file hold. Its manifests are decoded one by one, when they are asked for.

    Raises:
        StaleIndexError: They are no index, an index of another version, or not as the build wrote them.
    """
    if not _is_sealed(raw):
        raw = _laid_out_anew(raw)
    at = raw.find(OPENING)
    if at < 0:
        raise _stale("it is no driver index")
    head = loads(raw[:at].rstrip(b",") + b"}")
    _check_version(head)
    if head.get("shape") != _shape():
        raise _stale("it was built by another version of Vextir OS")
    sources = head["sources"]
    manifests = StoredManifests(raw, at + len(OPENING), lambda entry: _from_json(entry, sources))
    return Index(manifests=manifests, sources=sources)


def _laid_out_anew(raw: bytes) -> bytes:
    """Return the bytes that the build wrote, where an editor or git has changed nothing but the layout of the JSON.

    Raises:
        StaleIndexError: More than that was changed, or this is something else.
    """
    try:
        body = loads(raw)
    except UndecodableError as error:
        raise _stale("it is damaged, or holds the marks of a merge") from error
    if not isinstance(body, dict) or "manifests" not in body:
        raise _stale("it is no driver index")
    _check_version(body)
    digest = body.pop("digest", None)
    sealed = _sealed(body)
    if not sealed.endswith(f'"digest": "{digest}"\n}}\n'.encode()):
        raise _stale("it was changed by hand")
    return sealed


def _check_version(body: Mapping[str, Any]) -> None:
    if body.get("v") != VERSION:
        raise _stale(f"it has version {body.get('v')!r}, this Vextir OS reads version {VERSION}")


def _stale(what: str) -> StaleIndexError:
    return StaleIndexError(f"the driver index cannot be used: {what}", hint=BUILD, where=INDEX_FILE)


def _sealed(body: Mapping[str, Any]) -> bytes:
    """Return the bytes of the file: JSON for people, with the digest of all that stands before it."""
    text = json.dumps(body, indent=2, ensure_ascii=False).encode().removesuffix(b"\n}")
    return text + _DIGEST.format(hashlib.sha256(text).hexdigest()).encode()


def _is_sealed(raw: bytes) -> bool:
    """Whether the file ends with the digest of what stands before it."""
    length = max(len(raw) - len(_DIGEST.format("0" * 64)), 0)
    return raw[length:] == _DIGEST.format(hashlib.sha256(memoryview(raw)[:length]).hexdigest()).encode()


def _shape() -> str:
    """Return a word for the fields that manifests have in this version of Vextir OS."""
    names = "|".join(f"{value.__name__}:{','.join(each.name for each in fields(value))}" for value in VALUES)
    return hashlib.sha256(names.encode()).hexdigest()[:16]


def manifest_json(manifest: Manifest) -> dict[str, Any]:
    """Return a manifest as JSON, without the hash of its code, which stands among the sources."""
    entry = {name: getattr(manifest, name) for name in _FIELDS}
    return entry | {
        "capabilities": list(manifest.capabilities),
        "permissions": list(manifest.permissions),
        "env": list(manifest.env),
        "retry": {**_rule(manifest.retry), "on": {kind: _rule(rule) for kind, rule in manifest.retry.on.items()}},
        "errors": dict(manifest.errors),
        "flow": None if manifest.flow is None else _flow_json(manifest.flow),
        "agent": None if manifest.agent is None else agent_to_json(manifest.agent),
        "schema": None if manifest.schema is None else dict(manifest.schema),
    }


def _from_json(entry: dict[str, Any], sources: Mapping[str, str]) -> Manifest:
    # The digest has shown that our build wrote this; what may differ is only the version of that build.
    try:
        return Manifest(
            **entry
            | {
                "capabilities": tuple(entry["capabilities"]),
                "permissions": tuple(entry["permissions"]),
                "env": tuple(entry["env"]),
                "retry": _retry(entry["retry"]),
                "flow": None if entry["flow"] is None else _flow(entry["flow"]),
                "agent": None if entry["agent"] is None else agent_from_json(entry["agent"]),
                "code_hash": sources[source_of(entry["origin"], entry["entry"], entry["module"])],
            }
        )
    except (TypeError, KeyError) as error:
        raise _stale("it was built by another version of Vextir OS") from error


def _rule(retry: Retry) -> dict[str, Any]:
    return {"max_attempts": retry.max_attempts, "base_s": retry.base_s, "cap_s": retry.cap_s}


def _retry(entry: dict[str, Any]) -> Retry:
    return Retry(**entry | {"on": {kind: Retry(**rule) for kind, rule in entry.get("on", {}).items()}})


def _flow_json(flow: Flow) -> dict[str, Any]:
    entry = asdict(flow)
    return entry | {"throttle": None if flow.throttle is None else list(flow.throttle)}


def _flow(entry: dict[str, Any]) -> Flow:
    return Flow(**entry | {"throttle": None if entry["throttle"] is None else Rate(*entry["throttle"])})
