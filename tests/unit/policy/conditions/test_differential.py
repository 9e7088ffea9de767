"""What conditions share with Python they answer as Python does, for generated expressions and data."""

import warnings
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SOAK
from vextir_os.errors import PolicyError
from vextir_os.policy import compile_condition

TURNS = 20_000 if SOAK else 200


class Fields(dict[str, Any]):
    """A dict whose keys read as attributes, where they are no methods of dicts: for Python's own evaluation."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError as error:
            raise AttributeError(name) from error


SCALARS = st.one_of(
    st.integers(-5, 5), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.booleans(), st.none(), st.text("abAé ", max_size=4),
)  # fmt: skip
LISTS = st.lists(SCALARS, max_size=4)
NAMES = ("a", "b", "c")
DATA = st.fixed_dictionaries({name: st.one_of(SCALARS, LISTS) for name in NAMES})
METHODS = ("lower()", "upper()", "strip()", 'startswith("a")', 'split("a")', 'find("b")', 'count("a")', "isalpha()",
           'removeprefix("a")', "casefold()", 'endswith(("a", "b"))')  # fmt: skip
FUNCTIONS = ("len", "any", "all", "sum", "min", "max", "abs", "round", "bool", "int", "float", "sorted", "set", "list")


def literals() -> st.SearchStrategy[str]:
    return st.one_of(
        st.integers(-9, 9).map(repr),
        st.sampled_from(["1.5", "0.0", "True", "None", '"a"', '""', '"é"', "[]", "{}", "()"]),
    )


def fields() -> st.SearchStrategy[str]:
    return st.sampled_from(
        [form for name in NAMES for form in (f"event.{name}", f'event["{name}"]', f'event.get("{name}")')]
    )


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]
    )
    return st.one_of(
        st.tuples(inner, operators, inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, inner, inner).map(lambda parts: "({} if {} else {})".format(*parts)),
        st.tuples(inner, inner, inner).map(lambda parts: "({} < {} <= {})".format(*parts)),
        inner.map(lambda part: f"(not {part})"),
        inner.map(lambda part: f"(-{part})"),
        inner.map(lambda part: f"({part} is None)"),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda parts: "{}({})".format(*parts)),
        st.tuples(inner, st.sampled_from(METHODS)).map(lambda parts: "({}).{}".format(*parts)),
        st.tuples(inner, inner).map(lambda parts: "[{}, {}]".format(*parts)),
        st.tuples(inner, st.integers(-3, 3)).map(lambda parts: "({})[{}]".format(*parts)),
        st.tuples(inner, st.integers(-3, 3)).map(lambda parts: "({})[{}:]".format(*parts)),
        st.tuples(st.sampled_from(["any", "all", "sum", "list", "set", "sorted", "max"]), inner, inner).map(
            lambda parts: "{}((x == {}) for x in {})".format(*parts)
        ),
        st.tuples(inner, inner).map(lambda parts: "[x for x in {} if x != {}]".format(*parts)),
    )


def refusal(work: Callable[[], object]) -> str:
    """Return what a `PolicyError` says, empty without one. Whatever else is raised goes through."""
    try:
        work()
    except PolicyError as error:
        return str(error)
    return ""


EXPRESSIONS = st.recursive(st.one_of(literals(), fields()), larger, max_leaves=10)
_BUILTINS = {name: getattr(__builtins__, name, None) or __builtins__[name] for name in FUNCTIONS}  # type: ignore[index]


def python(source: str, data: dict[str, Any]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return eval(source, {"__builtins__": {}, **_BUILTINS, "event": Fields(data)})  # noqa: S307 - our own text


@settings(max_examples=TURNS, deadline=None)
@given(EXPRESSIONS, DATA)
def test_where_both_answer_they_answer_the_same(source: str, data: dict[str, Any]) -> None:
    try:
        condition = compile_condition(source)
    except PolicyError:
        # Larger than a condition may be; what is refused otherwise stands in other tests.
        return
    try:
        outcome = condition.outcome([data] if condition.roots else [])
    except PolicyError:
        return
    if outcome.missing:
        return
    try:
        expected = python(source, data)
    except (LookupError, TypeError) as error:
        said: Exception | None = error
    else:
        said = None
    if said is not None:
        # `… is None` asks for what may be missing; Python cannot. All else that conditions answer Python answers too.
        assert "is None" in source, source
        assert isinstance(said, LookupError) or "'NoneType' object is not subscriptable" in str(said), source
        return
    assert outcome.holds is bool(expected), source


@settings(max_examples=TURNS, deadline=None)
@given(EXPRESSIONS, DATA)
def test_where_python_answers_a_condition_refuses_for_a_reason_that_is_named(source: str, data: dict[str, Any]) -> None:
    try:
        python(source, data)
        condition = compile_condition(source)
    except Exception:  # noqa: BLE001 - whatever Python says to generated text
        return
    said = refusal(lambda: condition.outcome([data] if condition.roots else []))
    if said:
        reasons = ("` of a", "` a ", "over 64 bits", "not finite", "has no", "that have no order", "a set of", "sliced",
                   "a loop over", "is no key", "is indexed by", "of nothing", "takes a text", "too long",
                   "is no number")  # fmt: skip
        assert any(reason in said for reason in reasons), (source, said)


@settings(max_examples=TURNS, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60), st.text("event.data()[]{}'\"=<>!+-*/%,: \nxlambdafornif0123456789_\\#", max_size=60)
    )
)
def test_any_text_is_compiled_or_refused_with_its_place(source: str) -> None:
    said = refusal(lambda: compile_condition(source).evaluate({"event": {"data": {}}}))
    assert said.startswith("line ") or not said


@settings(max_examples=TURNS, deadline=None)
@given(EXPRESSIONS, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_nothing_but_a_policy_error_leaves_whatever_the_data_is(source: str, data: Any) -> None:
    try:
        answer = compile_condition(source).evaluate({"event": data})
    except PolicyError:
        return
    assert type(answer) is bool
