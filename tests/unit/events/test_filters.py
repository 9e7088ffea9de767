"""The filter grammar, row by row, and what it refuses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.events.strategies import events
from vextir_os.errors import FilterError
from vextir_os.events.event import Event
from vextir_os.events.filter_terms import Value, glob
from vextir_os.events.filters import FILTER_CHARS, EventFilter, event_row

DATA_KEYS = "Write `data.path:value`, names of a-z A-Z 0-9 _ - with dots between"
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC).timestamp()
ROW = {
    "id": "e1",
    "type": "mail.received",
    "source": "/mail/cli",
    "subject": "Invoice Réunion",
    "status": "failed",
    "driver": ["mail.reader", "archive"],
    "tenant": "acme",
    "user": "ann",
    "category": "input",
    "label": ("pii", "untrusted"),
    "priority": 7,
    "correlation": "c1",
    "time": NOW - 3_600,
    "data": {
        "total": 120.5,
        "count": 3,
        "paid": True,
        "note": None,
        "to": ["a@b.c", "x y"],
        "order": {"id": "42", "lines": [{"sku": "k-1"}]},
        "text": 'Grüße, "quoted"',
    },
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("   ", True),
        # words
        ("invoice", True),
        ("réunion", True),
        ("/mail", True),
        ("grüsse", True),
        ("missing", False),
        ('"invoice réunion"', True),
        ('"réunion invoice"', False),
        ("inv*nion", True),
        ("nion*inv", False),
        ('"inv*nion"', False),
        ("-invoice", False),
        ("-missing", True),
        ("text:k-1", True),
        ('text:"a@b.c"', True),
        ("text:nope,invoice", True),
        ("12:30", False),
        ("-", True),
        # types
        ("mail.received", True),
        ("mail.receive", False),
        ("mail.*", True),
        ("*", False),
        ("*.*", True),
        ("**", True),
        ("task.*", False),
        ("-mail.*", False),
        ('"mail.rec"', True),
        ("type:mail.received", True),
        ("type:mail.*", True),
        ("type:task.*,mail.**", True),
        ("type:mail*", True),
        ('type:"mail.*"', False),
        ("type:mail", False),
        # keys
        ("id:e1", True),
        ("source:*/cli", True),
        ("source:/mail", False),
        ("status:failed", True),
        ("status:done,failed", True),
        ("status:done", False),
        ("-status:done", True),
        ("driver:archive", True),
        ("driver:mail.*", True),
        ("driver:mail", False),
        ("tenant:acme", True),
        ("user:Ann", False),
        ("category:input", True),
        ("category:in*", True),
        ("label:pii", True),
        ("label:hr", False),
        ("-label:hr,pii", False),
        ("priority:7", True),
        ('priority:"7"', False),
        ("correlation:c1", True),
        # numbers
        ("priority>6", True),
        ("priority>7", False),
        ("priority>=7", True),
        ("priority<8", True),
        ("priority<=6", False),
        ("data.total>100", True),
        ("data.total>1.2e2", True),
        ("data.total<-5", False),
        ("data.paid>0", False),
        ("data.text>1", False),
        # data
        ("data.total:120.50", True),
        ("data.count:3.0", True),
        ("data.count:4", False),
        ("priority:8", False),
        ("data.paid:true", True),
        ("data.paid:false", False),
        ("data.paid:1", False),
        ("data.note:null", True),
        ('data.note:"null"', False),
        ("data.missing:null", False),
        ("data.missing:*", False),
        ("-data.missing:x", True),
        ("data.order.id:42", True),
        ('data.order.id:"42"', True),
        ("data.order:*", False),
        ("data.to:a@b.c", True),
        ('data.to.1:"x y"', True),
        ("data.to.2:*", False),
        ("data.order.lines.0.sku:k-*", True),
        ("data.total.x:1", False),
        ('data.text:"Grüße, \\"quoted\\""', True),
        # time
        ("since:2h", True),
        ("since:59m", False),
        ("since:1w since:3600s", True),
        ("until:30m", True),
        ("until:2h", False),
        ("since:2026-06-15", True),
        ("until:2026-06-15", False),
        ("since:2026-06-15T11:00Z", True),
        ("since:2026-06-15T13:00:00.5+02:00", False),
        ("since:2026-06-14 until:2026-06-16", True),
        # several
        ("mail.* status:failed priority>5 invoice", True),
        ("mail.* status:done", False),
        ("mail.*\tstatus:failed\n-user:bob", True),
    ],
)
def test_a_filter_keeps_what_it_says(text: str, expected: bool) -> None:
    assert EventFilter.parse(text).matches(ROW, NOW) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stauts:failed", "filter, character 1: unknown key `stauts`. Did you mean `status`?"),
        ("a -usr:x", "filter, character 4: unknown key `usr`. Did you mean `user`?"),
        ("Type:a", "filter, character 1: unknown key `Type`. Did you mean `type`?"),
        (
            "http://x",
            (
                "filter, character 1: unknown key `http`. Keys are type, source, id, status, driver, tenant, user, "
                "category, label, priority, correlation, since, until, text and data.<path>; "
                "quote text with `:`, `<`, `>`"
            ),
        ),
        ("data:x", f"filter, character 1: unknown key `data`. {DATA_KEYS}"),
        ("data.:x", f"filter, character 1: unknown key `data.`. {DATA_KEYS}"),
        ("status:", 'filter, character 8: a value is missing. Write `key:value`, or `key:""` for an empty one'),
        ("status:a,", 'filter, character 10: a value is missing. Write `key:value`, or `key:""` for an empty one'),
        ("status:,a", 'filter, character 8: a value is missing. Write `key:value`, or `key:""` for an empty one'),
        ('x "open', 'filter, character 3: a quote is not closed. End it with `"`'),
        ('status:"a\\"', 'filter, character 8: a quote is not closed. End it with `"`'),
        ('"a"b', "filter, character 4: text behind a closing quote. Put a space between"),
        ('status:"a"b', "filter, character 11: text behind a closing quote. Put a space between"),
        ("type>5", "filter, character 1: `type` has no order. Write `type:value`; `>` is for priority and data.<path>"),
        (
            "since>2h",
            "filter, character 1: `since` has no order. Write `since:value`; `>` is for priority and data.<path>",
        ),
        ("priority>high", "filter, character 1: `priority>` wants one number. Write `priority>7`"),
        ("priority>=1,2", "filter, character 1: `priority>=` wants one number. Write `priority>=7`"),
        ("data.x<nan", "filter, character 1: `data.x<` wants one number. Write `data.x<7`"),
        ("data.x<1e999", "filter, character 1: `data.x<` wants one number. Write `data.x<7`"),
        (
            "since:2y",
            (
                "filter, character 1: `since` wants one time. "
                "Write `since:2h`, `since:2026-06-15` or `since:2026-06-15T12:00Z`"
            ),
        ),
        (
            "until:2026-02-30",
            (
                "filter, character 1: `until` wants one time. "
                "Write `until:2h`, `until:2026-06-15` or `until:2026-06-15T12:00Z`"
            ),
        ),
        (
            "since:1h,2h",
            (
                "filter, character 1: `since` wants one time. "
                "Write `since:2h`, `since:2026-06-15` or `since:2026-06-15T12:00Z`"
            ),
        ),
        ("category:inputs", "filter, character 1: category 'inputs' is not input, internal or output"),
        ("a " * 33, "filter, character 65: more than 32 terms"),
        ("a" * (FILTER_CHARS + 1), "a filter of 1025 characters, at most 1024 are read"),
    ],
    ids=lambda value: value[:16],
)
def test_a_filter_with_a_mistake_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(FilterError) as caught:
        EventFilter.parse(text)

    assert str(caught.value) == message


def test_terms_are_kept_as_they_were_written() -> None:
    found = EventFilter.parse('  -status:a,"b c"  task.*')

    assert [(term.text, term.at, term.negated) for term in found.terms] == [
        ('-status:a,"b c"', 3, True),
        ("task.*", 20, False),
    ]
    assert found == EventFilter.parse(found.text)


def test_the_row_of_an_event_has_what_filters_ask_for() -> None:
    event = Event(
        type="mail.received",
        id="e1",
        source="/s",
        userid="ann",
        tenantid="acme",
        labels=("pii",),
        priority=9,
        time=datetime(2026, 6, 15, 12, tzinfo=UTC),
        data={"n": 5},
    )
    text = (
        "mail.* id:e1 source:/s user:ann tenant:acme label:pii priority>8 correlation:e1 category:input data.n:5 "
        "since:1s until:0s -status:done"
    )

    assert EventFilter.parse(text).matches(event_row(event), NOW)


@pytest.mark.parametrize("text", ["since:1h", "until:1h", "mail.*", "status:*", "priority>0", "data.a:b", "word"])
def test_what_is_missing_fits_no_term(text: str) -> None:
    assert not EventFilter.parse(text).matches({}, NOW)
    assert EventFilter.parse(f"-{text}").matches({}, NOW)


def test_a_column_that_is_empty_is_missing_and_null_in_the_data_is_a_value() -> None:
    assert not EventFilter.parse("status:null").matches({"status": None}, NOW)
    assert EventFilter.parse("data.status:null").matches({"data": {"status": None}}, NOW)


@pytest.mark.parametrize("row", [{"type": 5}, {"type": None}, {"type": "x" * 300}, {"data": object()}, {"time": "now"}])
def test_rows_of_a_strange_shape_are_no_error(row: dict[str, Any]) -> None:
    for text in ("mail.*", "type:x*", "word", "data.a:b", "since:1h", "label:x"):
        assert not EventFilter.parse(text).matches(row, NOW)


def test_many_stars_over_a_long_text_do_not_blow_up() -> None:
    wanted = EventFilter.parse("data.x:" + "*a" * 500 + "*b")

    assert not wanted.matches({"data": {"x": "a" * 60_000}}, NOW)


def naive(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(naive(pattern[1:], text[at:]) for at in range(len(text) + 1))
    return text[:1] == pattern[0] and naive(pattern[1:], text[1:])


@given(st.text("ab*", max_size=7), st.text("ab", max_size=7))
def test_a_glob_matches_as_the_simple_matcher_says(pattern: str, text: str) -> None:
    assert glob(Value(pattern))(text) is naive(pattern, text)
    assert glob(Value(pattern), anywhere=True)(text) is naive(f"*{pattern}*", text)


pieces = st.sampled_from(
    ["type", "data.a", "since", "priority", ":", ">", ">=", "<", ",", '"', "\\", "-", "*", " ", "2h", "5"]
)


@given(st.lists(pieces | st.text(max_size=3), max_size=12).map("".join), events)
def test_any_text_is_a_filter_or_refused_as_one(text: str, event: Event) -> None:
    try:
        wanted = EventFilter.parse(text)
    except FilterError:
        return
    assert wanted.matches(event_row(event), NOW) in (True, False)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_can_be_asked_for_in_quotes(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')

    assert EventFilter.parse(f'data.a:"{quoted}"').matches({"data": {"a": text}}, NOW)
    assert not EventFilter.parse(f'data.a:"{quoted}"').matches({"data": {"a": text + "x"}}, NOW)
