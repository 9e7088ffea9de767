"""The values of the policy engine: policies in a bundle, the request, the decision. Pure; nothing here decides."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from vextir_os.driverkit.manifest import DriverKind
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal

Effect = Literal["allow", "deny"]
"""What a policy can do."""

Outcome = Literal["allow", "deny", "require_approval", "defer"]
"""What a decision can say. Whoever carries it out acts on `allow` alone."""

Mode = Literal["enforce", "shadow"]
"""`shadow`: the policy is decided with and told of, and changes nothing."""

Layer = Literal["platform"]
"""Whose policies they are: `platform` is the operator of the installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Which requests a policy is about: one of the texts in every field has to match.

    Attributes:
        action: `verb:resource` patterns, at least one: `tool:mail/*`.
        event: Patterns of the type of the event that is handled; `**` also fits an action without an event.
        users: `*`, `ann`, `agent:*`, `role:support`.
        drivers: `*`, `agent:*`, `research.agent`; all but `*` ask for a driver.
        tenants: `*`, `acme`, `eu-*`.
    """

    action: tuple[str, ...]
    event: tuple[str, ...] = ("**",)
    users: tuple[str, ...] = ("*",)
    drivers: tuple[str, ...] = ("*",)
    tenants: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One rule.

    Attributes:
        id: Lower-case name, unique in the bundle.
        effect: `allow` or `deny`.
        match: Which requests it is about.
        priority: 0 to 1000; the highest that matches decides, within one priority a deny.
        mode: `shadow` to see what it would change, before it does.
        when: A condition that has to hold as well (docs/guides/conditions.md); empty for none.
        reason: What to tell whoever is denied; a sentence.
        origin: Where it stands: `policies/mail.yaml:14`.
    """

    id: str
    effect: Effect
    match: Match
    when: str = ""
    mode: Mode = "enforce"
    priority: int = 100
    description: str = ""
    reason: str = ""
    origin: str = ""
    layer: Layer = "platform"

    def to_json(self) -> dict[str, Any]:
        """Return what decides, without the place: the same policy in another file or line is the same policy."""
        return {
            "id": self.id,
            "layer": self.layer,
            "effect": self.effect,
            "priority": self.priority,
            "description": self.description,
            "reason": self.reason,
            **({"when": self.when} if self.when else {}),
            **({"mode": self.mode} if self.mode != "enforce" else {}),
            "match": {
                "action": list(self.match.action),
                "event": list(self.match.event),
                "users": list(self.match.users),
                "drivers": list(self.match.drivers),
                "tenants": list(self.match.tenants),
            },
        }


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """All policies of one installation, checked.

    Attributes:
        policies: In the order of file and line.
        development: A file says `development: true`: the bundle is for one's own machine, and the OS refuses
            to serve other machines with it.
    """

    policies: tuple[Policy, ...] = ()
    development: bool = False

    @cached_property
    def hash(self) -> str:
        """`sha256:` + hex over the canonical JSON of the policies by id; files, lines and comments are not in it."""
        content = {
            "v": 1,
            "development": self.development,
            "policies": [policy.to_json() for policy in sorted(self.policies, key=lambda policy: policy.id)],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class Request(NamedTuple):
    """One action that somebody is about to do.

    Attributes:
        verb: One of the grammar's verbs: `tool`.
        resource: What it acts on, without globs: `mail/send`.
        principal: On whose behalf.
        event_type: Type of the event that is handled or published; empty when there is none.
        driver: Id of the driver that acts, if one does.
        driver_kind: Its kind.
        event: Gives the event that is handled or published, when a condition asks for it; None where there is none.
        args: What is handed over: the data of an event that is emitted; None for nothing.
        run: The run that acts: `{"attempt": 1, "rerun": 0}`.
        plain: Data of event and `args` are known to be plain JSON, within bounds: they came out of it, or were checked.
        clock: Gives the epoch seconds of the decision, for conditions over time.
    """

    verb: str
    resource: str
    principal: Principal
    event_type: str = ""
    driver: str | None = None
    driver_kind: DriverKind | None = None
    event: Callable[[], Event] | None = None
    args: Any = None
    run: Mapping[str, Any] | None = None
    clock: Callable[[], float] | None = None
    plain: bool = False

    @property
    def action(self) -> str:
        """`verb:resource`, as messages name it."""
        return f"{self.verb}:{self.resource}"


class Decision(NamedTuple):
    """What the engine answered, and why.

    Attributes:
        policy_id: The policy that decided; None when no policy matched.
        reason: A sentence, empty for a plain allow.
        obligations: What has to be done along with an allow; who cannot do one of them denies.
        considered: Policies that were compared with the request before one decided.
        bundle_hash: Which policies answered.
        until: Epoch seconds at which a deferred action is decided again.
        shadow: What would be decided if the policies in mode `shadow` counted; None where that is the same.
    """

    effect: Outcome
    policy_id: str | None
    bundle_hash: str
    reason: str = ""
    obligations: tuple[object, ...] = ()
    considered: int = 0
    until: float | None = None
    shadow: "Decision | None" = None

    @property
    def allowed(self) -> bool:
        """Whether the action may be done now."""
        return self.effect == "allow"

    def to_json(self) -> dict[str, Any]:
        """Return what a record keeps: `{"effect": "allow", "policy_id": "p-1", "bundle_hash": "sha256:77"}`.

        The reason is added where the action is not allowed, `until` where it is deferred, `shadow` where policies that
        do not count yet would decide otherwise: `{"effect": "deny", "policy_id": "p-2"}`.
        """
        document: dict[str, Any] = {
            "effect": self.effect,
            "policy_id": self.policy_id,
            "bundle_hash": self.bundle_hash,
        }
        if not self.allowed:
            document["reason"] = self.reason
        if self.until is not None:
            document["until"] = self.until
        if self.shadow is not None:
            document["shadow"] = {"effect": self.shadow.effect, "policy_id": self.shadow.policy_id}
        return document
