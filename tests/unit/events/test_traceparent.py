"""W3C Trace Context: what is read, what is as if it were not there, what is handed on."""

import pytest

from vextir_os.events.traceparent import TraceParent, clean_traceparent, read_traceparent

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(f"00-{TRACE}-{SPAN}-01", TraceParent(TRACE, SPAN, True), id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", TraceParent(TRACE, SPAN, False), id="not-sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-02", TraceParent(TRACE, SPAN, False), id="other-flags"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01", TraceParent(TRACE, SPAN, True), id="a-later-version"),
        pytest.param(
            f"cc-{TRACE}-{SPAN}-01-what-comes", TraceParent(TRACE, SPAN, True), id="a-later-version-with-more"
        ),
    ],
)
def test_a_traceparent_is_read(text: str, found: TraceParent) -> None:
    assert read_traceparent(text) == found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(f"00-{TRACE.upper()}-{SPAN}-01", id="upper-case"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", id="no-trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", id="no-span"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", id="version-ff"),
        pytest.param(f"00-{TRACE}-{SPAN}-01-more", id="more-in-version-00"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01.more", id="more-without-a-dash"),
        pytest.param(f"00-{TRACE}-{SPAN}", id="no-flags"),
        pytest.param(f"00-{TRACE}-{SPAN}-01\n", id="new-line"),
        pytest.param(f"00-{TRACE[:-1]}٣-{SPAN}-01", id="a-digit-of-another-script"),
        pytest.param(f" 00-{TRACE}-{SPAN}-01", id="space"),
    ],
)
def test_what_is_none_is_as_if_it_were_not_there(text: str) -> None:
    assert read_traceparent(text) is None
    assert clean_traceparent(text) == ""


def test_what_is_handed_on_is_of_the_version_that_we_know() -> None:
    assert clean_traceparent(f"cc-{TRACE}-{SPAN}-03-more") == f"00-{TRACE}-{SPAN}-01"
