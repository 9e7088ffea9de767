"""What a parsed condition may consist of. Whatever is not named here is refused, with its place. Pure."""

import ast
import math
from collections.abc import Sequence
from typing import Any

from vextir_os.errors import did_you_mean
from vextir_os.policy.conditions.limits import DEPTH, ELEMENTS, INT64, LOOPS, NODES, TERMS, TEXT_CHARS
from vextir_os.policy.conditions.vocabulary import FUNCTIONS, LITERAL, LOOPING, METHODS, ROOTS

_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)
_NAMES = {
    "Pow": "`**`", "LShift": "`<<`", "RShift": "`>>`", "BitOr": "`|`", "BitAnd": "`&`", "BitXor": "`^`",
    "MatMult": "`@`", "Invert": "`~`", "UAdd": "`+` before a value", "Lambda": "a lambda", "NamedExpr": "`:=`",
    "JoinedStr": "an f-string", "Await": "`await`", "Yield": "`yield`", "YieldFrom": "`yield`",
    "DictComp": "a dict comprehension", "Starred": "`*`", "GeneratorExp": "a generator",
}  # fmt: skip


class Refusal(Exception):  # noqa: N818 - it never leaves this package
    """A node that is not allowed; the caller knows how its place in the tree becomes one in the text."""

    def __init__(self, node: ast.AST, what: str, hint: str = "") -> None:
        self.node = node
        self.what = what
        self.hint = hint


def check_tree(tree: ast.expr) -> None:
    """Check a whole condition.

    Raises:
        Refusal: Some part is not allowed.
    """
    _Checker().value(tree, 1, frozenset())


