"""Decisions: the highest priority, a deny before an allow, nothing without an allow; the same as a naive reference."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.manifest import DriverKind
from vextir_os.errors import ActionError
from vextir_os.events.identity import Principal
from vextir_os.events.patterns import matches as type_matches
from vextir_os.policy import engine as engine_module
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.grammar import VERBS, permits
from vextir_os.policy.loader import load_policies
from vextir_os.policy.model import Bundle, Decision, Effect, Match, Policy, Request
from vextir_os.policy.selectors import parse_driver, parse_tenant, parse_user

ANN = Principal(kind="user", id="ann", tenant="acme", roles=("support",))


def policy(id_: str, effect: Effect, priority: int = 100, reason: str = "", **match: Any) -> Policy:
    action = match.pop("action", ("tool:mail/*",))
    return Policy(id=id_, effect=effect, priority=priority, reason=reason, match=Match(action=action, **match))


def request(action: str = "tool:mail/send", **changes: Any) -> Request:
    verb, _, resource = action.partition(":")
    return Request(**{"verb": verb, "resource": resource, "principal": ANN, "event_type": "email.reply", **changes})


def decide(*policies: Policy, asked: Request | None = None) -> Decision:
    return PolicyEngine(Bundle(policies=policies)).decide(asked or request())


@pytest.mark.parametrize(
    ("policies", "effect", "decided_by"),
    [
        ([], "deny", None),
        ([("a", "allow", 1)], "allow", "a"),
        ([("a", "deny", 1)], "deny", "a"),
        ([("a", "allow", 1), ("b", "deny", 1)], "deny", "b"),
        ([("a", "deny", 1), ("b", "allow", 1)], "deny", "a"),
        ([("a", "allow", 2), ("b", "deny", 1)], "allow", "a"),
        ([("a", "allow", 1), ("b", "deny", 2)], "deny", "b"),
        ([("a", "allow", 2), ("b", "deny", 1), ("c", "deny", 2)], "deny", "c"),
        ([("b", "allow", 1), ("a", "allow", 1)], "allow", "a"),
        ([("a", "allow", 0), ("b", "deny", 0), ("c", "allow", 1000)], "allow", "c"),
    ],
)
def test_the_highest_priority_decides_and_within_one_a_deny(
    policies: Sequence[tuple[str, Effect, int]], effect: str, decided_by: str | None
) -> None:
    decision = decide(*(policy(*row) for row in policies))
    assert (decision.effect, decision.policy_id) == (effect, decided_by)


@pytest.mark.parametrize(
    ("match", "asked", "holds"),
    [
        ({}, {}, True),
        ({"action": ("tool:github/*", "tool:mail/send")}, {}, True),
        ({"action": ("tool:github/*",)}, {}, False),
        ({"action": ("http:*.example.com",)}, {"verb": "http", "resource": "api.example.com"}, True),
        ({"action": ("http:*.example.com",)}, {"verb": "http", "resource": "example.com"}, False),
        ({"event": ("email.*",)}, {}, True),
        ({"event": ("email.*",)}, {"event_type": "email"}, False),
        ({"event": ("*",)}, {"event_type": ""}, False),
        ({"event": ("**",)}, {"event_type": ""}, True),
        ({"event": ("chat.*", "*.reply")}, {}, True),
        ({"users": ("bob",)}, {}, False),
        ({"users": ("bob", "role:support")}, {}, True),
        ({"users": ("bob", "*")}, {}, True),
        ({"users": ("ann",)}, {"principal": Principal(kind="agent", id="ann", tenant="acme")}, False),
        ({"drivers": ("agent:*",)}, {"driver": "mail.agent", "driver_kind": "agent"}, True),
        ({"drivers": ("agent:*",)}, {"driver": "mail.tool", "driver_kind": "tool"}, False),
        ({"drivers": ("agent:*",)}, {}, False),
        ({"drivers": ("*",)}, {}, True),
        ({"drivers": ("mail.*",)}, {"driver": "mail.agent"}, True),
        ({"tenants": ("acme",)}, {}, True),
        ({"tenants": ("ac*",)}, {}, True),
        ({"tenants": ("other",)}, {}, False),
    ],
)
def test_every_field_of_the_match_has_to_hold(match: dict[str, Any], asked: dict[str, Any], holds: bool) -> None:
    assert decide(policy("a", "allow", **match), asked=request(**asked)).allowed is holds


def test_a_denial_by_no_policy_says_which_action_nobody_allows() -> None:
    decision = decide(policy("a", "allow", users=("bob",)), asked=request(driver="mail.agent"))
    assert decision.reason == "no policy allows `tool:mail/send` for user:ann by driver mail.agent"
    assert decision.considered == 1


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (Policy(id="a", effect="deny", match=Match(action=("tool:**",)), reason="No.", description="D."), "No."),
        (Policy(id="a", effect="deny", match=Match(action=("tool:**",)), description="D."), "D."),
        (Policy(id="a", effect="deny", match=Match(action=("tool:**",))), "policy a denies it"),
    ],
)
def test_a_denial_says_the_policys_reason_or_what_comes_nearest(given: Policy, reason: str) -> None:
    assert decide(given).reason == reason


def test_a_decision_counts_the_policies_that_were_compared() -> None:
    others = [policy(f"other-{n}", "deny", action=(f"tool:server{n}/*",)) for n in range(50)]
    decision = decide(policy("a", "deny", 3, users=("bob",)), policy("b", "allow", 2), policy("c", "deny", 1), *others)
    assert (decision.policy_id, decision.considered) == ("b", 2)


NO_TYPE = "is not dotted lower case of at most 128 characters"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (
            request("context.read:/a/../b"),
            "`context.read:/a/../b` can be allowed by no policy: the segment `..` is not allowed",
        ),
        (request("admin:\x1b[2J"),
         "`admin:\\x1b[2J` can be allowed by no policy: the resource holds control or invisible characters"),
        (request("fly:away"), "`fly:away` can be allowed by no policy: the verb `fly` is unknown"),
        (request("tool:mail/*"),
         "`tool:mail/*` can be allowed by no policy: it holds `*`, and an action names one thing"),
        (
            request(event_type="Mail..x"),
            f"`tool:mail/send` can be allowed by no policy: event type 'Mail..x' {NO_TYPE}",
        ),
    ],
)  # fmt: skip
def test_what_is_not_well_formed_is_denied_whatever_policies_say(asked: Request, reason: str) -> None:
    everything = load_policies(Path(__file__).parents[3] / "policies")
    decision = PolicyEngine(everything).decide(asked)
    assert (decision.effect, decision.policy_id, decision.reason) == ("deny", None, reason)


RESOURCES = {
    "publish": "mail.received", "process": "mail.received", "emit": "mail.sent", "call": "research.request",
    "model": "chat/a/b:8", "tool": "mail/send", "context.read": "/a/b c", "context.write": "/a",
    "http": "api.example.com",
    "secret": "KEY", "plan": "weekly", "ui": "desk/approve", "admin": "policy",
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
def test_development_allows_every_verb_and_an_empty_bundle_none(verb: str) -> None:
    asked = request(f"{verb}:{RESOURCES[verb]}")
    everything = load_policies(Path(__file__).parents[3] / "policies")
    assert PolicyEngine(everything).decide(asked).policy_id == "development-allows-everything"
    assert not PolicyEngine(Bundle()).decide(asked).allowed


def test_a_record_keeps_the_decision_small() -> None:
    bundle = Bundle(policies=(policy("p-1", "allow"),))
    assert PolicyEngine(bundle).decide(request()).to_json() == {
        "effect": "allow", "policy_id": "p-1", "bundle_hash": bundle.hash,
    }  # fmt: skip


def test_a_record_keeps_the_reason_of_a_denial() -> None:
    assert decide(policy("p-1", "deny", reason="No.")).to_json() == {
        "effect": "deny",
        "policy_id": "p-1",
        "bundle_hash": Bundle(policies=(policy("p-1", "deny", reason="No."),)).hash,
        "reason": "No.",
    }


def test_a_record_keeps_the_time_of_a_deferral() -> None:
    decision = Decision(
        effect="defer", policy_id="p-1", bundle_hash="sha256:77", reason="over the rate", until=1795200090.0
    )
    assert decision.to_json() == {
        "effect": "defer", "policy_id": "p-1", "bundle_hash": "sha256:77", "reason": "over the rate",
        "until": 1795200090.0,
    }  # fmt: skip


def test_two_policies_of_one_id_made_by_hand_both_count() -> None:
    assert not decide(policy("a", "deny"), policy("a", "allow")).allowed
    assert not decide(policy("a", "allow"), policy("a", "deny")).allowed


def test_a_policy_made_by_hand_is_checked_like_one_of_a_file() -> None:
    with pytest.raises(ActionError, match="unknown verb `tol`"):
        PolicyEngine(Bundle(policies=(policy("a", "allow", action=("tol:a/b",)),)))


def test_a_bounded_number_of_actions_is_remembered_and_the_others_are_decided_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "CACHED_ACTIONS", 3)
    engine = PolicyEngine(Bundle(policies=(policy("a", "allow", action=("tool:mail/s*",)),)))
    answers = [engine.decide(request(f"tool:mail/{name}")).allowed for name in ("s1", "t1", "s2", "t2", "s3", "s1")]
    assert answers == [True, False, True, False, True, True]
    assert len(engine._candidates) <= 3


ACTIONS = st.sampled_from([
    "tool:a/b", "tool:a/*", "tool:*/b", "tool:**", "tool:a/**", "tool:a/b*", "tool:a/bc/*", "context.read:/a/**",
    "context.read:/**/b", "context.read:/a/*", "process:a", "process:**", "process:a.*", "process:*.b", "http:a.b",
    "http:*.b", "http:**.b", "http:**",
])  # fmt: skip
POLICIES = st.lists(
    st.builds(
        lambda effect, priority, **match: (effect, priority, Match(**match)),
        effect=st.sampled_from(["allow", "deny"]),
        priority=st.integers(0, 3),
        action=st.lists(ACTIONS, min_size=1, max_size=3).map(tuple),
        event=st.lists(st.sampled_from(["**", "a", "a.*", "*", "a.**", "*.b"]), min_size=1, max_size=2).map(tuple),
        users=st.lists(st.sampled_from(["*", "ann", "an*", "role:x", "agent:*"]), min_size=1, max_size=2).map(tuple),
        drivers=st.lists(st.sampled_from(["*", "agent:*", "d.a", "tool:d.*"]), min_size=1, max_size=2).map(tuple),
        tenants=st.lists(st.sampled_from(["*", "acme", "a*", "other"]), min_size=1, max_size=2).map(tuple),
    ),
    max_size=8,
)
REQUESTS = st.builds(
    lambda action, **rest: request(action, **rest),
    action=st.sampled_from([
        "tool:a/b", "tool:a/bc", "tool:c/b", "tool:a/bc/d", "tool:a/../b", "context.read:/a/b", "context.read:/a",
        "context.read:/x/y/b", "process:a", "process:a.b", "process:a.b.c", "http:a.b", "http:b", "http:c.a.b",
        "http:B", "model:chat/a",
    ]),
    event_type=st.sampled_from(["", "a", "a.b", "a.b.c", "c.b"]),
    principal=st.builds(
        Principal,
        kind=st.sampled_from(["user", "agent"]),
        id=st.sampled_from(["ann", "bob"]),
        tenant=st.sampled_from(["acme", "other"]),
        roles=st.sampled_from([(), ("x",)]),
    ),
    driver=st.sampled_from([None, "d.a", "e"]),
    driver_kind=st.sampled_from([None, "agent", "tool"]),
)  # fmt: skip


def reference(policies: Sequence[Policy], asked: Request) -> tuple[str, str | None]:
    """The rules as they are written down: compare every policy, take the strictest of the highest priority."""

    def fits(match: Match) -> bool:
        kind: DriverKind | str = asked.driver_kind or ""
        users = [parse_user(user) for user in match.users]
        drivers = [parse_driver(driver) for driver in match.drivers]
        return (
            permits(match.action, asked.action)
            and any(e == "**" or bool(asked.event_type and type_matches(e, asked.event_type)) for e in match.event)
            and any(user is None or user.matches(asked.principal) for user in users)
            and any(d is None or bool(asked.driver and d.matches(asked.driver, kind)) for d in drivers)
            and any(parse_tenant(t) in (None, asked.principal.tenant) or (t, asked.principal.tenant) == ("a*", "acme")
                    for t in match.tenants)
        )  # fmt: skip

    found = [policy for policy in policies if fits(policy.match)]
    if not found:
        return "deny", None
    top = [policy for policy in found if policy.priority == max(other.priority for other in found)]
    denials = [policy for policy in top if policy.effect == "deny"]
    winner = min(denials or top, key=lambda policy: policy.id)
    return winner.effect, winner.id


@given(POLICIES, st.lists(REQUESTS, min_size=1, max_size=6))
def test_the_engine_decides_as_the_naive_reference_does(
    rows: list[tuple[Effect, int, Match]], requests: list[Request]
) -> None:
    policies = [
        Policy(id=f"p{number}", effect=effect, priority=priority, match=match)
        for number, (effect, priority, match) in enumerate(rows)
    ]
    engine = PolicyEngine(Bundle(policies=tuple(policies)))
    for asked in [*requests, *requests]:
        decision = engine.decide(asked)
        assert (decision.effect, decision.policy_id) == reference(policies, asked)
