"""YAML in: what is read, what is refused, and where messages point."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.errors import YamlProblemsError
from vextir_os.yamlio import YAML_BYTES, load_yaml


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(YamlProblemsError) as caught:
        load_yaml(text, "f.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing but a comment\n", None),
        ("a: 1", {"a": 1}),
        ("[-3, +3, 0, 0x1f]", [-3, 3, 0, 31]),
        ("[1.5, -0.5, 1.0e+3, .5]", [1.5, -0.5, 1000.0, 0.5]),
        ("[true, False, null, ~, ]", [True, False, None, None]),
        ("['yes', \"012\", 'null']", ["yes", "012", "null"]),
        ("a: |\n  1\n  2\n", {"a": "1\n2\n"}),
        ("a: tool:mail/send", {"a": "tool:mail/send"}),
        ("{b: 4h, c: 10.0.0.1, d: v1.2.3}", {"b": "4h", "c": "10.0.0.1", "d": "v1.2.3"}),
        ("{a: tool:mail/send}", {"a": "tool:mail/send"}),
        ("%YAML 1.2\n---\na: {}\n...\n", {"a": {}}),
        ("a: é 🙂", {"a": "é 🙂"}),
        ("9223372036854775807", 2**63 - 1),
    ],
    ids=repr,
)  # fmt: skip
def test_a_document_becomes_plain_json_values(text: str, value: object) -> None:
    assert load_yaml(text, "f.yaml").value == value


def test_a_byte_order_mark_is_passed_over() -> None:
    assert load_yaml(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f.yaml").value == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("path", "value_place", "key_place"),
    [
        ((), "f.yaml:2:1", "f.yaml:2:1"),
        (("é",), "f.yaml:3:3", "f.yaml:2:1"),
        (("é", 0), "f.yaml:3:5", "f.yaml:3:5"),
        (("é", 0, "a"), "f.yaml:3:8", "f.yaml:3:5"),
        (("é", 0, "b", 1), "f.yaml:4:12", "f.yaml:4:12"),
        (("é", 0, "missing", 7), "f.yaml:3:5", "f.yaml:3:5"),
    ],
    ids=repr,
)
def test_every_value_and_key_has_its_place(path: tuple[str | int, ...], value_place: str, key_place: str) -> None:
    document = load_yaml("# first\né:\n  - a: 1\n    b: [ü, 2]\n", "f.yaml")
    assert document.place(path) == value_place
    assert document.key_place(path) == key_place


def test_a_line_counts_from_one() -> None:
    assert load_yaml("a: 1\nb:\n- 2\n", "f.yaml").line(("b", 0)) == 3


@pytest.mark.parametrize("word", ["yes", "No", "ON", "off"])
def test_a_word_that_is_a_boolean_in_old_yaml_is_refused(word: str) -> None:
    value = "true" if word in ("yes", "ON") else "false"
    assert problems(f"a:\n  b: {word}") == [
        f"f.yaml:2:6: `{word}` is a boolean in YAML 1.1 and text in YAML 1.2. Quote it to mean text, or write {value}"
    ]


def test_the_key_on_is_refused() -> None:
    assert problems("on: push") == [
        "f.yaml:1:1: `on` is a boolean in YAML 1.1 and text in YAML 1.2. Quote it to mean text, or write true"
    ]


@pytest.mark.parametrize(
    ("scalar", "kind"),
    [
        ("012", "an octal number"),
        ("0o17", "an octal number"),
        ("007", "an octal number"),
        ("12:30", "a number of base 60"),
        ("1_000", "a number"),
        ("0b11", "a number"),
        ("-0x1f", "a number"),
        ("1e3", "a number"),
        ("12e45678", "a number"),
        ("-.5", "a number"),
        ("2024-01-31", "a date"),
        ("2024-01-31T10:00:00Z", "a date"),
    ],
)
def test_a_scalar_that_versions_of_yaml_read_differently_is_refused(scalar: str, kind: str) -> None:
    assert problems(f"a: {scalar}") == [
        f"f.yaml:1:4: `{scalar}` is {kind} in one version of YAML and not in another. Quote it to mean text"
    ]


NO_KEY = "a key is a mapping or a list. Use text as the key, and quote text that begins with `{`"
MERGE = "`<<` has a meaning of its own in YAML 1.1. Quote it to mean text, or write the keys out"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".nan", "f.yaml:1:1: `.nan` is no number of JSON. Quote it to mean text"),
        ("-.inf", "f.yaml:1:1: `-.inf` is no number of JSON. Quote it to mean text"),
        ("9223372036854775808", "f.yaml:1:1: `9223372036854775808` is a number over 64 bits. Quote it to mean text"),
        ("1" * 5000, f"f.yaml:1:1: `{'1' * 60}…` is a number over 64 bits. Quote it to mean text"),
        ("1" * 400 + ".0", f"f.yaml:1:1: `{'1' * 60}…` is too large a number. Quote it to mean text"),
        ("1: a", "f.yaml:1:1: the key `1` is no text. Quote it"),
        ("null: a", "f.yaml:1:1: the key `null` is no text. Quote it"),
        ("<<: 1", f"f.yaml:1:1: {MERGE}"),
        ("a: 1\na: 2", "f.yaml:2:1: the key `a` stands twice; first at f.yaml:1:1. Keep one of them"),
        ("? [a]\n: 1", f"f.yaml:1:3: {NO_KEY}"),
        ("a: {{ b }}", f"f.yaml:1:5: {NO_KEY}"),
        ("a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins here. Keep one document in a file"),
        ("a: &x 1", "f.yaml:1:4: `&x` is an anchor, which is not read here. Quote it to mean text"),
        ("a: *x", "f.yaml:1:4: `*x` is an alias, which is not read here. Quote it to mean text, or write it out"),
    ],
)  # fmt: skip
def test_what_has_no_plain_meaning_is_refused_with_its_place(text: str, problem: str) -> None:
    assert problems(text) == [problem]


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("users: [*]", "f.yaml:1:10: not YAML: ", "Quote text that begins with `*`"),
        ("a:\n\tb: 2", "f.yaml:2:1: not YAML: ", "Indent with spaces"),
        ("a: @b", "f.yaml:1:4: not YAML: ", "Quote text that begins with `%`, `@` or a backtick"),
        ("a: [1", "f.yaml:2:1: not YAML: ", "while parsing a flow sequence"),
        ('a: "1', "f.yaml:1:6: not YAML: ", "found unexpected end of stream while scanning a quoted scalar"),
    ],
)
def test_broken_yaml_names_the_place_and_the_usual_cause(text: str, place: str, hint: str) -> None:
    [problem] = problems(text)
    assert problem.startswith(place)
    assert problem.endswith(hint)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("a: !!python/object/apply:os.system [ls]", "!!python/object/apply:os.system"),
        ("a: !!python/name:os.system", "!!python/name:os.system"),
        ("a: !!binary aGk=", "!!binary"),
        ("a: !!str 1", "!!str"),
        ("a: !own 1", "!own"),
        ("a: ! 1", "!"),
    ],
)
def test_a_tag_builds_nothing(text: str, tag: str) -> None:
    assert problems(text) == [f"f.yaml:1:4: the tag `{tag}` is not read here. Remove it; quotes make a value text"]


def test_a_bomb_of_anchors_ends_at_its_first_alias() -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    found = problems("\n".join(lines))
    assert found[-1].startswith("f.yaml:2:10: `*a0` is an alias, which is not read here")
    assert len(found) == 3


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "], ids=["lists", "mappings", "dashes", "keys"])
def test_depth_is_bounded_whatever_nests(opening: str) -> None:
    assert problems(opening * 20_000)[-1].split(": ", 1)[1] in {
        "nested deeper than 64 levels. Flatten the file",
        NO_KEY,
    }


def test_the_deepest_nesting_that_is_allowed_is_read() -> None:
    value = load_yaml("[" * 64 + "]" * 64, "f.yaml").value
    for _ in range(63):
        [value] = value
    assert value == []
    assert problems("[" * 65 + "]" * 65) == ["f.yaml:1:65: nested deeper than 64 levels. Flatten the file"]


def test_a_file_over_the_size_limit_is_not_parsed() -> None:
    assert load_yaml("#" * YAML_BYTES, "f.yaml").value is None
    assert problems("é" * (YAML_BYTES // 2) + "é") == ["f.yaml: more than 1000000 bytes of YAML. Split the file"]


def test_bytes_that_are_no_utf8_name_their_line() -> None:
    assert problems(b"a: 1\nb: \xff") == ["f.yaml:2: not UTF-8: byte 8 cannot be decoded. Save the file as UTF-8"]


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x1b", "\x85", "\u2028", "\u202e", "\u2066", "\ud800", "\ufeff", "\r"],
    ids=lambda character: f"U+{ord(character):04X}",
)
def test_a_character_that_makes_a_file_read_other_than_it_looks_is_refused(character: str) -> None:
    [problem] = problems(f"a: 1\n# b{character}c: 2\n")
    what = f"f.yaml:2:4: the character U+{ord(character):04X} is not allowed in a file"
    assert problem == f"{what}. Remove it; in double quotes it can be written as an escape"


def test_all_problems_are_reported_together() -> None:
    assert [problem.split(": ")[0] for problem in problems("a: yes\nb: 012\na: &x 1\n")] == [
        "f.yaml:1:4", "f.yaml:2:4", "f.yaml:3:1", "f.yaml:3:4",
    ]  # fmt: skip


def test_reading_stops_at_fifty_problems() -> None:
    assert len(problems("- yes\n" * 1000)) == 50


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text("abc: *&!#'\"yesno019.-_é\n", max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("aé *:{}", max_size=4), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_is_yaml_and_is_read_as_the_same_value(value: object) -> None:
    assert load_yaml(json.dumps(value, ensure_ascii=False), "f.yaml").value == value


@given(st.text(max_size=60) | st.text("[]{}:-?*&!|>'\"%@`,# \n\tab1", max_size=60))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    places = []
    try:
        places.append(load_yaml(text, "f.yaml").place(()))
    except YamlProblemsError as error:
        places.extend(problem.where for problem in error.problems)
    assert places
    assert all(place.startswith("f.yaml:") for place in places)
