"""Policies in mode `shadow`: decided with and told of, never enforced."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.policy.test_conditions_in_policies import decided, policy
from vextir_os.errors import PolicyProblemsError
from vextir_os.policy.loader import load_policies
from vextir_os.policy.model import Bundle, Effect, Policy


def shadow(name: str, effect: Effect, when: str = "", priority: int = 100) -> Policy:
    return replace(policy(name, effect, when, priority), mode="shadow")


def test_a_denial_in_shadow_denies_nothing_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vextir.policy")
    decision = decided(policy("all", "allow", ""), shadow("untrusted", "deny", "'untrusted' in event.labels"))
    assert (decision.effect, decision.policy_id) == ("allow", "all")
    assert decision.to_json()["shadow"] == {"effect": "deny", "policy_id": "untrusted"}
    assert caplog.messages == ["policy untrusted in shadow: emit:mail.sent would be deny, and is allow"]


def test_an_allow_in_shadow_allows_nothing() -> None:
    decision = decided(shadow("all", "allow"))
    assert (decision.effect, decision.policy_id) == ("deny", None)
    assert decision.to_json()["shadow"] == {"effect": "allow", "policy_id": "all"}


@pytest.mark.parametrize(
    "tried",
    [
        shadow("other", "deny", "'pii' in event.labels"),
        shadow("lower", "deny", "", 50),
        shadow("broken", "allow", "1 / 0 == 1", 200),
    ],
    ids=lambda tried: tried.id,
)
def test_what_would_change_nothing_is_not_told(tried: Policy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vextir.policy")
    decision = decided(policy("all", "allow", ""), tried)
    assert (decision.effect, decision.shadow) == ("allow", None)
    assert not [message for message in caplog.messages if "in shadow" in message]
    assert "shadow" not in decision.to_json()


def test_a_condition_in_shadow_that_cannot_be_answered_denies_nothing() -> None:
    decision = decided(policy("all", "allow", ""), shadow("broken", "deny", "1 / 0 == 1"))
    assert decision.effect == "allow"
    assert decision.to_json()["shadow"] == {"effect": "deny", "policy_id": "broken"}


def test_the_mode_is_part_of_the_bundle_and_checked(tmp_path: Path) -> None:
    one, other = (Bundle(policies=(each,)).hash for each in (policy("p", "deny", ""), shadow("p", "deny")))
    assert one != other
    text = "policies:\n  - id: p\n    effect: deny\n    match: {action: 'emit:**'}\n    mode: shadw\n"
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(PolicyProblemsError, match=r"p\.yaml:5:11: unknown mode `shadw`\. Did you mean `shadow`\?"):
        load_policies(tmp_path)
    (tmp_path / "p.yaml").write_text(text.replace("shadw", "shadow"))
    assert load_policies(tmp_path).policies[0].mode == "shadow"