class _Checker:
    """Walks the tree and counts. Methods that take a node check it with all that is below it."""

    def __init__(self) -> None:
        self.nodes = 0
        self.loops = 0

    def value(self, node: ast.expr, depth: int, scope: frozenset[str]) -> None:
        """Check a part that has a value; `scope` holds the loop variables that are known there."""
        self.nodes += 1
        if self.nodes > NODES:
            raise Refusal(node, f"the condition has more than {NODES} parts", "Split it into several policies")
        if depth > DEPTH:
            raise Refusal(node, f"the condition is nested deeper than {DEPTH} levels")
        check = getattr(self, f"on_{type(node).__name__}", None)
        if check is None:
            raise _unknown(node)
        check(node, depth + 1, scope)

    def each(self, nodes: Sequence[ast.expr], depth: int, scope: frozenset[str]) -> None:
        for node in nodes:
            self.value(node, depth, scope)

    def on_Constant(self, node: ast.Constant, _depth: int, _scope: frozenset[str]) -> None:  # noqa: N802
        problem = _constant_problem(node.value)
        if problem:
            raise Refusal(node, problem)

    def on_Name(self, node: ast.Name, _depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        if node.id in ROOTS or node.id in scope:
            return
        if node.id in FUNCTIONS:
            raise Refusal(node, f"`{node.id}` is a function and stands without a call", f"Write `{node.id}(…)`")
        known = ROOTS | scope | FUNCTIONS.keys()
        hint = did_you_mean(node.id, known) or f"The roots are: {', '.join(sorted(ROOTS))}"
        raise Refusal(node, f"unknown name `{node.id[:60]}`", hint)

    def on_Attribute(self, node: ast.Attribute, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        self.field(node)
        self.value(node.value, depth, scope)

    def field(self, node: ast.Attribute) -> None:
        if node.attr.startswith("_") or not node.attr.isascii():
            raise Refusal(node, f"the field `{node.attr[:60]}` begins with `_`", "No field of data that begins so")

    def on_Subscript(self, node: ast.Subscript, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        self.value(node.value, depth, scope)
        if not isinstance(node.slice, ast.Slice):
            self.value(node.slice, depth, scope)
            return
        if node.slice.step is not None:
            raise Refusal(node.slice, "a slice with a step")
        for bound in (node.slice.lower, node.slice.upper):
            if bound is not None and _whole(bound) is None:
                raise Refusal(bound, "a slice whose bounds are no plain numbers", "Write them out, as in `[:10]`")

    def on_BoolOp(self, node: ast.BoolOp, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        self.each(node.values, depth, scope)

    def on_UnaryOp(self, node: ast.UnaryOp, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        if not isinstance(node.op, (ast.Not, ast.USub)):
            raise _unknown(node.op, node)
        self.value(node.operand, depth, scope)

    def on_BinOp(self, node: ast.BinOp, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        if not isinstance(node.op, _OPERATORS):
            raise _unknown(node.op, node)
        self.each((node.left, node.right), depth, scope)

    def on_Compare(self, node: ast.Compare, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        if len(node.ops) >= TERMS:
            raise Refusal(node, f"a comparison of {len(node.ops) + 1} terms, at most {TERMS} are allowed")
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, (ast.Is, ast.IsNot)):
                if len(node.ops) > 1:
                    raise Refusal(node, "`is None` stands in a row of comparisons", "Write it apart, with `and`")
                if not (isinstance(right, ast.Constant) and right.value is None):
                    raise Refusal(right, "`is` compares with None alone", "Write `==`")
            elif not isinstance(operator, _COMPARISONS):
                raise _unknown(operator, node)
        self.each((node.left, *node.comparators), depth, scope)

    def on_IfExp(self, node: ast.IfExp, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        self.each((node.test, node.body, node.orelse), depth, scope)

    def on_List(self, node: ast.List | ast.Tuple | ast.Set, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        _few(node, len(node.elts))
        self.each(node.elts, depth, scope)

    on_Tuple = on_Set = on_List  # noqa: N815

    def on_Dict(self, node: ast.Dict, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        _few(node, len(node.values))
        for key in node.keys:
            if key is None:
                raise Refusal(node, "`**` in a dict")
            self.value(key, depth, scope)
        self.each(node.values, depth, scope)

    def on_Call(self, node: ast.Call, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        if node.keywords:
            raise Refusal(node, "a named argument", "Write arguments by their position")
        if isinstance(node.func, ast.Name):
            self.function(node, node.func.id, depth, scope)
        elif isinstance(node.func, ast.Attribute):
            self.method(node, node.func, depth, scope)
        else:
            raise Refusal(node, "a call of something that is neither a function nor a method")

    def function(self, node: ast.Call, name: str, depth: int, scope: frozenset[str]) -> None:
        if name not in FUNCTIONS:
            hint = did_you_mean(name, FUNCTIONS) or f"The functions are: {', '.join(FUNCTIONS)}"
            raise Refusal(node, f"unknown function `{name[:60]}`", hint)
        _arity(node, name, FUNCTIONS[name])
        if name in LITERAL:
            for argument in node.args[1:]:
                if not (isinstance(argument, ast.Constant) and type(argument.value) is str):
                    raise Refusal(argument, f"the second argument of `{name}` is no text that stands here")
        if name == "has" and not isinstance(node.args[0], (ast.Attribute, ast.Subscript, ast.Name)):
            raise Refusal(node.args[0], "`has` asks for a field", "Write `has(event.data.size)`")
        if name in LOOPING and len(node.args) == 1 and isinstance(node.args[0], ast.GeneratorExp):
            self.nodes += 1
            self.comprehension(node.args[0], [node.args[0].elt], depth + 1, scope)
        else:
            self.each(node.args, depth, scope)

    def method(self, node: ast.Call, called: ast.Attribute, depth: int, scope: frozenset[str]) -> None:
        self.field(called)
        if called.attr not in METHODS:
            hint = did_you_mean(called.attr, METHODS) or f"The methods are: {', '.join(METHODS)}"
            raise Refusal(called, f"unknown method `{called.attr[:60]}`", hint)
        _arity(node, called.attr, METHODS[called.attr])
        self.each((called.value, *node.args), depth, scope)

    def on_ListComp(self, node: ast.ListComp | ast.SetComp, depth: int, scope: frozenset[str]) -> None:  # noqa: N802
        self.comprehension(node, [node.elt], depth, scope)

    on_SetComp = on_ListComp  # noqa: N815

    def comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp,
        body: Sequence[ast.expr],
        depth: int,
        scope: frozenset[str],
    ) -> None:
        self.loops += 1
        if self.loops > LOOPS:
            raise Refusal(node, f"more than {LOOPS} comprehensions in one condition")
        if len(node.generators) > LOOPS or sum(len(each.ifs) for each in node.generators) > LOOPS:
            raise Refusal(node, f"a comprehension with more than {LOOPS} `for` or {LOOPS} `if`")
        for each in node.generators:
            if each.is_async:
                raise Refusal(node, "`async` is not allowed")
            self.value(each.iter, depth, scope)
            scope = scope | self.targets(each.target, scope)
            self.each(each.ifs, depth, scope)
        self.each(body, depth, scope)

    def targets(self, target: ast.expr, scope: frozenset[str]) -> frozenset[str]:
        parts = target.elts if isinstance(target, ast.Tuple) else [target]
        names = [part.id for part in parts if isinstance(part, ast.Name)]
        self.nodes += len(parts)
        if not names or len(names) != len(parts) or len(set(names)) != len(names):
            raise Refusal(target, "a loop runs over names, each once", "Write `for item in …` or `for key, value in …`")
        for name in names:
            if name.startswith("_") or not name.isascii() or name in scope or name in ROOTS or name in FUNCTIONS:
                raise Refusal(target, f"`{name[:60]}` cannot name a loop's item", "Use a name that is not taken")
        return frozenset(names)


def _constant_problem(constant: Any) -> str:
    kind = type(constant)
    if kind is str:
        if len(constant) > TEXT_CHARS:
            return f"a text of {len(constant)} characters, at most {TEXT_CHARS} are allowed"
        return "a text with half a surrogate pair" if any("\ud800" <= char <= "\udfff" for char in constant) else ""
    if kind is int:
        return "" if -INT64 <= constant < INT64 else "a whole number over 64 bits"
    if kind is float:
        return "" if math.isfinite(constant) else "a number that is not finite"
    return "" if constant is None or kind is bool else f"{'`...`' if constant is ... else kind.__name__} is not allowed"


def literal_bounds(node: ast.Slice) -> tuple[int | None, int | None]:
    """Return the bounds of a slice that was checked."""
    return tuple(None if bound is None else _whole(bound) for bound in (node.lower, node.upper))  # type: ignore[return-value]


def _whole(node: ast.expr) -> int | None:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value < INT64:
        return sign * node.value
    return None


def _few(node: ast.expr, count: int) -> None:
    if count > ELEMENTS:
        raise Refusal(node, f"{count} elements, at most {ELEMENTS} are allowed")


def _arity(node: ast.Call, name: str, counts: tuple[int, int]) -> None:
    least, most = counts
    if not least <= len(node.args) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise Refusal(node, f"`{name}` takes {wanted} arguments, not {len(node.args)}")


def _unknown(node: ast.AST, place: ast.AST | None = None) -> Refusal:
    name = type(node).__name__
    return Refusal(place or node, f"{_NAMES.get(name, name)} is not allowed in a condition")
