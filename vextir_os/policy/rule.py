"""A policy made ready for comparing: its texts parsed once, in two parts by what they depend on. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self, TypeVar

from vextir_os.events.identity import Principal
from vextir_os.events.names import check_pattern
from vextir_os.policy.conditions import Condition, compile_condition
from vextir_os.policy.facts import Facts
from vextir_os.policy.globs import matches_segments, matches_text
from vextir_os.policy.grammar import ActionPattern, parse_action
from vextir_os.policy.model import Policy, Request
from vextir_os.policy.selectors import DriverPattern, UserPattern, parse_driver, parse_tenant, parse_user

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One policy and its parsed match; None stands for "every", so it costs nothing to ask.

    Attributes:
        condition: Has to hold as well; None for none.
        reason: What a denial says: the policy's reason, or else its description, or else its id.
    """

    policy: Policy
    actions: tuple[ActionPattern, ...]
    events: tuple[tuple[str, ...], ...] | None
    users: tuple[UserPattern, ...] | None
    drivers: tuple[DriverPattern, ...] | None
    tenants: tuple[str, ...] | None
    condition: Condition | None
    reason: str

    @classmethod
    def of(cls, policy: Policy) -> Self:
        """Parse a policy.

        Raises:
            ActionError, ConditionError, PatternError: A text that the loader would have refused.
        """
        return cls(
            policy=policy,
            actions=tuple(parse_action(action) for action in policy.match.action),
            events=_each(_parse_event, policy.match.event),
            users=_each(parse_user, policy.match.users),
            drivers=_each(parse_driver, policy.match.drivers),
            tenants=_each(parse_tenant, policy.match.tenants),
            condition=compile_condition(policy.when) if policy.when else None,
            reason="" if policy.effect == "allow" else _reason(policy),
        )

    def concerns(self, verb: str, resource: str, event_type: str) -> bool:
        """Whether action and event type are the policy's. Asked once for each action and type, then remembered."""
        if not any(action.matches(verb, resource) for action in self.actions):
            return False
        segments = event_type.split(".") if event_type else []
        return self.events is None or any(matches_segments(event, segments) for event in self.events)

    def holds(self, request: Request) -> bool:
        """Whether the rest of the match fits too. Asked for every request."""
        principal = request.principal
        return (
            (self.users is None or _any_user(self.users, principal))
            and (self.drivers is None or _any_driver(self.drivers, request))
            and (self.tenants is None or any(matches_text(glob, principal.tenant) for glob in self.tenants))
        )

    def binds(self, condition: Condition, facts: Facts) -> bool:
        """Whether the condition lets the policy decide.

        An allow needs it to hold, without having touched a field that is not there. A denial needs it to hold.

        Raises:
            ConditionError: It cannot be answered. A denial binds then, and an allow does not.
        """
        state = facts.state.clear()
        return condition.ask(state, facts.of(condition)) and not (state.missing and self.policy.effect == "allow")


# Loops instead of any(): a generator costs more than most of these comparisons.


def _any_user(users: tuple[UserPattern, ...], principal: Principal) -> bool:
    for user in users:  # noqa: SIM110
        if user.matches(principal):
            return True
    return False


def _any_driver(drivers: tuple[DriverPattern, ...], request: Request) -> bool:
    if request.driver is None:
        return False
    for driver in drivers:  # noqa: SIM110
        if driver.matches(request.driver, request.driver_kind or ""):
            return True
    return False


def _parse_event(pattern: str) -> tuple[str, ...] | None:
    return None if pattern == "**" else tuple(check_pattern(pattern).split("."))


def _each(parse: Callable[[str], T | None], texts: Iterable[str]) -> tuple[T, ...] | None:
    """Parse all; None as soon as one of them matches everything."""
    parsed = [parse(text) for text in texts]
    return None if None in parsed else tuple(item for item in parsed if item is not None)


def _reason(policy: Policy) -> str:
    return policy.reason or policy.description or f"policy {policy.id} denies it"
