"""What is refused when a policy is loaded: everything that is not named in the language, with its place."""

import pytest

from tests.unit.policy.conditions.hostile import FAMILIES, refused
from vextir_os.errors import ConditionError, PolicyError
from vextir_os.policy import compile_condition

CORPUS = list(refused())


def test_the_corpus_is_large_and_holds_nothing_twice() -> None:
    assert len({expression for _, expression in CORPUS}) >= 500


def refusal(expression: str) -> ConditionError | None:
    """Return what keeps an expression from being compiled; None when nothing does. All else goes through."""
    try:
        compile_condition(expression)
    except ConditionError as error:
        return error
    return None


@pytest.mark.parametrize("family", FAMILIES)
def test_none_of_a_family_is_compiled_and_each_is_told_where(family: str) -> None:
    refusals = {expression: refusal(expression) for expression in FAMILIES[family]}
    assert [expression for expression, said in refusals.items() if said is None] == []
    for expression, said in refusals.items():
        assert said is not None
        assert 1 <= said.line <= len(expression.splitlines()) + 1, expression
        assert said.column >= 1, expression
        assert str(said).startswith(f"line {said.line} column {said.column}: ")


@pytest.mark.parametrize("source", [None, 1, b"event", ["event"], type("Text", (str,), {})("event")])
def test_what_is_no_text_is_no_condition(source: object) -> None:
    with pytest.raises(PolicyError, match="a condition is text, not a"):
        compile_condition(source)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("event.data.__class__", "line 1 column 1: the field `__class__` begins with `_`"),
        ("event.type ==\n  lenn(user)", "line 2 column 3: unknown function `lenn`. Did you mean `len`?"),
        ('"ü" == event.type and evnt.x', "line 1 column 23: unknown name `evnt`. Did you mean `event`?"),
        ("event.type.lowr()", "unknown method `lowr`. Did you mean `lower`?"),
        ("len(event.data", "line 1 column 4: `(` is never closed"),
        ("event.type == (1,\n 2))", "line 2 column 4: `)` closes nothing"),
        ("event.type is 1", "`is` compares with None alone. Write `==`"),
        ("len", "`len` is a function and stands without a call. Write `len(…)`"),
        ("event.amount ** 2 > 1", "`**` is not allowed in a condition"),
        ('matches(event.type, "(a")', "no pattern that RE2 takes: missing ): (a"),
        ("hour(now, 'Mars') > 1", "unknown time zone 'Mars'. Write a name such as \"Europe/Berlin\""),
        ("event.type == 1 1", "no expression: invalid syntax"),
    ],
)
def test_a_refusal_names_the_place_the_piece_and_what_to_do(source: str, said: str) -> None:
    with pytest.raises(PolicyError) as caught:
        compile_condition(source)
    assert said in str(caught.value)
