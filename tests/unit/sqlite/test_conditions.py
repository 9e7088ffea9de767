"""Conditions: what SQL lets through is never less than what matches, whatever the document."""

import sqlite3
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.adapters.sqlite import conditions
from vextir_os.errors import InvalidRequestError
from vextir_os.events import jsonio
from vextir_os.ports.store import Comparison, Where

TEXTS = st.one_of(st.text(max_size=5), st.sampled_from(["", "1", "a\x00b", '"', "\\u0061", "true", "\U0010ffff", "'"]))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-2, 2),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 2.0**53, 1e300]),
    TEXTS,
)
KEYS = st.sampled_from(["a", "b", "a-b", "0"])
DOCUMENTS = st.dictionaries(
    KEYS, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2))
)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)


@st.composite
def wheres(draw: st.DrawFn) -> Where:
    comparison = draw(st.sampled_from(get_args(Comparison)))
    if comparison == "exists":
        value: Any = draw(st.booleans())
    elif comparison == "in":
        value = draw(st.lists(SCALARS, max_size=3))
    elif comparison in ("=", "!="):
        value = draw(SCALARS)
    else:
        value = draw(SCALARS.filter(lambda value: value is not None and not isinstance(value, bool)))
    return Where(draw(PATHS), comparison, value)


@given(document=DOCUMENTS, where=wheres(), data=st.data())
def test_sql_lets_through_all_that_matches(document: dict[str, Any], where: Where, data: st.DataObject) -> None:
    found = conditions.look_up(document, where.path)
    if where.comparison not in ("exists", "in") and data.draw(st.booleans()) and isinstance(found, (int, float, str)):
        comparison = "=" if isinstance(found, bool) else where.comparison
        where = Where(where.path, comparison, found)
    conditions.check([where])
    sql, parameters = conditions.narrow(where)
    connection = sqlite3.connect(":memory:")
    query = f"SELECT {sql} FROM (SELECT ? AS body)"  # noqa: S608 - the SQL under test
    [(passed,)] = connection.execute(query, (*parameters, jsonio.dumps(document))).fetchall()
    connection.close()
    if conditions.matches(jsonio.loads(jsonio.dumps(document)), [where]):
        assert passed == 1


@pytest.mark.parametrize("path", ["", ".", "a.", "a b", 'a"', "a'", "$", "a[0]", "ä", "a" * 200, ".".join("a" * 17)])
def test_a_path_has_a_strict_syntax(path: str) -> None:
    with pytest.raises(InvalidRequestError, match="dots between"):
        conditions.check_path(path)


@pytest.mark.parametrize(
    ("found", "value", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (True, 1, False),
        (0, False, False),
        (None, None, True),
        (None, False, False),
        ("1", 1, False),
        ([1], [1], True),
        ({}, None, False),
    ],
)
def test_values_are_equal_as_json_has_them(found: object, value: object, same: bool) -> None:
    assert conditions.matches({"v": found}, [Where("v", "=", value)]) is same
