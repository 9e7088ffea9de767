"""One driver as data and as lines: its manifest, where it comes from, what it takes, what it ran last. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vextir_os.cli.details import pair
from vextir_os.cli.screen import Screen, Span
from vextir_os.cli.text import duration, moment, visible, visible_json
from vextir_os.cli.tree import STYLES
from vextir_os.driverkit.agent import AgentSpec
from vextir_os.driverkit.manifest import Manifest
from vextir_os.registry.agent_json import agent_to_json
from vextir_os.registry.manifest_json import manifest_json

_APART = ("module", "attribute", "entry", "line", "schema", "agent")
_SAID = frozenset(
    {"id", "description", "capabilities", "permissions", "timeout_s", "form", "origin", "code_hash", "where"}
    | {"data_schema", "agent", "last_runs", "paused", "off", "share", "unhealthy", "versions"}
)
FORMS: Mapping[str, str] = {
    "function": "a function under @driver",
    "class": "a class under @driver",
    "yaml": "declared in YAML",
    "agent_md": "an agent in markdown",
}


def place_of(manifest: Manifest) -> str:
    """Return where a driver is written: `drivers/mail/driver.py:7`."""
    return f"{manifest.entry.rpartition(':')[0]}:{manifest.line}"


def row_of(manifest: Manifest) -> dict[str, Any]:
    """Return a driver as lists show it."""
    return {
        "id": manifest.id,
        "kind": manifest.kind,
        "version": manifest.version,
        "description": manifest.description,
        "form": manifest.form,
        "origin": manifest.origin,
        "where": place_of(manifest),
        "capabilities": list(manifest.capabilities),
        "permissions": list(manifest.permissions),
        "timeout_s": manifest.timeout_s,
        "isolation": manifest.isolation,
        "memory_bytes": manifest.memory_bytes,
        "cpu_s": manifest.cpu_s,
        "processes": manifest.processes,
        "concurrency": None if manifest.flow is None else manifest.flow.concurrency,
        "code_hash": manifest.code_hash,
    }


def held_of(manifest: Manifest) -> str:
    """Return where a driver runs and within what: `process 512MB, 4 at once`; empty for inline without limits."""
    isolation, memory = manifest.isolation, manifest.memory_bytes
    at_once = None if manifest.flow is None else manifest.flow.concurrency
    if isolation == "inline" and memory is None and at_once is None:
        return ""
    size = "" if memory is None else f" {memory / 1_000_000:.0f}MB{'' if isolation == 'process' else ' (not enforced)'}"
    return f"{isolation}{size}" + ("" if at_once is None else f", {at_once} at once")


def view_of(manifest: Manifest, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a driver in full.

    Args:
        manifest: What it declares.
        runs: Its last runs as `runlist` gives them, the newest first.
    """
    whole = manifest_json(manifest)
    return row_of(manifest) | {
        **{name: value for name, value in whole.items() if name not in _APART},
        "data_schema": whole["schema"],
        "agent": None if manifest.agent is None else agent_to_json(manifest.agent),
        "last_runs": [dict(run) for run in runs],
    }


def driver_lines(to: Screen, manifest: Manifest, view: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for a driver, as `view_of` gives it."""
    yield pair(to, "id", to.paint(visible(manifest.id), "bold"))
    if manifest.description:
        yield pair(to, "description", visible(manifest.description))
    yield pair(to, "where", f"{visible(place_of(manifest))}  {to.paint(FORMS[manifest.form], 'dim')}")
    yield pair(to, "origin", visible(manifest.origin))
    yield pair(to, "code", manifest.code_hash)
    yield pair(to, "handles", visible(", ".join(manifest.capabilities)))
    yield pair(to, "may use", visible(", ".join(manifest.permissions)) or "nothing")
    yield pair(to, "timeout", duration(manifest.timeout_s))
    if len(view["versions"]) > 1:
        shares = (f"{version}: {100 * share:.3g} %" for version, share in view["versions"].items())
        yield pair(to, "versions", visible(", ".join(shares)))
    for name, value in view.items():
        if name not in _SAID and value not in (None, {}):
            yield pair(to, name, _value(value))
    if manifest.agent is not None:
        yield from _agent_lines(to, manifest.agent)
    yield from _schema_lines(to, view["data_schema"])
    yield from _run_lines(to, view["last_runs"])


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        shown = (f"{name} {_value(inner)}" for name, inner in value.items() if inner not in (None, "", {}, []))
        return visible(", ".join(shown))
    return visible(value) if isinstance(value, str) else visible_json(value)


def _agent_lines(to: Screen, agent: AgentSpec) -> Iterator[str]:
    yield pair(to, "model", visible(agent.model) or "the installation's")
    if agent.trigger:
        yield pair(to, "trigger", visible(agent.trigger))
    tools = "all of the project" if agent.tools is None else ", ".join(agent.tools) or "none"
    excluded = f", but {', '.join(agent.tools_excluded)}" if agent.tools_excluded else ""
    yield pair(to, "tools", visible(tools + excluded))
    lists = (("mcp", agent.mcp), ("skills", agent.skills), ("endpoints", agent.endpoints))
    yield from (pair(to, name, visible(", ".join(values))) for name, values in lists if values)
    if agent.subagents:
        yield pair(to, "asks", visible(", ".join(delegate.agent for delegate in agent.subagents)))
    yield pair(to, "runs", to.paint("not in this version: what comes is kept as a dead letter", "warn"))


def _schema_lines(to: Screen, schema: Mapping[str, Any] | None) -> Iterator[str]:
    if schema is None:
        yield pair(to, "data", "any")
        return
    yield to.paint("data", "dim")
    yield from (f"  {line}" for line in visible_json(schema, indent=2).split("\n"))


def _run_lines(to: Screen, runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not runs:
        yield pair(to, "last runs", "none")
        return
    yield to.paint("last runs", "dim")
    for run in runs:
        yield to.text(
            [
                Span("  " + ("" if run["started"] is None else moment(run["started"])), "dim"),
                Span(run["state"], STYLES.get(run["status"], "plain")),
                Span(visible(run["type"])),
                Span(visible(run["event"])),
                Span(duration(run["duration_ms"] / 1_000) if "duration_ms" in run else "", "dim"),
                Span(visible(run["error"]), "plain", elastic=True),
            ]
        )
