"""From a checked condition to the code that runs: every operation becomes a call of ours, every name one of ours. Pure.

`event.data.to` becomes `_path(_s, event, ("data", "to"))`, `a + b` becomes `_add(_s, a, b)`. What is left to Python
itself is what cannot reach anything: `and`, `or`, `not`, `x if y else z`, literals, and the loops of comprehensions
over what `_turns` gives them.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vextir_os.policy.conditions import functions, operations
from vextir_os.policy.conditions.check import literal_bounds
from vextir_os.policy.conditions.functions import FUNCTION_CODE
from vextir_os.policy.conditions.literals import literal
from vextir_os.policy.conditions.methods import METHOD_CODE
from vextir_os.policy.conditions.vocabulary import LITERAL, LOOPING, ROOTS

STATE = "_s"
"""Name of the evaluation's state in the generated code."""

_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "_add", ast.Sub: "_sub", ast.Mult: "_mul", ast.Div: "_div", ast.FloorDiv: "_floordiv", ast.Mod: "_mod",
}  # fmt: skip
_COMPARE: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "_eq", ast.NotEq: "_ne", ast.Lt: "_lt", ast.LtE: "_le", ast.Gt: "_gt", ast.GtE: "_ge",
    ast.In: "_in", ast.NotIn: "_not_in",
}  # fmt: skip

HELPERS: Mapping[str, Callable[..., Any]] = {
    "_path": operations.path, "_peek": operations.peek, "_root": operations.root, "_item": operations.item,
    "_item_peek": operations.item_peek, "_cut": operations.cut, "_is_null": operations.is_null,
    "_is_there": operations.is_there, "_add": operations.add, "_sub": operations.sub, "_mul": operations.mul,
    "_div": operations.div, "_floordiv": operations.floordiv, "_mod": operations.mod, "_neg": operations.neg,
    "_eq": operations.eq, "_ne": operations.ne, "_lt": operations.lt, "_le": operations.le, "_gt": operations.gt,
    "_ge": operations.ge, "_in": operations.contains, "_not_in": operations.lacks, "_chain": operations.chain,
    "_turns": operations.turns, "_any": functions.any_turn, "_all": functions.all_turns,
    "_list": functions.gathered, "_set": functions.gathered_set,
    **{f"_f_{name}": code for name, code in FUNCTION_CODE.items()},
    **{f"_m_{name}": code for name, code in METHOD_CODE.items()},
}  # fmt: skip
"""Everything that generated code can call. None of it reaches an attribute of a value."""

Loop = ast.GeneratorExp | ast.ListComp | ast.SetComp


