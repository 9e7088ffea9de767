"""Conditions in policies: what they are told, how they bind by effect, and that nothing is granted by mistake."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vextir_os.errors import PolicyProblemsError
from vextir_os.events.event import Event
from vextir_os.events.identity import Principal
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.loader import load_policies
from vextir_os.policy.model import Bundle, Decision, Effect, Match, Policy, Request

ANN = Principal(kind="user", id="ann", tenant="acme", roles=("support",))
EVENT = Event(
    id="e-1", type="mail.received", source="/cli", subject="a mail", time=datetime(2026, 11, 21, tzinfo=UTC),
    tenantid="acme", labels=("untrusted",), extensions={"region": "eu"}, data={"to": ["a@b.c"], "n": 3},
)  # fmt: skip


def policy(name: str, effect: Effect, when: str, priority: int = 100) -> Policy:
    return Policy(id=name, effect=effect, match=Match(action=("emit:**",)), when=when, priority=priority)


def decided(*policies: Policy, event: Event | None = EVENT, args: Any = None) -> Decision:
    request = Request(
        verb="emit",
        resource="mail.sent",
        principal=ANN,
        event_type="mail.received",
        driver="mail.sender",
        driver_kind="io",
        event=None if event is None else (lambda: event),
        args=args,
        run={"attempt": 2, "rerun": 0},
        clock=lambda: 1_795_262_400.0,
    )
    return PolicyEngine(Bundle(policies=policies)).decide(request)


@pytest.mark.parametrize(
    "when",
    [
        'event.type == "mail.received" and event.subject == "a mail" and event.id == "e-1" and event.region == "eu"',
        'event.time == "2026-11-21T00:00:00+00:00" and event.priority == 5 and event.tenantid == "acme"',
        '"untrusted" in event.labels and event.data.n == 3 and event.data.to == ["a@b.c"]',
        'user.id == "ann" and user.kind == "user" and "support" in user.roles and tenant == "acme"',
        'driver.id == "mail.sender" and driver.kind == "io" and capability == "mail.received"',
        'action == "emit:mail.sent" and resource == "mail.sent"',
        'args.to == "x@y.z" and run.attempt == 2',
        "hour(now) == 12 and weekday(now) == 5",
    ],
)
def test_a_condition_is_told_of_event_user_driver_action_arguments_run_and_time(when: str) -> None:
    decision = decided(policy("told", "allow", when), args={"to": "x@y.z"})
    assert (decision.effect, decision.policy_id) == ("allow", "told")


def test_an_allow_whose_condition_does_not_hold_leaves_the_decision_to_the_next() -> None:
    policies = (policy("few", "allow", "event.data.n < 3", 200), policy("many", "allow", "event.data.n >= 3"))
    assert decided(*policies).policy_id == "many"
    assert decided(policies[0]).effect == "deny"


def test_a_denial_whose_condition_holds_wins_over_an_allow() -> None:
    decision = decided(policy("all", "allow", ""), policy("untrusted", "deny", '"untrusted" in event.labels'))
    assert (decision.effect, decision.policy_id) == ("deny", "untrusted")
    assert decided(policy("all", "allow", ""), policy("other", "deny", '"pii" in event.labels')).effect == "allow"


@pytest.mark.parametrize("when", ["event.data.n / 0 > 1", "event.data.n > 'x'", "any(x for x in event.data.n)"])
def test_a_condition_that_cannot_be_answered_grants_nothing_and_denies_all_the_same(
    when: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert decided(policy("broken", "allow", when)).effect == "deny"
    decision = decided(policy("all", "allow", ""), policy("broken", "deny", when))
    assert (decision.effect, decision.policy_id) == ("deny", "broken")
    assert decision.reason.endswith("(its condition cannot be answered)")
    assert caplog.messages[0].startswith("policy broken: its condition: line 1 column ")


@pytest.mark.parametrize("when", ["event.data.nothing != 1", "not event.data.nothing", "not context.document"])
def test_no_allow_rests_on_what_is_not_there_and_a_denial_may(when: str) -> None:
    assert decided(policy("absent", "allow", when)).effect == "deny"
    assert decided(policy("all", "allow", ""), policy("absent", "deny", when)).policy_id == "absent"


def test_without_an_event_what_is_said_of_one_is_missing() -> None:
    assert decided(policy("mail", "allow", 'event.type != "spam"'), event=None).effect == "deny"
    assert decided(policy("none", "allow", "event is None"), event=None).effect == "allow"


def test_data_that_is_kept_elsewhere_is_missing() -> None:
    event = EVENT.stamped(data=None, dataref="vextir:blob")
    assert decided(policy("small", "allow", "event.data.n > 1"), event=event).effect == "deny"
    assert decided(policy("large", "allow", "has(event.dataref)"), event=event).effect == "allow"


@pytest.mark.parametrize(
    "data",
    [{"n": float("nan")}, {"n": 2**70}, {"n": {1: 2}}, {"n": object()}, {"n": {1}}],
    ids=["nan", "huge", "key", "object", "set"],
)
def test_what_is_no_plain_data_grants_nothing_and_is_denied(data: Any) -> None:
    event = EVENT.stamped(data=data)
    assert decided(policy("any", "allow", "has(event.data.n)"), event=event).effect == "deny"
    assert decided(policy("all", "allow", ""), policy("any", "deny", "event.data.n == 1"), event=event).effect == "deny"


def test_a_condition_is_part_of_what_the_bundle_is() -> None:
    first, second = (Bundle(policies=(policy("p", "allow", when),)).hash for when in ("", "event.data.n > 1"))
    assert first != second


def test_a_wrong_condition_is_a_problem_of_its_file_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "mail.yaml").write_text(
        "policies:\n  - id: mail\n    effect: allow\n    match: {action: 'emit:mail.*'}\n"
        "    when: lenn(event.data.to) > 3\n"
        "  - id: other\n    effect: allow\n    match: {action: 'emit:mail.*'}\n    when: 5\n"
    )
    with pytest.raises(PolicyProblemsError) as caught:
        load_policies(tmp_path)
    name = tmp_path.name
    assert [str(problem) for problem in caught.value.problems] == [
        f"{name}/mail.yaml:5:11: `when`, line 1 column 1: unknown function `lenn`. Did you mean `len`?",
        f"{name}/mail.yaml:9:11: `when` is a whole number, not text. Quote it",
    ]


def test_a_condition_may_stand_on_several_lines(tmp_path: Path) -> None:
    (tmp_path / "mail.yaml").write_text(
        "policies:\n  - id: mail\n    effect: allow\n    match: {action: 'emit:mail.*'}\n    when: |\n"
        '      event.data.n == 3  # enough\n      and "untrusted" in event.labels\n'
    )
    engine = PolicyEngine(load_policies(tmp_path))
    request = Request(verb="emit", resource="mail.sent", principal=ANN, event_type="mail.received", event=lambda: EVENT)
    assert engine.decide(request).allowed
