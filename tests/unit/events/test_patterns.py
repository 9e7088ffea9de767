"""The trie against a matcher too simple to be wrong, and the order of what it finds."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.strategies import patterns, types
from vextir_os.errors import PatternError
from vextir_os.events.patterns import PatternTrie, matches, specificity


def naive(pattern: Sequence[str], type_: Sequence[str]) -> bool:
    if not pattern:
        return not type_
    if pattern[0] == "**":
        return any(naive(pattern[1:], type_[at:]) for at in range(len(type_) + 1))
    return bool(type_) and pattern[0] in ("*", type_[0]) and naive(pattern[1:], type_[1:])


@given(patterns, types)
def test_a_pattern_matches_as_the_simple_matcher_says(pattern: str, type_: str) -> None:
    assert matches(pattern, type_) is naive(pattern.split("."), type_.split("."))


@given(st.lists(patterns, max_size=12), types)
def test_the_trie_finds_exactly_the_patterns_that_match(several: list[str], type_: str) -> None:
    trie: PatternTrie[int] = PatternTrie()
    for index, pattern in enumerate(several):
        trie.add(pattern, index)

    found = trie.match(type_)

    assert sorted(value for _, value in found) == [
        index for index, pattern in enumerate(several) if naive(pattern.split("."), type_.split("."))
    ]
    assert [pattern for pattern, _ in found] == sorted((pattern for pattern, _ in found), key=specificity)
    assert trie.match(type_) is found


@pytest.mark.parametrize(
    ("pattern", "type_", "expected"),
    [
        ("mail.*", "mail.received", True),
        ("mail.*", "mail", False),
        ("mail.*", "mail.a.b", False),
        ("mail.**", "mail", True),
        ("mail.**", "mail.a.b", True),
        ("mail.**", "mails", False),
        ("**", "a", True),
        ("*", "a.b", False),
        ("**.opened", "opened", True),
        ("a.**.b", "a.b", True),
        ("a.**.b", "a.x.y.b", True),
        ("a.**.b", "a.x.y.c", False),
    ],
)
def test_one_star_is_one_segment_and_two_are_any_number(pattern: str, type_: str, expected: bool) -> None:
    assert matches(pattern, type_) is expected


@pytest.mark.parametrize(
    "narrow_to_wide",
    [
        ["a.b", "a.*", "*.b", "a.**", "*.*", "**"],
        ["a.b.c", "a.b.*", "a.b.**", "a.**.c", "a.*.**", "a.**", "**"],
        ["a.**.b.**.c", "a.**.c", "**.c", "**"],
        ["a.*.**", "a.**", "*.**", "**"],
    ],
    ids=lambda row: row[1],
)
def test_the_most_specific_pattern_comes_first(narrow_to_wide: list[str]) -> None:
    keys = [specificity(pattern) for pattern in narrow_to_wide]

    assert sorted({*keys}) == keys


ALPHABET = ["a", "b", "z"]
SHORT_TYPES = [row for size in range(1, 6) for row in product(ALPHABET, repeat=size)]
SHORT_PATTERNS = [row for size in range(1, 4) for row in product(["a", "b", "*", "**"], repeat=size)]


def test_a_pattern_comes_before_every_pattern_that_matches_more() -> None:
    # "z" stands in no pattern, so it is what a star stands for.
    found = {row: frozenset(type_ for type_ in SHORT_TYPES if naive(row, type_)) for row in SHORT_PATTERNS}

    wrong = [
        (narrow, wide)
        for narrow, wide in product(SHORT_PATTERNS, repeat=2)
        if found[narrow] < found[wide] and specificity(".".join(narrow)) >= specificity(".".join(wide))
    ]

    assert wrong == []


def test_values_of_one_pattern_keep_the_order_in_which_they_were_added() -> None:
    trie: PatternTrie[str] = PatternTrie()
    for value in ("second", "first", "third"):
        trie.add("a.*", value)

    assert [value for _, value in trie.match("a.b")] == ["second", "first", "third"]


def test_a_pattern_added_later_is_found_for_types_asked_for_before() -> None:
    trie: PatternTrie[int] = PatternTrie()
    assert trie.match("a.b") == ()

    trie.add("a.*", 1)

    assert trie.match("a.b") == (("a.*", 1),)


def test_many_double_stars_over_a_deep_type_do_not_blow_up() -> None:
    pattern = ".".join(["**"] * 40 + ["x"])
    trie: PatternTrie[bool] = PatternTrie()
    trie.add(pattern, True)

    assert trie.match(".".join(["a"] * 64)) == ()
    assert trie.match(".".join(["a"] * 63 + ["x"])) == ((pattern, True),)


def test_more_types_than_are_cached_are_still_matched() -> None:
    trie: PatternTrie[bool] = PatternTrie()
    trie.add("*.hit", True)

    assert all(trie.match(f"t{index}.hit") for index in range(4_200))
    assert trie.match("t1.miss") == ()


def test_a_wrong_pattern_is_refused_when_it_is_added() -> None:
    with pytest.raises(PatternError, match=r"^pattern 'a\.\*b' is not a dotted lower-case type"):
        PatternTrie[int]().add("a.*b", 1)
