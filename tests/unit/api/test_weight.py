import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.api.weight import is_heavy

TEXT = st.text(st.sampled_from('a,[]{}:"\\\n é'), max_size=8)
JSON = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(TEXT, inner, max_size=6),
    max_leaves=40,
)


def parts(value: Any) -> int:
    """Return how many values and keys there are in a value."""
    if isinstance(value, dict):
        return 1 + len(value) + sum(map(parts, value.values()))
    return 1 + sum(map(parts, value)) if isinstance(value, list) else 1


@given(value=JSON, escaped=st.booleans())
def test_what_weighs_more_than_it_may_is_seen_whatever_its_texts_hold(value: Any, escaped: bool) -> None:
    body = json.dumps(value, ensure_ascii=escaped).encode()
    count = parts(value)
    assert not is_heavy(body, 4 * count + 4)
    assert is_heavy(body, count // 3 - 2) or count < 6


@given(text=st.text(st.sampled_from('a,[{"\\'), max_size=200))
def test_one_text_weighs_nothing_whatever_it_holds(text: str) -> None:
    assert not is_heavy(json.dumps([text]).encode(), 4)


@given(body=st.binary(max_size=100) | st.text(st.sampled_from('",[{\\'), max_size=100).map(str.encode))
def test_any_bytes_are_weighed(body: bytes) -> None:
    assert is_heavy(body, 1_000) is False
    assert is_heavy(body, -1) is True


@pytest.mark.parametrize(
    "body",
    [b"0," * 2_000_001, b"[" * 2_000_001, b'"",' * 2_000_001, b'{"a":1},' * 1_000_001, b'["\\\\"' + b",0" * 2_000_001],
    ids=["numbers", "brackets", "texts", "objects", "after-an-escape"],
)
def test_two_million_parts_are_too_many(body: bytes) -> None:
    assert is_heavy(body)


def test_a_long_text_of_commas_is_not_too_much() -> None:
    assert not is_heavy(b'{"data": "' + b'1,\\",' * 2_000_000 + b'"}')
