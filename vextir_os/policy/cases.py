"""Tests of policies, which stand beside them: a request, and what is to be decided about it. Pure; nothing is sent.

tests:
  - name: small orders are accepted
    given: {action: "emit:order.accepted", event: {type: order.placed, data: {amount: 20}}, user: ann}
    expect: {effect: allow, policy: small-orders}
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast, get_args

from vextir_os.driverkit.manifest import DriverKind
from vextir_os.errors import VextirError, did_you_mean, shown
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal, PrincipalKind
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.grammar import parse_action, resource_problem
from vextir_os.policy.model import Decision, Outcome, Request
from vextir_os.policy.walk import Path, Walk

CASE_KEYS = ("name", "given", "expect")
GIVEN_KEYS = ("action", "event", "user", "tenant", "driver", "args", "run", "now")
USER_KEYS = ("id", "kind", "roles")
DRIVER_FIELDS = ("id", "kind")
EVENT_KEYS = ("type", "data", "id", "source", "subject", "category", "userid", "correlationid", "causationid",
              "partitionkey", "priority", "labels")  # fmt: skip
EXPECT_KEYS = ("effect", "policy")
OUTCOMES: tuple[str, ...] = get_args(Outcome)
_NAME_CHARS = 200
_DRIVER_KINDS: tuple[str, ...] = get_args(DriverKind)
_USER_KINDS: tuple[str, ...] = get_args(PrincipalKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test.

    Attributes:
        effect: What has to be decided.
        policy: The policy that has to decide; empty for any.
        origin: Where it stands: `policies/mail.yaml:14`.
    """

    name: str
    request: Request
    effect: str
    policy: str
    origin: str

    def failure(self, engine: PolicyEngine) -> str:
        """Return what was decided instead; empty when it is as expected."""
        decision = engine.decide(self.request)
        if decision.effect == self.effect and self.policy in ("", decision.policy_id):
            return ""
        return f"decided {said(decision)}, not {self.effect}{f' by {self.policy}' if self.policy else ''}"


def said(decision: Decision) -> str:
    """Return a decision in a few words: `allow by small-orders`, `deny: no policy allows …`."""
    by = f" by {decision.policy_id}" if decision.policy_id else ""
    return f"{decision.effect}{by}" if by or not decision.reason else f"{decision.effect}: {decision.reason}"


def read_case(walk: Walk, item: Any, path: Path) -> Case | None:
    """Read one test; None, and its problems on the walk, where it cannot be read."""
    before = len(walk.problems)
    if not walk.is_a(item, dict, path, "a test"):
        return None
    walk.check_keys(item, CASE_KEYS, path, "a test")
    walk.check_present(item, CASE_KEYS, path, "the test")
    name = item.get("name", "")
    if walk.is_a(name, str, (*path, "name"), "`name`") and not (name.isprintable() and len(name) <= _NAME_CHARS):
        walk.add(f"`name` is no printable text of at most {_NAME_CHARS} characters", "", (*path, "name"))
    request = read_request(walk, item.get("given", {}), (*path, "given"))
    effect, policy = _expected(walk, item.get("expect", {}), (*path, "expect"))
    if request is None or len(walk.problems) > before:
        return None
    origin = f"{walk.document.name}:{walk.document.line(path)}"
    return Case(name=name, request=request, effect=effect, policy=policy, origin=origin)


def _expected(walk: Walk, expect: Any, path: Path) -> tuple[str, str]:
    if not walk.is_a(expect, dict, path, "`expect`"):
        return "", ""
    walk.check_keys(expect, EXPECT_KEYS, path, "`expect`")
    walk.check_present(expect, ("effect",), path, "`expect`")
    effect, policy = expect.get("effect", "deny"), expect.get("policy", "")
    if walk.is_a(effect, str, (*path, "effect"), "`effect`") and effect not in OUTCOMES:
        hint = did_you_mean(effect, OUTCOMES) or f"It is one of {', '.join(OUTCOMES)}"
        walk.add(f"{shown(effect)} is no decision", hint, (*path, "effect"))
    walk.is_a(policy, str, (*path, "policy"), "`policy`")
    return str(effect), str(policy)


