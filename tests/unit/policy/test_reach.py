"""What no policy can ever allow is found; what one could allow for somebody is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.manifest import Manifest
from vextir_os.policy.globs import matches_segments
from vextir_os.policy.grammar import parse_action
from vextir_os.policy.model import Bundle, Effect, Match, Mode, Policy
from vextir_os.policy.reach import meets, unreachable


def policy(
    effect: Effect, *actions: str, priority: int = 100, when: str = "", mode: Mode = "enforce", **match: tuple[str, ...]
) -> Policy:
    name = f"{effect}-{priority}-{actions[0]}"
    return Policy(id=name, effect=effect, match=Match(action=actions, **match), priority=priority, when=when, mode=mode)


def lost(*policies: Policy, permissions: tuple[str, ...] = ("emit:order.*",)) -> list[str]:
    manifest = Manifest(id="shop", kind="tool", capabilities=("order.placed",), permissions=permissions)
    return [action for _, action in unreachable(Bundle(policies=policies), [manifest])]


PROCESS = policy("allow", "process:order.*")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param((policy("allow", "emit:order.*"),), id="the-same"),
        pytest.param((policy("allow", "emit:**"),), id="all"),
        pytest.param((policy("allow", "emit:*.accepted"),), id="a-part"),
        pytest.param((policy("allow", "emit:order.*", users=("role:support",)),), id="for-some-users"),
        pytest.param((policy("allow", "emit:order.*", drivers=("tool:shop",)),), id="for-this-driver"),
        pytest.param((policy("allow", "emit:**"), policy("deny", "emit:order.secret", priority=9)), id="less-some"),
        pytest.param((policy("allow", "emit:**"), policy("deny", "emit:**", priority=9)), id="denied-below"),
        pytest.param((policy("allow", "emit:**"), policy("deny", "emit:**", priority=900, users=("ann",))),
                     id="denied-to-one-user"),
        pytest.param((policy("allow", "emit:**"), policy("deny", "emit:**", priority=900, when="event.data.total > 9")),
                     id="denied-on-a-condition"),
        pytest.param((policy("allow", "emit:**"), policy("deny", "emit:**", priority=900, mode="shadow")),
                     id="denied-in-shadow"),
    ],
)  # fmt: skip
def test_what_a_policy_may_allow_is_left_alone(given: tuple[Policy, ...]) -> None:
    assert lost(PROCESS, *given) == []


@pytest.mark.parametrize(
    "given",
    [
        pytest.param((), id="nothing"),
        pytest.param((policy("allow", "emit:**", mode="shadow"),), id="allowed-in-shadow"),
        pytest.param((policy("allow", "emit:mail.*"),), id="another-resource"),
        pytest.param((policy("allow", "publish:order.*"),), id="another-verb"),
        pytest.param((policy("allow", "emit:order.*", drivers=("agent:*",)),), id="another-kind-of-driver"),
        pytest.param((policy("allow", "emit:**"), policy("deny", "emit:**")), id="denied-at-the-same-priority"),
        pytest.param((policy("allow", "emit:**"), policy("deny", "emit:order.*", priority=900)), id="denied-above"),
    ],
)
def test_what_no_policy_can_allow_is_found(given: tuple[Policy, ...]) -> None:
    assert lost(PROCESS, *given) == ["emit:order.*"]


def test_an_event_that_no_policy_lets_be_processed_is_found_too() -> None:
    assert lost(policy("allow", "emit:**")) == ["process:order.placed"]


def test_a_policy_about_drivers_lets_no_event_be_processed() -> None:
    assert lost(policy("allow", "emit:**", "process:**", drivers=("shop",))) == ["process:order.placed"]


SEGMENT = st.sampled_from(["a", "b", "ab", "*", "a*", "*b", "**"])
NAME = st.sampled_from(["a", "b", "ab", "abb"])


@given(st.lists(SEGMENT, min_size=1, max_size=4), st.lists(SEGMENT, min_size=1, max_size=4), st.lists(NAME, max_size=5))
def test_two_patterns_that_match_one_thing_meet(one: list[str], other: list[str], thing: list[str]) -> None:
    first, second = (parse_action(f"tool:{'/'.join(['x', *parts])}") for parts in (one, other))
    if all(matches_segments(pattern.segments, ["x", *thing]) for pattern in (first, second)):
        assert meets(first, second)


@pytest.mark.parametrize(
    ("one", "other", "met"),
    [
        ("tool:a/b", "tool:a/b", True),
        ("tool:a/b", "tool:a/c", False),
        ("tool:a/*b*", "tool:a/a*c", True),
        ("tool:a/b*", "tool:a/*c", True),
        ("tool:a/b*", "tool:a/c*", False),
        ("tool:a/**", "tool:**/z", True),
        ("tool:a/*/c", "tool:a/c", False),
        ("tool:**", "tool:a/b/c", True),
        ("tool:a/b", "secret:*", False),
        ("http:*.example.com", "http:api.example.com", True),
        ("http:*.example.com", "http:example.com", False),
        ("context.read:/a/**", "context.read:/**", True),
    ],
)
def test_patterns_meet_where_they_have_an_action_in_common(one: str, other: str, met: bool) -> None:
    assert meets(parse_action(one), parse_action(other)) is met
    assert meets(parse_action(other), parse_action(one)) is met


def test_long_patterns_end_soon() -> None:
    one, other = (f"tool:a/{'*a' * 500}{last}" for last in ("b", "c"))
    assert not meets(parse_action(one), parse_action(other))
