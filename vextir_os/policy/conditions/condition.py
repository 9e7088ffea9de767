"""One condition: compiled from its text, asked with an environment. Only `PolicyError` leaves it."""

import ast
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import Lock
from types import TracebackType
from typing import Any, NamedTuple

from vextir_os.errors import ConditionError, PolicyError
from vextir_os.policy.conditions.assemble import FILE, assemble
from vextir_os.policy.conditions.audit import AuditError
from vextir_os.policy.conditions.check import Refusal, check_tree
from vextir_os.policy.conditions.gate import check_data
from vextir_os.policy.conditions.lower import Lowered
from vextir_os.policy.conditions.source import check_source
from vextir_os.policy.conditions.state import MISSING, Fault, State

_KEPT = 16_384
_PARSING = Lock()


class Outcome(NamedTuple):
    """What a condition says.

    Attributes:
        holds: Its value, as true or false.
        missing: It touched a field that is not there, outside of `has()`, `.get()` and `is None`: no allow rests on it.
    """

    holds: bool
    missing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A compiled condition; immutable, safe for use from several threads. Made by `compile_condition`.

    Attributes:
        source: Its text.
        roots: What it speaks of, sorted: `("event", "user")`.
        fields: The fields of `event` that it speaks of; None for any.
        tree: The checked expression, as it was written; nobody changes it.
    """

    source: str
    roots: tuple[str, ...]
    fields: frozenset[str] | None
    tree: ast.expr = field(repr=False, compare=False)
    _ask: Callable[..., Any] = field(repr=False, compare=False)

    def evaluate(self, environment: Mapping[str, object]) -> bool:
        """Say whether the condition holds, as an allow would rest on it.

        It does not hold where it touched a field that is not there, outside of `has()`, `.get()` and `is None`.

        Args:
            environment: The roots that apply, by name: `{"event": {"type": "mail.received", "data": {…}}}`. JSON values
                of exact types; `now` is an aware datetime.

        Raises:
            PolicyError: It cannot be answered on these values: wrong kinds, too much work, data that is no JSON. The
                message names line and column.
        """
        try:
            values = [environment.get(root, MISSING) for root in self.roots]
            check_roots(self.roots, values)
        except PolicyError:
            raise
        except Exception:  # noqa: BLE001 - somebody else's mapping may raise anything
            raise ConditionError("the environment is no mapping of roots") from None
        outcome = self.outcome(values)
        return outcome.holds and not outcome.missing

    def outcome(self, values: Sequence[Any]) -> Outcome:
        """Answer on values that have passed the data gate, one for each root; `MISSING` where it does not apply.

        Raises:
            PolicyError: As `evaluate`.
        """
        state = State()
        return Outcome(self.ask(state, values), state.missing)

    def value(self, state: State, values: Sequence[Any]) -> Any:
        """Return what the expression gives, `MISSING` included: for explanations. Raises as `evaluate`."""
        try:
            return self._ask(state, *values)
        except Exception as error:  # noqa: BLE001 - as above
            raise _failed(self, error) from None

    def ask(self, state: State, values: Sequence[Any]) -> bool:
        """Answer as `outcome` does, on a state that is new or was cleared; it says afterwards what was missing.

        Raises:
            PolicyError: As `evaluate`.
        """
        try:
            return bool(self._ask(state, *values))
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing but our own error leaves
            raise _failed(self, error) from None


@lru_cache(_KEPT)
def _compiled(source: str) -> Condition:
    check_source(source)
    try:
        tree = _parsed(source)
        check_tree(tree)
        lowered = Lowered(tree)
    except Refusal as refusal:
        line, column = _place(source, refusal.node)
        raise ConditionError(refusal.what, line=line, column=column, hint=refusal.hint) from None
    try:
        ask = assemble(lowered)
    except AuditError as error:
        raise ConditionError(f"it was compiled into something else: {error}") from None
    return Condition(source=source, roots=lowered.roots, fields=_event_fields(tree), tree=tree, _ask=ask)


def compile_condition(source: str) -> Condition:
    """Compile the condition of a policy, `event.data.amount > 100 and "untrusted" not in event.labels`.

    The language is a subset of Python's expressions: docs/guides/conditions.md.

    Raises:
        PolicyError: Something in it is not allowed, or it is no expression; `line` and `column`, both from 1, and the
            message say where.
    """
    try:
        if type(source) is not str:
            check_source(source)
        return _compiled(source)
    except PolicyError:
        raise
    except Exception as error:  # noqa: BLE001 - a parser that is exhausted, or anything that we did not foresee
        raise ConditionError(f"it cannot be compiled: {type(error).__name__}") from None


def check_roots(roots: tuple[str, ...], values: list[Any]) -> None:
    """The data gate for the roots of a condition. Raises `PolicyError`."""
    for root, value in zip(roots, values, strict=True):
        if value is MISSING:
            continue
        if root == "now":
            if type(value) is not datetime or value.utcoffset() is None:
                raise ConditionError("`now` is no aware datetime")
        else:
            check_data(value, f"`{root}`")


def _parsed(source: str) -> ast.expr:
    # In brackets, so that a condition may stand on several lines.
    try:
        with _PARSING, warnings.catch_warnings():
            # Python warns of `"\d"`; in patterns people write it all the same.
            warnings.simplefilter("ignore")
            tree = ast.parse(f"(\n{source}\n)", FILE, "eval")
    except SyntaxError as error:
        line = max(1, (error.lineno or 2) - 1)
        raise ConditionError(
            f"no expression: {error.msg}", line=min(line, source.count("\n") + 1), column=max(1, error.offset or 1)
        ) from None
    if tree.body.lineno == 1:
        # The brackets around it are its own: there is a comma in it that no bracket of the text encloses, or nothing.
        raise ConditionError("it is not one value", hint="Write `and` between several" if "," in source else "")
    return tree.body


def _place(source: str, node: ast.AST) -> tuple[int, int]:
    line = max(1, getattr(node, "lineno", 2) - 1)
    lines = source.splitlines() or [""]
    text = lines[min(line, len(lines)) - 1].encode()
    return line, len(text[: getattr(node, "col_offset", 0)].decode("utf-8", "replace")) + 1


def _event_fields(tree: ast.expr) -> frozenset[str] | None:
    """Return the names that the event is asked for; None where it stands by itself, or a name is computed."""
    named: dict[ast.expr, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            named[node.value] = node.attr
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and type(node.slice.value) is str:
            named[node.value] = node.slice.value
    called = {
        node.func.value for node in ast.walk(tree) if isinstance(node, ast.Call) if isinstance(node.func, ast.Attribute)
    }
    events = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "event"]
    if any(node in called or node not in named for node in events):
        return None
    return frozenset(named[node] for node in events)


def _failed(condition: Condition, error: Exception) -> PolicyError:
    line, column = _place_of_failure(condition.source, error.__traceback__)
    what = str(error) if isinstance(error, Fault) else f"{type(error).__name__}: {str(error)[:200]}"
    return ConditionError(f"it cannot be answered: {what}", line=line, column=column)


def _place_of_failure(source: str, trace: TracebackType | None) -> tuple[int, int]:
    """Return where in the text the work was that failed: the compiled code knows the place of each instruction."""
    place = (1, 1)
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == FILE:
            positions = list(code.co_positions())
            line, _, offset, _ = positions[min(trace.tb_lasti // 2, len(positions) - 1)]
            node = ast.Constant(value=None, lineno=line or 2, col_offset=offset or 0)
            place = _place(source, node)
        trace = trace.tb_next
    return place
