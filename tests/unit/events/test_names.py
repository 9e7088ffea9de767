"""Types, patterns, tenants and labels against what hostile senders write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.strategies import patterns, types
from vextir_os.errors import InvalidEventError, PatternError
from vextir_os.events.names import check_label, check_pattern, check_tenant, check_type, is_reserved

HOSTILE = {
    "empty": "",
    "empty segment": "a..b",
    "dot first": ".a",
    "dot last": "a.",
    "space": "a b",
    "newline at the end": "mail.received\n",
    "newline within": "a\nb",
    "nul": "a\x00",
    "slash": "a/b",
    "129 characters": "a" * 129,
    "look-alike letter": "m\u0430il.received",
    "wide letter": "\uff41.b",
    "dotless i": "ma\u0131l",
    "other digits": "a.\u0661",
    "combining": "a\u0301",
    "zero width": "a\u200b.b",
    "digit first": "1a",
    "star within": "a*",
    "three stars": "***",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_dotted_lower_case_is_no_type(text: str) -> None:
    with pytest.raises(
        InvalidEventError, match=r"^event type .* is not dotted lower case of at most 128 characters\. "
    ):
        check_type(text)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_dotted_lower_case_is_no_pattern(text: str) -> None:
    with pytest.raises(
        PatternError, match=r"^pattern .* is not a dotted lower-case type with `\*` or `\*\*` for whole"
    ):
        check_pattern(text)


def test_upper_case_gets_a_hint() -> None:
    with pytest.raises(InvalidEventError) as caught:
        check_type("Mail.Received")

    assert str(caught.value) == (
        "event type 'Mail.Received' is not dotted lower case of at most 128 characters. Did you mean 'mail.received'?"
    )


def test_a_huge_type_is_cut_in_the_message() -> None:
    with pytest.raises(InvalidEventError) as caught:
        check_type("A" * 100_000)

    assert str(caught.value) == (
        f"event type '{'A' * 60}…' is not dotted lower case of at most 128 characters. "
        "Write it as `mail.received`: segments of a-z, 0-9, `_`, `-`, with dots between"
    )


@pytest.mark.parametrize("text", ["a", "mail.received", "a.1.b-c_d", "a" * 128])
def test_a_type_is_returned_as_it_is_and_is_a_pattern(text: str) -> None:
    assert check_type(text) == check_pattern(text) == text


@pytest.mark.parametrize("text", ["*", "**", "a.*", "*.a.**", "github.**.opened"])
def test_stars_stand_for_whole_segments(text: str) -> None:
    assert check_pattern(text) == text


@given(types)
def test_every_generated_type_is_a_type(type_: str) -> None:
    assert check_type(type_) == type_


@given(patterns)
def test_every_generated_pattern_is_a_pattern(pattern: str) -> None:
    assert check_pattern(pattern) == pattern


@given(st.text())
def test_any_text_is_a_type_or_refused(text: str) -> None:
    try:
        assert check_type(text) == text
    except InvalidEventError:
        return
    assert text.isascii()
    assert text == text.lower()
    assert all(text.split("."))


@pytest.mark.parametrize(
    ("type_", "reserved"),
    [("vextir", True), ("vextir.knock", True), ("vextirs.knock", False), ("a.vextir", False), ("vextir-x.a", False)],
)
def test_the_types_of_the_os_are_those_below_vextir(type_: str, reserved: bool) -> None:
    assert is_reserved(type_) is reserved


@pytest.mark.parametrize("text", ["", "A", "a~b", "-a", "a-", ".", "..", "a/b", "a\n", "a" * 65, "\u0430"])
def test_what_may_be_mistaken_is_no_tenant(text: str) -> None:
    with pytest.raises(InvalidEventError, match=r"is not a lower-case name of 1 to 64 characters a-z 0-9 \. _ -$"):
        check_tenant(text)


@pytest.mark.parametrize("text", ["", "A", "1a", "a b", "a,b", "a\n", "a" * 65, "-a"])
def test_what_would_not_survive_a_comma_separated_list_is_no_label(text: str) -> None:
    with pytest.raises(InvalidEventError, match=r"is not a lower-case name of 1 to 64 characters a-z 0-9 \. _ -$"):
        check_label(text)


@pytest.mark.parametrize("text", ["a", "untrusted", "a" * 64, "hr.salary-2_x"])
def test_a_label_is_returned_as_it_is(text: str) -> None:
    assert check_label(text) == text


@pytest.mark.parametrize("text", ["a", "0", "acme", "a.b-c_d", "a" * 64])
def test_a_tenant_is_returned_as_it_is(text: str) -> None:
    assert check_tenant(text) == text