class Lowered:
    """The code of one condition.

    Attributes:
        tree: A lambda of the state and the roots.
        roots: The roots that it speaks of, in the order of the lambda's arguments.
        literals: What its literal texts have become, by name: patterns, zones.
    """

    def __init__(self, condition: ast.expr) -> None:
        self.literals: dict[str, Any] = {}
        used = {node.id for node in ast.walk(condition) if isinstance(node, ast.Name)}
        self.roots = tuple(sorted(used & ROOTS))
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg(arg=name) for name in (STATE, *self.roots)],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        )
        body = ast.Lambda(args=arguments, body=self._value(condition))
        self.tree = ast.fix_missing_locations(ast.Expression(body=ast.copy_location(body, condition)))

    def _value(self, node: ast.expr) -> ast.expr:
        lower = getattr(self, f"_on_{type(node).__name__}")
        lowered: ast.expr = lower(node)
        return ast.copy_location(lowered, node)

    def _each(self, nodes: Sequence[ast.expr]) -> list[ast.expr]:
        return [self._value(node) for node in nodes]

    def _on_Constant(self, node: ast.Constant) -> ast.expr:  # noqa: N802
        return ast.Constant(value=node.value)

    def _on_Name(self, node: ast.Name) -> ast.expr:  # noqa: N802
        return _call("_root", _name(node.id)) if node.id in ROOTS else _name(node.id)

    def _on_Attribute(self, node: ast.Attribute) -> ast.expr:  # noqa: N802
        base, names = _fields(node)
        return _call("_path", self._base(base, peek=False), _constant(names))

    def _on_Subscript(self, node: ast.Subscript) -> ast.expr:  # noqa: N802
        base = self._base(node.value, peek=False)
        if isinstance(node.slice, ast.Slice):
            low, high = literal_bounds(node.slice)
            return _call("_cut", base, ast.Constant(value=low), ast.Constant(value=high))
        return _call("_item", base, self._value(node.slice))

    def _base(self, node: ast.expr, *, peek: bool) -> ast.expr:
        """What fields are looked up in; a bare root needs no note of its own, and a look behind notes nothing."""
        if isinstance(node, ast.Name):
            return ast.copy_location(_name(node.id), node)
        return self._peek(node) if peek else self._value(node)

    def _peek(self, node: ast.expr) -> ast.expr:
        """A field that may be missing without a note: of `has(…)` and `… is None`."""
        if isinstance(node, ast.Name):
            lowered: ast.expr = _name(node.id)
        elif isinstance(node, ast.Attribute):
            base, names = _fields(node)
            lowered = _plain_call("_peek", self._base(base, peek=True), _constant(names))
        elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            lowered = _plain_call("_item_peek", self._base(node.value, peek=True), self._value(node.slice))
        else:
            return self._value(node)
        return ast.copy_location(lowered, node)

    def _on_BoolOp(self, node: ast.BoolOp) -> ast.expr:  # noqa: N802
        return ast.BoolOp(op=node.op, values=self._each(node.values))

    def _on_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:  # noqa: N802
        if isinstance(node.op, ast.Not):
            return ast.UnaryOp(op=ast.Not(), operand=self._value(node.operand))
        return _call("_neg", self._value(node.operand))

    def _on_BinOp(self, node: ast.BinOp) -> ast.expr:  # noqa: N802
        return _call(_BINARY[type(node.op)], self._value(node.left), self._value(node.right))

    def _on_Compare(self, node: ast.Compare) -> ast.expr:  # noqa: N802
        if len(node.ops) == 1:
            return self._compare(node.ops[0], node.left, node.comparators[0])
        links: list[ast.expr] = []
        for operator, right in zip(node.ops, node.comparators, strict=True):
            links += [ast.copy_location(_name(_COMPARE[type(operator)]), right), _lazy(self._value(right))]
        return _call("_chain", self._value(node.left), *links)

    def _compare(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> ast.expr:
        if isinstance(operator, ast.Is):
            return _plain_call("_is_null", self._peek(left))
        if isinstance(operator, ast.IsNot):
            return ast.UnaryOp(op=ast.Not(), operand=_plain_call("_is_null", self._peek(left)))
        return _call(_COMPARE[type(operator)], self._value(left), self._value(right))

    def _on_IfExp(self, node: ast.IfExp) -> ast.expr:  # noqa: N802
        return ast.IfExp(test=self._value(node.test), body=self._value(node.body), orelse=self._value(node.orelse))

    def _on_List(self, node: ast.List) -> ast.expr:  # noqa: N802
        return ast.List(elts=self._each(node.elts), ctx=ast.Load())

    def _on_Tuple(self, node: ast.Tuple) -> ast.expr:  # noqa: N802
        return ast.Tuple(elts=self._each(node.elts), ctx=ast.Load())

    def _on_Set(self, node: ast.Set) -> ast.expr:  # noqa: N802
        return _call("_f_set", ast.Tuple(elts=self._each(node.elts), ctx=ast.Load()))

    def _on_Dict(self, node: ast.Dict) -> ast.expr:  # noqa: N802
        return ast.Dict(keys=[None if key is None else self._value(key) for key in node.keys],
                        values=self._each(node.values))  # fmt: skip

    def _on_Call(self, node: ast.Call) -> ast.expr:  # noqa: N802
        if isinstance(node.func, ast.Attribute):
            return _call(f"_m_{node.func.attr}", self._value(node.func.value), *self._each(node.args))
        name = node.func.id  # type: ignore[attr-defined]
        if name == "has":
            return _plain_call("_is_there", self._peek(node.args[0]))
        if name in LITERAL and len(node.args) == 2:
            return _call(f"_f_{name}", self._value(node.args[0]), self._literal(name, node.args[1]))
        if name in LOOPING and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            loop = _lazy(ast.copy_location(self._loop(node.args[0]), node))
            return _call(f"_{name}", loop) if name in ("any", "all") else _call(f"_f_{name}", _call("_list", loop))
        return _call(f"_f_{name}", *self._each(node.args))

    def _literal(self, name: str, node: ast.expr) -> ast.expr:
        value = literal(name, node)
        if type(value) is str:
            return ast.copy_location(ast.Constant(value=value), node)
        key = f"_k{len(self.literals)}"
        self.literals[key] = value
        return ast.copy_location(_name(key), node)

    def _on_ListComp(self, node: ast.ListComp) -> ast.expr:  # noqa: N802
        return _call("_list", _lazy(ast.copy_location(self._loop(node), node)))

    def _on_SetComp(self, node: ast.SetComp) -> ast.expr:  # noqa: N802
        return _call("_set", _lazy(ast.copy_location(self._loop(node), node)))

    def _loop(self, node: Loop) -> ast.expr:
        cost = sum(1 for _ in ast.walk(node))
        clauses = [
            ast.comprehension(
                target=each.target,
                iter=ast.copy_location(_call("_turns", self._value(each.iter), ast.Constant(value=cost)), each.iter),
                ifs=self._each(each.ifs),
                is_async=0,
            )
            for each in node.generators
        ]
        return ast.GeneratorExp(elt=self._value(node.elt), generators=clauses)


def _fields(node: ast.Attribute) -> tuple[ast.expr, tuple[str, ...]]:
    """Return what a row of fields is looked up in, and their names from the outermost in."""
    names = [node.attr]
    base = node.value
    while isinstance(base, ast.Attribute):
        names.append(base.attr)
        base = base.value
    return base, tuple(reversed(names))


def _constant(names: tuple[str, ...]) -> ast.Constant:
    # Python's compiler takes a tuple of constants for a constant; the stubs know only what its parser makes.
    return ast.Constant(value=names)  # type: ignore[arg-type]


def _name(name: str) -> ast.Name:
    return ast.Name(id=name, ctx=ast.Load())


def _plain_call(helper: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(func=_name(helper), args=list(arguments), keywords=[])


def _call(helper: str, *arguments: ast.expr) -> ast.Call:
    return _plain_call(helper, _name(STATE), *arguments)


def _lazy(value: ast.expr) -> ast.Lambda:
    nothing = ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[])
    return ast.copy_location(ast.Lambda(args=nothing, body=value), value)
