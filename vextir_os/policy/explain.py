"""Why a decision is as it is: every policy that concerns the action, and what of its condition is not so first.

Worked out anew when somebody asks; a decision itself pays nothing for it. Values are shown short, and those under names
that say secret not at all, so the text may be shown to people and to models.
"""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from vextir_os.errors import ConditionError
from vextir_os.policy.conditions import Condition, compile_condition
from vextir_os.policy.conditions.state import MISSING, State
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.facts import Facts
from vextir_os.policy.model import Effect, Request
from vextir_os.policy.rule import Rule

HIDDEN = "[hidden]"
_CHARS = 40
_PARTS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Of one policy.

    Attributes:
        decides: It is the one that decided.
        holds: Whether its match and its condition hold; an error of a denial counts as holding.
        why: What is not so, with the values; or what makes it hold.
    """

    policy_id: str
    effect: Effect
    priority: int
    origin: str
    decides: bool
    holds: bool
    why: str


def explain(
    engine: PolicyEngine, request: Request, *, hides: Callable[[str], bool] = lambda _name: False
) -> list[Reason]:
    """Return a reason for each policy that concerns a request, in the order in which they decide.

    Args:
        engine: That decides.
        request: What is asked.
        hides: Whether the value of a field of this name is not shown.
    """
    decided = engine.decide(request).policy_id
    facts = Facts(request)
    return [_reason(rule, request, facts, decided, hides) for rule in engine.concerning(request)]


def _reason(rule: Rule, request: Request, facts: Facts, decided: str | None, hides: Callable[[str], bool]) -> Reason:
    policy = rule.policy
    if not rule.holds(request):
        holds, why = False, "users, drivers or tenants do not match"
    elif rule.condition is None:
        holds, why = True, "it matches"
    else:
        holds, why = _of_condition(rule, rule.condition, facts, hides)
    return Reason(
        policy_id=policy.id,
        effect=policy.effect,
        priority=policy.priority,
        origin=policy.origin,
        decides=policy.id == decided,
        holds=holds,
        why=why,
    )


def _of_condition(rule: Rule, condition: Condition, facts: Facts, hides: Callable[[str], bool]) -> tuple[bool, str]:
    try:
        holds = rule.binds(condition, facts)
        outcome = condition.outcome(facts.of(condition))
    except ConditionError as error:
        binds = rule.policy.effect != "allow"
        return binds, f"{error}; {'so it holds' if binds else 'so it grants nothing'}"
    if holds:
        return True, "its condition holds"
    if outcome.holds:
        fields = ", ".join(f"`{path}`" for path in _absent(condition.tree, facts)) or "a field"
        return False, f"its condition rests on {fields}, which is not there; ask with has() or .get()"
    return False, _first_false(condition.tree, facts, hides)


def _first_false(node: ast.expr, facts: Facts, hides: Callable[[str], bool]) -> str:
    """Return the first part that makes an expression false, with the values of its sides."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        return next((_first_false(part, facts, hides) for part in node.values if not _value(part, facts)), "")
    if isinstance(node, ast.BoolOp):
        return " and ".join(_first_false(part, facts, hides) for part in node.values)
    text = ast.unparse(node)
    values = [f"`{ast.unparse(part)}` is {_shown(part, facts, hides)}" for part in _sides(node)]
    return f"`{text}` is not so" + (f": {', '.join(dict.fromkeys(values))}" if values else "")


def _sides(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the fields that a part speaks of: the longest paths, up to three; none inside of loops."""
    found: list[ast.expr] = []
    stack: list[ast.AST] = [node]
    while stack and len(found) < _PARTS_SHOWN:
        each = stack.pop(0)
        if isinstance(each, (ast.GeneratorExp, ast.ListComp, ast.SetComp)):
            stack.append(each.generators[0].iter)
        elif isinstance(each, (ast.Attribute, ast.Subscript)) and _is_path(each):
            found.append(each)
        elif isinstance(each, ast.Call) and isinstance(each.func, ast.Attribute):
            stack += [each.func.value, *each.args]
        elif isinstance(each, ast.Call):
            stack += each.args
        else:
            stack += ast.iter_child_nodes(each)
    yield from found


def _is_path(node: ast.expr) -> bool:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
            return False
        node = node.value
    return isinstance(node, ast.Name)


def _absent(tree: ast.expr, facts: Facts) -> Iterator[str]:
    for node in _sides(tree):
        if _value(node, facts) is MISSING:
            yield ast.unparse(node)


def _value(node: ast.expr, facts: Facts) -> Any:
    condition = compile_condition(ast.unparse(node))
    try:
        return condition.value(State(), facts.of(condition))
    except ConditionError:
        return MISSING


def _shown(node: ast.expr, facts: Facts, hides: Callable[[str], bool]) -> str:
    names = [part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)]
    names += [str(part.value) for part in ast.walk(node) if isinstance(part, ast.Constant)]
    if any(hides(name) for name in names):
        return HIDDEN
    value = _value(node, facts)
    if value is MISSING:
        return "not there"
    if isinstance(value, (dict, list, tuple, set)):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    short = text if len(text) <= _CHARS else f"{text[: _CHARS - 1]}…"
    return short if short.isprintable() else ascii(short)