def read_request(walk: Walk, given: Any, path: Path) -> Request | None:
    """Read what a test gives; None, or problems on the walk, where it cannot be read."""
    if not walk.is_a(given, dict, path, "`given`"):
        return None
    walk.check_keys(given, GIVEN_KEYS, path, "`given`")
    walk.check_present(given, ("action",), path, "`given`")
    verb, resource = _action(walk, given.get("action", ""), (*path, "action"))
    tenant = given.get("tenant", "local")
    walk.is_a(tenant, str, (*path, "tenant"), "`tenant`")
    principal = _user(walk, given.get("user", "ann"), str(tenant), (*path, "user"))
    event = _event(walk, given["event"], str(tenant), (*path, "event")) if "event" in given else None
    driver, kind = _driver(walk, given.get("driver"), (*path, "driver"))
    run = given.get("run")
    if run is not None and not walk.is_a(run, dict, (*path, "run"), "`run`"):
        run = None
    now = _now(walk, given.get("now"), (*path, "now"))
    if principal is None:
        return None
    return Request(
        verb=verb,
        resource=resource,
        principal=principal,
        event_type=event.type if event else "",
        driver=driver,
        driver_kind=kind,
        event=None if event is None else (lambda: event),
        args=given.get("args"),
        run=run,
        clock=None if now is None else (lambda: now),
    )


def _action(walk: Walk, action: Any, path: Path) -> tuple[str, str]:
    if not walk.is_a(action, str, path, "`action`"):
        return "", ""
    verb, _, resource = action.partition(":")
    try:
        parse_action(action)
    except VextirError as error:
        walk.add(error.what, error.hint, path)
        return "", ""
    problem = resource_problem(verb, resource)
    if problem:
        walk.add(f"{shown(action)} is no action: {problem}", "Name one thing, without globs", path)
    return verb, resource


def _user(walk: Walk, user: Any, tenant: str, path: Path) -> Principal | None:
    fields = {"id": user} if isinstance(user, str) else user
    if not walk.is_a(fields, dict, path, "`user`"):
        return None
    walk.check_keys(fields, USER_KEYS, path, "`user`")
    kind, name, roles = fields.get("kind", "user"), fields.get("id", ""), fields.get("roles", [])
    if kind not in _USER_KINDS:
        walk.add(f"{shown(str(kind))} is no kind of user", f"It is one of {', '.join(_USER_KINDS)}", (*path, "kind"))
        return None
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        walk.add("`roles` is no list of texts", "", (*path, "roles"))
        return None
    walk.is_a(name, str, (*path, "id"), "`id`")
    return Principal(kind=cast(PrincipalKind, kind), id=str(name), tenant=tenant, roles=tuple(roles))


def _driver(walk: Walk, driver: Any, path: Path) -> tuple[str | None, DriverKind | None]:
    if driver is None:
        return None, None
    fields = {"id": driver} if isinstance(driver, str) else driver
    if not walk.is_a(fields, dict, path, "`driver`"):
        return None, None
    walk.check_keys(fields, DRIVER_FIELDS, path, "`driver`")
    walk.check_present(fields, ("id",), path, "`driver`")
    kind = fields.get("kind", "tool")
    if kind not in _DRIVER_KINDS:
        hint = f"It is one of {', '.join(_DRIVER_KINDS)}"
        walk.add(f"{shown(str(kind))} is no kind of driver", hint, (*path, "kind"))
        return None, None
    return str(fields.get("id", "")), cast(DriverKind, kind)


def _event(walk: Walk, event: Any, tenant: str, path: Path) -> Event | None:
    if not walk.is_a(event, dict, path, "`event`"):
        return None
    walk.check_keys(event, EVENT_KEYS, path, "`event`")
    walk.check_present(event, ("type",), path, "`event`")
    known = {key: value for key, value in event.items() if key in EVENT_KEYS}
    labels = known.get("labels")
    if isinstance(labels, list):
        known["labels"] = tuple(labels)
    try:
        return Event(**{"type": "", "tenantid": tenant, **known})
    except VextirError as error:
        walk.add(error.what, error.hint, path)
        return None


def _now(walk: Walk, now: Any, path: Path) -> float | None:
    if now is None or not walk.is_a(now, str, path, "`now`"):
        return None
    try:
        time = datetime.fromisoformat(now)
    except ValueError:
        time = None
    if time is None or time.utcoffset() is None:
        walk.add(f"{shown(now)} is no time with a zone", 'Write "2026-11-21T08:30:00+01:00"', path)
        return None
    return time.timestamp()
