"""Tests beside policies: what may be given and expected, what each finds, and what is wrong in them by place."""

from pathlib import Path

import pytest

from vextir_os.errors import PolicyProblemsError
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.loader import load_files

POLICIES = """policies:
  - id: small
    effect: allow
    match: {action: "emit:order.*", drivers: shop.desk}
    when: event.data.amount < 500 and "support" in user.roles and args.discount <= 10 and run.attempt == 1
  - id: night
    effect: deny
    priority: 200
    match: {action: "emit:**"}
    when: has(event.subject) and hour(now, "Europe/Berlin") < 7
tests:
"""
GIVEN = """
      action: emit:order.accepted
      event: {type: order.placed, data: {amount: 20}, labels: [web], subject: a}
      user: {id: ann, roles: [support]}
      driver: shop.desk
      tenant: acme
      args: {discount: 5}
      run: {attempt: 1}
      now: "2026-11-21T12:00:00+01:00"
"""


def case(given: str = GIVEN, expect: str = "{effect: allow, policy: small}") -> str:
    return f"  - name: orders\n    given:{given}    expect: {expect}\n"


def failure(folder: Path, text: str) -> str:
    (folder / "shop.yaml").write_text(POLICIES + text)
    loaded = load_files(folder)
    [found] = loaded.tests
    return found.failure(PolicyEngine(loaded.bundle))


def test_a_test_gives_all_that_conditions_ask_for(tmp_path: Path) -> None:
    assert failure(tmp_path, case()) == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("amount: 20", "amount: 700"),
        ("roles: [support]", "roles: [sales]"),
        ("driver: shop.desk", "driver: {id: shop.till, kind: io}"),
        ("discount: 5", "discount: 50"),
        ("attempt: 1", "attempt: 2"),
        ("emit:order.accepted", "emit:mail.sent"),
    ],
)
def test_what_is_decided_otherwise_is_told(tmp_path: Path, old: str, new: str) -> None:
    said = failure(tmp_path, case(GIVEN.replace(old, new)))
    assert said.startswith("decided deny: no policy allows `emit:")
    assert said.endswith(", not allow by small")


def test_another_policy_than_the_expected_one_is_told_as_well(tmp_path: Path) -> None:
    night = GIVEN.replace("T12:00", "T03:00")
    assert failure(tmp_path, case(night)) == "decided deny by night, not allow by small"
    assert failure(tmp_path, case(night, "{effect: deny}")) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  - 5\n", "shop.yaml:12:5: a test is a whole number, not a mapping"),
        ("  - {name: a, given: {}, expct: {}}\n", "unknown key `expct` in a test. Did you mean `expect`?"),
        (
            "  - {name: a, given: {action: 'emit:a'}, expect: {effect: alow}}\n",
            "`alow` is no decision. Did you mean `allow`?",
        ),
        ("  - {name: a, given: {action: 'emit:a'}, expect: {}}\n", "`expect` has no `effect`"),
        ("  - {name: a, given: {}, expect: {effect: deny}}\n", "`given` has no `action`"),
        (
            "  - {name: a, given: {action: 'emit:a.*'}, expect: {effect: deny}}\n",
            "it holds `*`, and an action names one thing",
        ),
        ("  - {name: a, given: {action: 'emt:a'}, expect: {effect: deny}}\n", "unknown verb `emt`"),
        ("  - {name: a, given: {action: 'emit:a', event: {type: A}}, expect: {effect: deny}}\n", "shop.yaml:12:"),
        (
            "  - {name: a, given: {action: 'emit:a', event: {tpye: a}}, expect: {effect: deny}}\n",
            "Did you mean `type`?",
        ),
        (
            "  - {name: a, given: {action: 'emit:a', user: {kind: robot}}, expect: {effect: deny}}\n",
            "`robot` is no kind of user",
        ),
        (
            "  - {name: a, given: {action: 'emit:a', driver: {id: a, kind: x}}, expect: {effect: deny}}\n",
            "`x` is no kind of driver",
        ),
        (
            "  - {name: a, given: {action: 'emit:a', now: today}, expect: {effect: deny}}\n",
            "`today` is no time with a zone",
        ),
        (
            "  - {name: a, given: {action: 'emit:a', now: '2026-11-21T08:00'}, expect: {effect: deny}}\n",
            "no time with a zone",
        ),
        (
            "  - {name: a, given: {action: 'emit:a', user: {roles: x}}, expect: {effect: deny}}\n",
            "`roles` is no list of texts",
        ),
    ],
)
def test_what_is_wrong_in_a_test_is_a_problem_of_its_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "shop.yaml").write_text(POLICIES + text)
    with pytest.raises(PolicyProblemsError) as caught:
        load_files(tmp_path)
    assert said in str(caught.value)


def test_tests_are_no_part_of_what_decides(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(POLICIES.replace("tests:\n", ""))
    without = load_files(tmp_path).bundle.hash
    (tmp_path / "shop.yaml").write_text(POLICIES + case())
    assert load_files(tmp_path).bundle.hash == without
