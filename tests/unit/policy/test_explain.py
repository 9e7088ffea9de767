"""Explanations: each policy that concerns an action, what of its condition is not so, and with which values."""

import pytest

from tests.unit.policy.test_conditions_in_policies import ANN, EVENT, policy
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.explain import Reason, explain
from vextir_os.policy.model import Bundle, Match, Policy, Request


def explained(*policies: Policy) -> list[Reason]:
    event = EVENT.stamped(data={**EVENT.data, "password": "hunter2", "text": "x" * 100, "lines": [{"n": 1}]})
    request = Request(
        verb="emit", resource="mail.sent", principal=ANN, event_type="mail.received", event=lambda: event, plain=True
    )
    return explain(PolicyEngine(Bundle(policies=policies)), request, hides=lambda name: name == "password")


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("event.data.n < 3", "`event.data.n < 3` is not so: `event.data.n` is 3"),
        ("event.data.n == 3 and user.id == 'bob'", "`user.id == 'bob'` is not so: `user.id` is 'ann'"),
        (
            "event.data.n < 1 or 'pii' in event.labels",
            "is 3 and `'pii' in event.labels` is not so: `event.labels` is a list of 1",
        ),
        ("not event.data.n == 3", "`not event.data.n == 3` is not so: `event.data.n` is 3"),
        ("event.data.password == 'x'", "`event.data.password == 'x'` is not so: `event.data.password` is [hidden]"),
        (
            "event.data['password'] == 'x'",
            "`event.data['password'] == 'x'` is not so: `event.data['password']` is [hidden]",
        ),
        ("event.data.text == 'x'", f"`event.data.text == 'x'` is not so: `event.data.text` is '{'x' * 38}…"),
        ("len(event.data.to) > 3", "`len(event.data.to) > 3` is not so: `event.data.to` is a list of 1"),
        ("any(a.n > 1 for a in event.data.lines)", "is not so: `event.data.lines` is a list of 1"),
        ("has(event.data.absent)", "`has(event.data.absent)` is not so: `event.data.absent` is not there"),
        (
            "event.data.absent != 1",
            "its condition rests on `event.data.absent`, which is not there; ask with has() or .get()",
        ),
        ("event.data.n > 'x'", "it cannot be answered: `>` of a int and a str; so it grants nothing"),
    ],
)
def test_what_keeps_an_allow_from_deciding_is_named_with_its_values(when: str, why: str) -> None:
    [reason] = explained(policy("p", "allow", when))
    assert (reason.holds, reason.decides) == (False, False)
    assert why in reason.why


def test_policies_stand_in_the_order_in_which_they_decide_and_the_one_that_did_is_marked() -> None:
    reasons = explained(
        policy("all", "allow", ""),
        policy("untrusted", "deny", "'untrusted' in event.labels"),
        policy("broken", "deny", "1 / 0 == 1", 50),
        Policy(id="bob", effect="allow", match=Match(action=("emit:**",), users=("bob",)), priority=300),
        Policy(id="other", effect="deny", match=Match(action=("emit:order.*",)), priority=300),
    )
    assert [(reason.policy_id, reason.holds, reason.decides, reason.why) for reason in reasons] == [
        ("bob", False, False, "users, drivers or tenants do not match"),
        ("untrusted", True, True, "its condition holds"),
        ("all", True, False, "it matches"),
        ("broken", True, False, "line 1 column 1: it cannot be answered: division by zero; so it holds"),
    ]
