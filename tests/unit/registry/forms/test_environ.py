"""Names of the environment in texts: which they are, what becomes of them, and that values are no templates."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.registry.forms.environ import substituted, substituted_body, substituted_values

ENVIRON = {"A": "1", "AB": "2", "EMPTY": "", "_x9": "3", "LOOP": "%A%", "DOLLAR": "$A", "SIGN": "$$A"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$A", "1"),
        ("%A%", "1"),
        ("$AB", "2"),
        ("$A.B", "1.B"),
        ("a$A%AB%b", "a12b"),
        ("$UNSET", "$UNSET"),
        ("%UNSET%", "%UNSET%"),
        ("[$EMPTY]", "[]"),
        ("$$A", "$A"),
        ("%%A%%", "%A%"),
        ("$$UNSET", "$UNSET"),
        ("${A}", "${A}"),
        ("$5", "$5"),
        ("100%", "100%"),
        ("100% of %A%", "100% of 1"),
        ("%A%A%", "1A%"),
        ("$_x9", "3"),
        ("$LOOP", "%A%"),
        ("%DOLLAR%", "$A"),
        ("$SIGN", "$$A"),
        ("$", "$"),
        ("", ""),
    ],
)
def test_a_text_is_read_in_one_pass(text: str, value: str) -> None:
    assert substituted(text, ENVIRON) == value


def test_what_is_not_set_is_named() -> None:
    unset: set[str] = set()
    substituted("$A $GONE %LOST% $$NOT", ENVIRON, unset)
    assert unset == {"GONE", "LOST"}


def test_lines_between_three_backticks_stay_as_they_are() -> None:
    body = "$A\n```sh\n$A\n```\n`$A`\n  ```\n$A"
    assert substituted_body(body, ENVIRON) == "1\n```sh\n$A\n```\n`1`\n  ```\n$A"


def test_values_are_replaced_and_keys_are_not() -> None:
    assert substituted_values({"$A": ["$A", {"b": "%A%"}], "n": 5, "t": True, "z": None}, ENVIRON) == {
        "$A": ["1", {"b": "1"}],
        "n": 5,
        "t": True,
        "z": None,
    }


@given(st.text(alphabet="$%AB {}5_", max_size=30), st.text(alphabet="$%AB", max_size=8))
def test_what_a_value_holds_is_never_read_for_names(text: str, value: str) -> None:
    marked = substituted(text, {"A": "\0", "B": "\0"})
    assert substituted(text, {"A": value, "B": value}) == marked.replace("\0", value)
