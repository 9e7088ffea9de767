"""The manifest: what a driver handles, may use and needs. A value; one form for every way of writing a driver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from vextir_os.driverkit.agent import AgentSpec
from vextir_os.driverkit.flow import Flow
from vextir_os.errors import Kind

DriverKind = Literal["agent", "tool", "io", "ui"]
Isolation = Literal["inline", "thread", "process"]
Delivery = Literal["default", "idempotent"]
OnPoison = Literal["skip", "halt"]

Form = Literal["function", "class", "yaml", "agent_md"]
"""How a driver is written: under `@driver`, as `driver:` in a YAML file, as an agent in markdown."""

DECLARED: tuple[Form, ...] = ("yaml", "agent_md")
"""Forms of agents that are declared, and not programmed."""

PROJECT = "project"
"""Origin of the drivers that stand in the project itself."""

RetriedKind = Literal["transient", "throttled", "bug"]
"""Kinds of failures after which the same call may succeed; `invalid` and `permission` are never tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how patiently a failed run is tried again: exponential back-off with full jitter.

    Attributes:
        max_attempts: Attempts of one run in all, the first included; 1 to 100. After a `bug` three at most, unless
            `on` says otherwise.
        base_s: Ceiling of the first delay, in seconds; it doubles with each attempt.
        cap_s: Ceiling of every delay, in seconds; of one that the upstream names too.
        on: Other rules for some kinds of failures: `{"throttled": Retry(max_attempts=20, cap_s=3600)}`.
    """

    max_attempts: int = 5
    base_s: float = 1.0
    cap_s: float = 300.0
    on: Mapping[RetriedKind, "Retry"] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One driver, as data. Made by `@driver`, stored in the driver index as JSON.

    Attributes:
        id: Dotted lower-case name, unique in the registry: `research.agent`.
        capabilities: Event types or patterns that it handles; at least one.
        permissions: `verb:resource` globs of what it may ever use; a policy must allow each use as well.
        timeout_s: Longest turn of one run, in seconds.
        heartbeat_s: How long a turn may give no sign of life, in seconds; None where it need not give any.
        errors: What exceptions mean that are not ours: `{"KeyError": "invalid", "openai.RateLimitError": "throttled"}`.
        memory_bytes: Memory limit of isolation `process`; kept and shown, not enforced elsewhere.
        cpu_s: CPU time of one turn in seconds, for isolation `process`; None for as much as its time-out allows.
        processes: Further processes that a turn may have at once, for isolation `process`.
        env: Names of environment variables that its process is given beside the usual ones.
        flow: How much of it runs at once and how often it starts; None for as much as comes.
        on_poison: What the death of an ordered event's run does to its key: `skip` lets the next one go on, `halt`
            blocks the key until a person has answered.
        weight: Which part of 100 of the new events this version gets, where the driver has several; None for what the
            others leave.
        form: How it is written.
        origin: Who brought it: `project`, or `pack:acme-drivers 1.2.0`.
        agent: What an agent that is declared, and not programmed, says of itself; None for code.
        entry: Where it is written: `drivers/research/driver.py:research`.
        module: Dotted name below the drivers folder, `research.driver`; imported at the first event.
        attribute: Name in the module.
        line: Line of the declaration in the file, from 1.
        schema: JSON Schema of the typed `data` parameter, if it has one.
        code_hash: `sha256:` + hex over the files of the driver's folder.
    """

    id: str
    kind: DriverKind
    capabilities: tuple[str, ...]
    permissions: tuple[str, ...] = ()
    timeout_s: float = 30.0
    heartbeat_s: float | None = None
    memory_bytes: int | None = None
    cpu_s: float | None = None
    processes: int = 0
    env: tuple[str, ...] = ()
    retry: Retry = field(default_factory=Retry)
    errors: Mapping[str, Kind] = field(default_factory=lambda: MappingProxyType({}))
    isolation: Isolation = "inline"
    delivery: Delivery = "default"
    on_poison: OnPoison = "skip"
    flow: Flow | None = None
    version: str = "1"
    weight: int | None = None
    description: str = ""
    form: Form = "function"
    origin: str = PROJECT
    agent: AgentSpec | None = None
    module: str = ""
    attribute: str = ""
    entry: str = ""
    line: int = 0
    schema: Mapping[str, Any] | None = None
    code_hash: str = ""
