"""The engine: one request in, one decision out. Nothing is allowed that no policy allows.

Among the policies that match and whose condition holds, the highest priority decides; within one priority a deny wins.
A condition that cannot be answered binds by effect: a denial holds, an allow does not. Policies that do not
concern the action cost nothing: candidates are found by an index and kept, by action and event type, in a bounded
cache. Knows no clock, no store and no file.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

from vextir_os.errors import EventError, shown
from vextir_os.events.names import check_type
from vextir_os.policy.facts import Facts
from vextir_os.policy.grammar import resource_problem
from vextir_os.policy.index import VerbIndex
from vextir_os.policy.model import Bundle, Decision, Policy, Request
from vextir_os.policy.rule import Rule

CACHED_ACTIONS = 32_768
"""Actions (with the type of their event) whose candidates are kept; all are forgotten when there are more."""


_LOG = logging.getLogger("vextir.policy")
_Rules = tuple[tuple[Rule, Decision], ...]


class _Candidates(NamedTuple):
    """The rules that concern an action, each with what it says when it is the first that holds.

    Attributes:
        enforced: Those that count.
        tried: The same with those in mode `shadow`; empty where there is none of these.
    """

    enforced: _Rules
    tried: _Rules


class PolicyEngine:
    """Decides with one bundle. Safe for use from several threads, but for `become`.

    Args:
        bundle: The policies; an empty bundle denies everything.

    Raises:
        ActionError: A policy that was made by hand holds a pattern that the loader would have refused.
        ConditionError, PatternError: The same, for a condition, and for the type of an event.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._hash = bundle.hash
        self._rules = tuple(Rule.of(policy) for policy in sorted(bundle.policies, key=rank))
        self._verbs: dict[str, VerbIndex] = {}
        for number, rule in enumerate(self._rules):
            for action in rule.actions:
                self._verbs.setdefault(action.verb, VerbIndex()).add(action, rule.policy.match.event, number)
        self._candidates: dict[tuple[str, str, str], _Candidates] = {}

    def become(self, bundle: Bundle) -> None:
        """Decide with another bundle from now on; call it from the thread that decides. Raises as the class does."""
        # Made first: where it cannot be, the old one stays whole.
        vars(self).update(vars(PolicyEngine(bundle)))

    def decide(self, request: Request) -> Decision:
        """Decide one action. Never raises; what is not well-formed is denied."""
        key = (request.verb, request.resource, request.event_type)
        candidates = self._candidates.get(key)
        if candidates is None:
            problem = _problem(request)
            if problem:
                return self._deny(f"{shown(request.action, 200)} can be allowed by no policy: {problem}", 0)
            candidates = self._find(key)
        if candidates.tried:
            return self._decide_and_try(request, candidates)
        return self._first(request, candidates.enforced)

    def _first(self, request: Request, rules: _Rules) -> Decision:
        # INVARIANT: rules stand in the order of `rank`: the first that holds decides.
        for rule, decision in rules:
            if rule.holds(request):
                if rule.condition is None:
                    return decision
                return self._first_by_conditions(request, rules)
        return self._deny(_unmatched(request), len(rules))

    def _first_by_conditions(self, request: Request, rules: _Rules) -> Decision:
        """Decide where the first policy that concerns the request has a condition. What fails is never a grant."""
        facts = Facts(request)
        for rule, decision in rules:
            if not rule.holds(request):
                continue
            try:
                if rule.condition is None or rule.binds(rule.condition, facts):
                    return decision
            except Exception as error:  # noqa: BLE001 - whatever fails while deciding, it is no grant
                _LOG.warning("policy %s: its condition: %s", rule.policy.id, error)
                if rule.policy.effect != "allow":
                    return decision._replace(reason=f"{decision.reason} (its condition cannot be answered)")
        return self._deny(_unmatched(request), len(rules))

    def _decide_and_try(self, request: Request, candidates: _Candidates) -> Decision:
        """Decide by the policies that count, and note what those in mode `shadow` would change."""
        decision = self._first(request, candidates.enforced)
        tried = self._first(request, candidates.tried)
        if (tried.effect, tried.policy_id) == (decision.effect, decision.policy_id):
            return decision
        if tried.effect != decision.effect:
            _LOG.info(
                "policy %s in shadow: %s would be %s, and is %s", tried.policy_id, request.action, tried.effect,
                decision.effect,
            )  # fmt: skip
        return decision._replace(shadow=tried)

    def concerning(self, request: Request) -> list[Rule]:
        """Return the rules that concern the request's action and type of event, in the order in which they decide."""
        return [rule for rule in self._rules if rule.concerns(request.verb, request.resource, request.event_type)]

    def _said(self, rules: Sequence[Rule]) -> _Rules:
        return tuple((rule, self._decision(rule, considered)) for considered, rule in enumerate(rules, 1))

    def _decision(self, rule: Rule, considered: int) -> Decision:
        return Decision(
            effect=rule.policy.effect,
            policy_id=rule.policy.id,
            bundle_hash=self._hash,
            reason=rule.reason,
            considered=considered,
        )

    def _deny(self, reason: str, considered: int) -> Decision:
        return Decision(effect="deny", policy_id=None, bundle_hash=self._hash, reason=reason, considered=considered)

    def _find(self, key: tuple[str, str, str]) -> _Candidates:
        """Return the rules that concern an action."""
        verb = self._verbs.get(key[0])
        numbers = sorted(set(verb.find(*key))) if verb else ()
        concerned = [rule for rule in map(self._rules.__getitem__, numbers) if rule.concerns(*key)]
        enforced = [rule for rule in concerned if rule.policy.mode == "enforce"]
        found = _Candidates(self._said(enforced), self._said(concerned) if len(enforced) < len(concerned) else ())
        if len(self._candidates) >= CACHED_ACTIONS:
            self._candidates.clear()
        self._candidates[key] = found
        return found


def rank(policy: Policy) -> tuple[int, bool, str]:
    """Sort key: the highest priority first, then denials, then by id, so that the answer names the same one always."""
    return (-policy.priority, policy.effect != "deny", policy.id)


def _problem(request: Request) -> str | None:
    if request.event_type:
        try:
            check_type(request.event_type)
        except EventError as error:
            return error.what
    return resource_problem(request.verb, request.resource)


def _unmatched(request: Request) -> str:
    driver = f" by driver {request.driver}" if request.driver else ""
    return f"no policy allows {shown(request.action, 200)} for {request.principal}{driver}"
