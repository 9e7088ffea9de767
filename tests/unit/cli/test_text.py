"""Text for terminals: nothing invisible passes, JSON reads back, lengths are those of cells."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.cli.output import yaml_text
from vextir_os.cli.text import (
    cells,
    counted,
    duration,
    moment,
    shorten,
    visible,
    visible_json,
    visible_lines,
    wall_clock,
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(TEXTS)
def test_visible_text_prints_and_stays_as_it_is_when_it_printed_before(text: str) -> None:
    assert visible(text).isprintable()
    assert not text.isprintable() or visible(text) == text


@given(TEXTS)
def test_each_visible_line_prints(text: str) -> None:
    assert all(line.isprintable() for line in visible_lines(text))


@given(VALUES, st.sampled_from([None, 2]))
def test_json_on_a_terminal_prints_and_reads_back(value: object, indent: int | None) -> None:
    text = visible_json(value, indent=indent)
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text) == value


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=4))
def test_yaml_on_a_terminal_prints_and_reads_back(value: dict[str, object]) -> None:
    import yaml

    text = yaml_text(value)
    assert all(line.isprintable() for line in text.split("\n"))
    assert yaml.safe_load(text) == value


@given(TEXTS.map(visible), st.integers(0, 40))
def test_shortened_text_fits_and_says_that_something_is_missing(text: str, width: int) -> None:
    short = shorten(text, width)
    assert cells(short) <= width
    assert short == text or short.endswith("…") or width == 0


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain é 漢", "plain é 漢", id="plain"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="escape-sequence"),
        pytest.param("\x9b31m", "\\x9b31m", id="c1-control"),
        pytest.param("a\u202eb", "a\\u202eb", id="bidi"),
        pytest.param("a\u200bb", "a\\u200bb", id="zero-width"),
        pytest.param("a\r\nb\tc", "a\\r\\nb\\tc", id="line-ends"),
        pytest.param("\U000e0041", "\\U000e0041", id="tag"),
    ],
)
def test_what_does_not_print_stands_as_its_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-1, "0.0 ms"), (0.00042, "0.4 ms"), (0.0094, "9.4 ms"), (0.0216, "22 ms"), (0.9994, "999 ms"), (0.9999, "1.0 s"),
     (3.64, "3.6 s"), (59.9, "59.9 s"), (61, "1 min"), (5_399, "90 min"), (9_000, "2.5 h")],
)  # fmt: skip
def test_durations_read_as_people_say_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_times_are_exact_in_utc_for_programs_and_short_for_people() -> None:
    assert moment(1_795_200_000.25) == "2026-11-20T18:40:00.250Z"
    today, earlier = wall_clock(1_795_200_000, 1_795_200_001), wall_clock(1_795_200_000, 1_795_900_000)
    assert len(today) == len("18:40:00")
    assert earlier.endswith(today)
    assert len(earlier) == len("2026-11-20 18:40:00")


def test_counts_have_their_noun_and_separators() -> None:
    assert (counted(1, "event"), counted(0, "event"), counted(1_204, "event")) == (
        "1 event",
        "0 events",
        "1,204 events",
    )


def test_wide_characters_take_two_cells() -> None:
    assert cells("漢字") == 4
    assert shorten("漢字漢字", 5) == "漢字…"
