"""Who a policy is about."""

import pytest

from vextir_os.driverkit.manifest import DriverKind
from vextir_os.errors import ActionError
from vextir_os.events.identity import Principal, PrincipalKind
from vextir_os.policy.selectors import parse_driver, parse_tenant, parse_user


@pytest.mark.parametrize(
    ("pattern", "kind", "id_", "expected"),
    [
        ("ann", "user", "ann", True),
        ("ann", "agent", "ann", False),
        ("ann", "user", "anna", False),
        ("ann*", "user", "anna", True),
        ("user:*", "user", "bob", True),
        ("user:*", "system", "bob", False),
        ("user:auth0:12", "user", "auth0:12", True),
        ("agent:research.*", "agent", "research.web.agent", True),
        ("role:support", "user", "bob", True),
        ("role:supp*", "agent", "bob", True),
        ("role:sales", "user", "bob", False),
        ("support", "user", "bob", False),
    ],
)
def test_a_user_is_named_by_id_kind_or_role(pattern: str, kind: PrincipalKind, id_: str, expected: bool) -> None:
    parsed = parse_user(pattern)
    assert parsed is not None
    assert parsed.matches(Principal(kind=kind, id=id_, tenant="acme", roles=("support",))) is expected


@pytest.mark.parametrize(
    ("pattern", "driver", "kind", "expected"),
    [
        ("research.agent", "research.agent", "agent", True),
        ("research.agent", "research.agent", "tool", True),
        ("research.*", "research.web.agent", "agent", True),
        ("agent:*", "research.agent", "agent", True),
        ("agent:*", "research.agent", "tool", False),
        ("agent:mail.*", "research.agent", "agent", False),
    ],
)
def test_a_driver_is_named_by_id_or_kind(pattern: str, driver: str, kind: DriverKind, expected: bool) -> None:
    parsed = parse_driver(pattern)
    assert parsed is not None
    assert parsed.matches(driver, kind) is expected


def test_a_star_alone_is_everybody() -> None:
    assert (parse_user("*"), parse_driver("*"), parse_tenant("*")) == (None, None, None)


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (parse_user, "rol:support", "unknown kind `rol` in user `rol:support`. Did you mean `role`?"),
        (parse_user, "x:a", "unknown kind `x` in user `x:a`. The kinds are: user, agent, driver, system, role"),
        (parse_user, ":a", "unknown kind `` in user `:a`. The kinds are: user, agent, driver, system, role"),
        (parse_driver, "agnt:*", "unknown kind `agnt` in driver `agnt:*`. Did you mean `agent`?"),
        (parse_driver, "role:x", "unknown kind `role` in driver `role:x`. The kinds are: agent, tool, io, ui"),
        (parse_tenant, "user:acme", "unknown kind `user` in tenant `user:acme`. Write the tenant's name alone"),
    ],
)
def test_an_unknown_kind_is_refused_with_the_nearest(parse, text: str, message: str) -> None:  # type: ignore[no-untyped-def] # rows of three signatures
    with pytest.raises(ActionError) as caught:
        parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["", " ann", "agent:", "a\nb", "a" * 257])
def test_a_user_that_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ActionError, match="is not a name of 1 to 256 visible characters"):
        parse_user(text)
