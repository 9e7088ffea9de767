"""The grammar of actions: what is one, what matches what, and which spellings pass no gate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.errors import ActionError
from vextir_os.events.patterns import matches as type_matches
from vextir_os.policy.globs import matches_segments, matches_text
from vextir_os.policy.grammar import VERBS, parse_action, permits, resource_problem


@pytest.mark.parametrize(
    ("pattern", "action"),
    [
        ("publish:mail.received", "publish:mail.received"),
        ("publish:mail.*", "publish:mail.received"),
        ("process:mail.**", "process:mail"),
        ("emit:**", "emit:a.b.c"),
        ("emit:*.done", "emit:research.done"),
        ("call:research.**", "call:research.web.search"),
        ("model:chat/*", "model:chat/gpt-5"),
        ("model:**", "model:embed/small"),
        ("model:*/small", "model:embed/small"),
        ("model:chat/**", "model:chat/meta-llama/Llama-3:8b"),
        ("tool:mail/send", "tool:mail/send"),
        ("tool:github/issue_*", "tool:github/issue_create"),
        ("tool:*/read*", "tool:files/read_file"),
        ("context.read:/Research/*", "context.read:/Research/ai trends"),
        ("context.read:/Research/**", "context.read:/Research/a/b"),
        ("context.write:/Research/**", "context.write:/Research"),
        ("context.write:/**/draft-*", "context.write:/a/b/draft-1"),
        ("http:api.example.com", "http:api.example.com"),
        ("http:*.example.com", "http:api.example.com"),
        ("http:**.example.com", "http:example.com"),
        ("http:**.example.com", "http:a.b.example.com"),
        ("http:10.0.0.*", "http:10.0.0.7"),
        ("http:::1", "http:::1"),
        ("secret:MAIL_*", "secret:MAIL_PASSWORD"),
        ("plan:*", "plan:weekly-report"),
        ("ui:desk/*", "ui:desk/approve"),
        ("admin:policy", "admin:policy"),
    ],
)
def test_a_permission_covers_an_action(pattern: str, action: str) -> None:
    assert permits([pattern], action)


@pytest.mark.parametrize(
    ("pattern", "action"),
    [
        ("publish:mail.*", "publish:mail"),
        ("publish:mail.*", "publish:mail.a.b"),
        ("publish:mail.*", "process:mail.a"),
        ("model:chat/*", "model:embed/small"),
        ("model:chat/*", "model:chat/a/b"),
        ("tool:mail/*", "tool:mailer/send"),
        ("tool:mail/send", "tool:mail/sender"),
        ("context.read:/Research/*", "context.read:/Research"),
        ("context.read:/Research/*", "context.read:/Research/a/b"),
        ("context.read:/**", "context.write:/a"),
        ("http:example.com", "http:api.example.com"),
        ("http:*.example.com", "http:example.com"),
        ("http:*.example.com", "http:a.b.example.com"),
        ("http:*.example.com", "http:evilexample.com"),
        ("http:**.example.com", "http:example.com.evil.org"),
        ("secret:A", "secret:AB"),
    ],
)
def test_a_permission_does_not_cover_another_action(pattern: str, action: str) -> None:
    assert not permits([pattern], action)


@pytest.mark.parametrize(
    ("pattern", "action"),
    [
        ("context.read:/**", "context.read:/a/../secret"),
        ("context.read:/**", "context.read:/a//b"),
        ("context.read:/**", "context.read:/a/./b"),
        ("context.read:/**", "context.read:a"),
        ("context.read:/**", "context.read:/a/"),
        ("context.read:/**", "context.read:/a\\b"),
        ("context.read:/**", "context.read:/a\x00"),
        ("context.read:/**", "context.read:/a\u202eb"),
        ("context.read:/**", "context.read:/cafe\u0301"),
        ("context.read:/**", "context.read:/*"),
        ("context.read:/**", "context.read:/" + "a" * 1024),
        ("tool:**", "tool:mail"),
        ("tool:**", "tool:/mail/send"),
        ("tool:**", "tool:mail/../send"),
        ("tool:mail/*", "tool:mail/*"),
        ("model:**", "model:image/x"),
        ("secret:*", "secret:A/B"),
        ("emit:**", "emit:Mail.Received"),
        ("emit:**", "emit:mail..received"),
        ("emit:**", "emit:"),
        ("http:**", "http:API.example.com"),
        ("http:**", "http:api.example.com."),
        ("http:**", "http:api.example.com:443"),
        ("http:**", "http:http://example.com"),
        ("http:**", "http:127.1"),
        ("http:**", "http:2130706433"),
        ("http:**", "http:0x7f000001"),
        ("http:**", "http:127.0.0.01"),
        ("http:**", "http:0:0:0:0:0:0:0:1"),
        ("http:**", "http:::ffff:0:1:"),
        ("http:**", "http:bücher.example"),
        ("tool:**", "toll:mail/send"),
        ("tool:**", "tool"),
    ],
)
def test_another_spelling_of_a_resource_is_covered_by_nothing(pattern: str, action: str) -> None:
    assert not permits([pattern], action)


def test_a_driver_without_permissions_may_do_nothing() -> None:
    assert not permits([], "tool:mail/send")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tol:mail/send", "unknown verb `tol` in `tol:mail/send`. Did you mean `tool`?"),
        ("contextread:/a", "unknown verb `contextread` in `contextread:/a`. Did you mean `context.read`?"),
        ("\x1b[2J:x", f"unknown verb `\\x1b[2J` in `\\x1b[2J:x`. The verbs are: {', '.join(VERBS)}"),
        ("*:x", f"unknown verb `*` in `*:x`. The verbs are: {', '.join(VERBS)}"),
        ("tools", "`tools` is no action: it has no `verb:resource`. Did you mean `tool`?"),
        ("*", f"`*` is no action: it has no `verb:resource`. The verbs are: {', '.join(VERBS)}"),
    ],
)
def test_a_verb_that_is_unknown_is_answered_with_the_nearest_or_all(text: str, message: str) -> None:
    with pytest.raises(ActionError) as caught:
        parse_action(text)
    assert str(caught.value) == message


TOOL = "Write `tool:SERVER/NAME`, `tool:SERVER/*` or `tool:**`"
MODEL = "Write `model:chat/NAME`, `model:embed/NAME`, `model:chat/*` or `model:**`"
HTTP = "Write `http:api.example.com`, `http:*.example.com` or `http:**`"
PATH = "Write `context.read:/Research/report`, `context.read:/Research/*` or `context.read:/**`"
SECRET = "Write `secret:NAME` or `secret:*`"
EMIT = "Write `emit:mail.received`, `emit:mail.*` or `emit:mail.**`"
NO_TYPE = "is not a dotted lower-case type with `*` or `**` for whole segments"
NO_GLOB = "`?`, `!`, `[`, `]`, `{` and `}` are no globs here; only `*` and `**` are"
NO_HOST = "http names a host alone, without scheme, port and path"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("tool:mail", "tool has two names with `/` between", TOOL),
        ("tool:*", "tool has two names with `/` between", TOOL),
        ("tool:mail/[ab]", NO_GLOB, TOOL),
        ("tool:mail/a?", NO_GLOB, TOOL),
        ("tool:mail/a**", "`**` stands alone in its segment, not as `a**`", TOOL),
        ("tool:mail//send", "the segment `` is not allowed", TOOL),
        ("model:gpt-5/chat", "`gpt-5` is neither `chat` nor `embed`", MODEL),
        ("http:*example.com", "`*` stands for a whole part of a host, not as `*example`", HTTP),
        ("http:https://example.com/x", NO_HOST, HTTP),
        ("http:example.com:443", NO_HOST, HTTP),
        ("http:cafe:443", NO_HOST, HTTP),
        ("http:2001:DB8::1", NO_HOST, HTTP),
        ("http:127.1", "the host ends in a number and is no address such as `192.0.2.1`", HTTP),
        ("http:2001:db8:0::1", "the address is not in its shortest form, `2001:db8::1`", HTTP),
        ("context.read:Research/**", "a context path begins with `/`", PATH),
        ("context.read:/a/../b", "the segment `..` is not allowed", PATH),
        ("secret:A/B", "secret has one name, without `/`", SECRET),
        ("secret:", "the resource is empty", SECRET),
        ("secret:A B", "a name holds no space", SECRET),
        ("emit:Mail.*", f"pattern 'Mail.*' {NO_TYPE}", EMIT),
    ],
)
def test_a_resource_that_is_none_is_answered_with_an_example(text: str, problem: str, hint: str) -> None:
    with pytest.raises(ActionError) as caught:
        parse_action(text)
    assert str(caught.value) == f"`{text}` is no action: {problem}. {hint}"


def test_a_message_holds_no_control_character_of_the_text_it_is_about() -> None:
    with pytest.raises(ActionError) as caught:
        parse_action("plan:\x1b[2J")
    assert caught.value.what == "`plan:\\x1b[2J` is no action: the resource holds control or invisible characters"


def test_a_parsed_action_reads_as_it_was_written() -> None:
    assert str(parse_action("context.read:/Research/**")) == "context.read:/Research/**"


def test_a_resource_of_a_megabyte_is_refused_without_reading_it() -> None:
    problem = resource_problem("tool", "a/" * 500_000)
    assert problem == "the resource has 1000000 characters, at most 1024 are allowed"


@pytest.mark.parametrize(
    ("glob", "text", "expected"),
    [
        ("", "", True),
        ("*", "", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("a*a", "a", False),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
        ("*ab*ab*", "ab", False),
        ("a", "ab", False),
    ],
)
def test_a_star_stands_for_any_characters_of_one_text(glob: str, text: str, expected: bool) -> None:
    assert matches_text(glob, text) is expected


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_globs_agree_with_the_obvious_recursion(glob: str, text: str) -> None:
    def obvious(glob: str, text: str) -> bool:
        if not glob:
            return not text
        if glob[0] == "*":
            return any(obvious(glob[1:], text[at:]) for at in range(len(text) + 1))
        return bool(text) and text[0] == glob[0] and obvious(glob[1:], text[1:])

    assert matches_text(glob, text) is obvious(glob, text)


SEGMENTS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=6)


@given(st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=6), SEGMENTS)
def test_segments_of_types_match_as_event_patterns_do(glob: list[str], segments: list[str]) -> None:
    assert matches_segments(glob, segments) is type_matches(".".join(glob), ".".join(segments))


def test_a_hostile_glob_ends_soon() -> None:
    assert not matches_text("*a" * 200 + "b", "a" * 1000)
    assert not matches_segments(["**", "a"] * 100 + ["b"], ["a"] * 1000)
