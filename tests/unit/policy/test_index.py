"""Candidates: the policies that an action may concern, and none of the thousands that it cannot."""

import pytest

from vextir_os.policy.grammar import parse_action
from vextir_os.policy.index import VerbIndex

MANY = range(100)


@pytest.mark.parametrize(
    ("pattern", "event", "asked", "event_type"),
    [
        ("tool:server{n}/send", "**", "tool:server7/send", "a"),
        ("tool:server{n}/*", "**", "tool:server7/send", "a"),
        ("context.read:/Tenants/t{n}/**", "**", "context.read:/Tenants/t7/a/b", "a"),
        ("process:mail{n}.**", "**", "process:mail7.received", "mail7.received"),
        ("http:*.host{n}.example", "**", "http:api.host7.example", "a"),
        ("http:**.host{n}.example", "**", "http:host7.example", "a"),
        ("tool:**", "mail{n}.*", "tool:server/send", "mail7.received"),
        ("process:**", "*.mail{n}", "process:received.mail7", "received.mail7"),
    ],
)
def test_only_the_policy_that_is_meant_is_named(pattern: str, event: str, asked: str, event_type: str) -> None:
    index = VerbIndex()
    for number in MANY:
        index.add(parse_action(pattern.format(n=number)), [event.format(n=number)], number)
    verb, _, resource = asked.partition(":")
    assert list(index.find(verb, resource, event_type)) == [7]


def test_every_policy_that_may_concern_an_action_is_named() -> None:
    index = VerbIndex()
    for number, pattern in enumerate(["tool:mail/send", "tool:mail/*", "tool:*/send", "tool:**", "tool:mail/s*"]):
        index.add(parse_action(pattern), ["**"], number)
    assert sorted(index.find("tool", "mail/send", "")) == [0, 1, 2, 3, 4]
