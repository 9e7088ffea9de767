"""One policy file, read and checked: every wrong key, type and name is a problem with its place. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

from vextir_os.errors import ConditionError, VextirError, did_you_mean, shown
from vextir_os.events.names import check_pattern
from vextir_os.policy.cases import Case, read_case
from vextir_os.policy.conditions import compile_condition
from vextir_os.policy.grammar import parse_action
from vextir_os.policy.model import Effect, Match, Mode, Policy
from vextir_os.policy.selectors import parse_driver, parse_tenant, parse_user
from vextir_os.policy.walk import Path, Walk
from vextir_os.yamlio import YamlDocument

TEXT_CHARS = 1_000
"""Characters of a description or reason, at most."""

PRIORITIES = range(1_001)

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}", re.ASCII)
EFFECTS: tuple[str, ...] = get_args(Effect)
MODES: tuple[str, ...] = get_args(Mode)
FILE_KEYS = ("policies", "tests", "development")
POLICY_KEYS = ("id", "description", "priority", "effect", "match", "when", "mode", "reason")
MATCH_CHECKS: dict[str, Callable[[str], object]] = {
    "action": parse_action,
    "event": check_pattern,
    "users": parse_user,
    "drivers": parse_driver,
    "tenants": parse_tenant,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """What one file says. With problems, `policies` holds those that could be read all the same."""

    policies: tuple[Policy, ...]
    tests: tuple[Case, ...]
    development: bool
    problems: tuple[VextirError, ...]


def read_policies(document: YamlDocument) -> PolicyFile:
    """Read `{"policies": [{"id": "…", "effect": "allow", "match": {"action": "tool:mail/*"}}]}`; nothing is raised."""
    return _Reader(document).read()


class _Reader(Walk):
    """Walks one document and collects problems instead of stopping at the first."""

    def read(self) -> PolicyFile:
        top = self.document.value if self.document.value is not None else {}
        policies: list[Policy] = []
        tests: list[Case] = []
        development = False
        if self.is_a(top, dict, (), "a policy file"):
            self.check_keys(top, FILE_KEYS, (), "a policy file")
            development = top.get("development", False)
            self.is_a(development, bool, ("development",), "`development`")
            items = top.get("policies", [])
            if self.is_a(items, list, ("policies",), "`policies`"):
                read = (self._policy(item, ("policies", at)) for at, item in enumerate(items))
                policies = [policy for policy in read if policy is not None]
            cases = top.get("tests", [])
            if self.is_a(cases, list, ("tests",), "`tests`"):
                tests = [case for at, item in enumerate(cases) if (case := read_case(self, item, ("tests", at)))]
        return PolicyFile(
            policies=tuple(policies), tests=tuple(tests), development=development is True, problems=tuple(self.problems)
        )

    def _policy(self, item: Any, path: Path) -> Policy | None:
        before = len(self.problems)
        if not self.is_a(item, dict, path, "a policy"):
            return None
        self.check_keys(item, POLICY_KEYS, path, "a policy")
        self.check_present(item, ("id", "effect", "match"), path, "the policy")
        policy_id, effect = item.get("id", ""), item.get("effect", "deny")
        if "id" in item and self.is_a(policy_id, str, (*path, "id"), "`id`") and not ID.fullmatch(policy_id):
            hint = "Use 1 to 80 characters a-z 0-9 . _ -"
            self.add(f"policy id {shown(policy_id)} is no lower-case name", hint, (*path, "id"))
        if self.is_a(effect, str, (*path, "effect"), "`effect`") and effect not in EFFECTS:
            hint = did_you_mean(effect, EFFECTS) or f"The effects are: {', '.join(EFFECTS)}"
            self.add(f"unknown effect {shown(effect)}", hint, (*path, "effect"))
        priority = item.get("priority", 100)
        if self.is_a(priority, int, (*path, "priority"), "`priority`") and priority not in PRIORITIES:
            what = f"priority {priority} is not a whole number from 0 to {PRIORITIES[-1]}"
            self.add(what, "The highest priority decides", (*path, "priority"))
        description, reason = (self._text(item, key, path) for key in ("description", "reason"))
        when = self._when(item, path)
        mode = item.get("mode", "enforce")
        if self.is_a(mode, str, (*path, "mode"), "`mode`") and mode not in MODES:
            hint = did_you_mean(mode, MODES) or f"The modes are: {', '.join(MODES)}"
            self.add(f"unknown mode {shown(mode)}", hint, (*path, "mode"))
        match = self._match(item.get("match", {}), (*path, "match")) if "match" in item else None
        if match is None or len(self.problems) > before:
            return None
        return Policy(
            id=policy_id, effect=effect, match=match, when=when, mode=mode, priority=priority, description=description,
            reason=reason,
            origin=f"{self.document.name}:{self.document.line(path)}",
        )  # fmt: skip

    def _when(self, item: dict[str, Any], path: Path) -> str:
        if "when" not in item or not self.is_a(item["when"], str, (*path, "when"), "`when`"):
            return ""
        source: str = item["when"]
        try:
            compile_condition(source)
        except ConditionError as error:
            self.add(f"`when`, {error.where}: {error.what}", error.hint, (*path, "when"))
        return source

    def _match(self, match: Any, path: Path) -> Match | None:
        if not self.is_a(match, dict, path, "`match`"):
            return None
        self.check_keys(match, MATCH_CHECKS, path, "`match`")
        self.check_present(match, ("action",), path, "`match`")
        given = {
            key: self._patterns(match[key], (*path, key), check) for key, check in MATCH_CHECKS.items() if key in match
        }
        return Match(**given) if "action" in given else None

    def _patterns(self, value: Any, path: Path, check: Callable[[str], object]) -> tuple[str, ...]:
        key = path[-1]
        if isinstance(value, list) and not value:
            hint = "Name at least one action" if key == "action" else "Leave the key out to match all"
            self.add(f"`{key}` is an empty list, which matches nothing", hint, path)
        items = [(item, (*path, at)) for at, item in enumerate(value)] if isinstance(value, list) else [(value, path)]
        texts = []
        for item, place in items:
            if self.is_a(item, str, place, f"`{key}`"):
                texts.append(item)
                try:
                    check(item)
                except VextirError as error:
                    self.add(error.what, error.hint, place)
        return tuple(texts)

    def _text(self, item: dict[str, Any], key: str, path: Path) -> str:
        value = item.get(key, "")
        if not self.is_a(value, str, (*path, key), f"`{key}`"):
            return ""
        text = " ".join(value.split())
        if len(text) > TEXT_CHARS or not text.isprintable():
            what = f"`{key}` is not printable text of at most {TEXT_CHARS} characters"
            self.add(what, "It is shown to people, in terminals too", (*path, key))
        return text
