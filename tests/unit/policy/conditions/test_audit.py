"""The last look at compiled code: whatever the check and the generator would let through by mistake stops here."""

import ast
from types import CodeType
from typing import Any

import pytest

from tests.unit.policy.conditions.test_language import HOLD, text
from vextir_os.policy import compile_condition
from vextir_os.policy.conditions.assemble import assemble
from vextir_os.policy.conditions.audit import AuditError, audit
from vextir_os.policy.conditions.lower import Lowered


def code_of(source: str) -> CodeType:
    return compile(f"lambda _s, event: ({source})", "<test>", "eval").co_consts[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("event.type", "the instruction LOAD_ATTR"),
        ("event.__class__", "the instruction LOAD_ATTR"),
        ("event['x']", "the instruction BINARY_"),
        ("event + 1", "the instruction BINARY_OP"),
        ("event == 1", "the instruction COMPARE_OP"),
        ("event in _s", "the instruction CONTAINS_OP"),
        ("event is _s", "the instruction IS_OP"),
        ("-event", "the instruction UNARY_NEGATIVE"),
        ("f'{event}'", "the instruction FORMAT_"),
        ("_eq(*event)", "the instruction CALL_FUNCTION_EX"),
        ("open('x')", "the name open"),
        ("__import__('os')", "the name __import__"),
        ("_list(_s, lambda: (x for x in _turns(_s, event, 1) if print(x)))", "the name print"),
        ("_any(_s, lambda: (eval(x) for x in _turns(_s, event, 1)))", "the name eval"),
        ("b'x'", "a constant of type bytes"),
        ("1j", "a constant of type complex"),
        ("...", "a constant of type ellipsis"),
        ("(1, (2, b'x'))", "a constant of type bytes"),
    ],
)
def test_what_generated_code_never_holds_is_refused(source: str, found: str) -> None:
    with pytest.raises(AuditError) as caught:
        audit(code_of(source), ())
    assert str(caught.value).startswith(found) or found in str(caught.value)


def test_the_code_of_all_that_is_allowed_passes() -> None:
    for line in HOLD:
        condition = compile_condition(text(line))
        assert audit(condition._ask.__code__, {f"_k{number}" for number in range(9)})


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ("(", ")"), ("{", "}")])
def test_long_rows_of_values_are_allowed(open_: str, close: str) -> None:
    # Python makes these in another way than short ones.
    row = ", ".join(f"event.n + {number}" for number in range(45))
    assert compile_condition(f"44 in {open_}{row}{close}").evaluate({"event": {"n": 0}})
    pairs = ", ".join(f"event.n + {number}: event.n" for number in range(45))
    assert compile_condition(f"44 in {{{pairs}}}").evaluate({"event": {"n": 0}})
    constants = ", ".join(map(str, range(200)))
    assert compile_condition(f"event.n in {open_}{constants}{close}").evaluate({"event": {"n": 0}})


def test_the_code_has_no_builtins_and_knows_only_what_it_calls() -> None:
    names = compile_condition('len(event.data) > 1 and "a" in event.labels')._ask.__globals__
    assert names.keys() == {"__builtins__", "_f_len", "_path", "_gt", "_in"}
    assert names["__builtins__"] == {}


def test_a_generator_of_code_that_errs_makes_no_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Lowered, node: ast.Name) -> Any:
        return ast.Attribute(value=ast.Name(id=node.id, ctx=ast.Load()), attr="__class__", ctx=ast.Load())

    monkeypatch.setattr(Lowered, "_on_Name", wrong)
    with pytest.raises(AuditError, match="the instruction LOAD_ATTR"):
        assemble(Lowered(ast.parse("user", mode="eval").body))
