"""The reader of frames and messages takes whatever comes: values, or one kind of error; never more than it may hold."""

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.result import Result
from vextir_os.events import jsonio
from vextir_os.events.event import Event
from vextir_os.isolation.frames import FRAME_BYTES, FrameReader, MalformedError, frame
from vextir_os.isolation.wire import failure_of_json, log_of, result_json, result_of
from vextir_os.runs.failure import ReportedFailure
from vextir_os.runs.transitions import Failure

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LIMIT = 64


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return the data in pieces."""
    ends = sorted({min(place, len(data)) for place in places} | {len(data)})
    return [data[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(st.dictionaries(st.text(max_size=5), JSON, max_size=3), max_size=5), st.lists(st.integers(0, 400)))
def test_what_was_sent_is_read_however_it_is_cut(messages: list[dict[str, Any]], places: list[int]) -> None:
    sent = [jsonio.dumps(message) for message in messages]
    reader = FrameReader()
    read = [found for piece in cut(b"".join(map(frame, sent)), places) for found in reader.feed(piece)]
    assert [jsonio.dumps(found) for found in read] == sent


@given(st.lists(st.binary(max_size=100), max_size=8))
def test_garbage_gives_objects_or_one_kind_of_error_and_is_not_hoarded(pieces: list[bytes]) -> None:
    reader = FrameReader(LIMIT)

    with contextlib.suppress(MalformedError):
        for piece in pieces:
            assert all(type(found) is dict for found in reader.feed(piece))
            assert len(reader._held) < LIMIT + 4


def test_a_length_over_the_limit_is_refused_before_a_byte_of_it_came() -> None:
    with pytest.raises(MalformedError, match=r"wrote a frame of 80000001 bytes, at most 80000000 are allowed"):
        list(FrameReader().feed((FRAME_BYTES + 1).to_bytes(4, "big")))


def test_a_frame_that_nobody_would_read_is_not_made() -> None:
    with pytest.raises(ValueError, match="a frame of 80000001 bytes, at most 80000000 are allowed"):
        frame(bytes(FRAME_BYTES + 1))


@given(st.dictionaries(st.sampled_from(["call", "output", "events", "failure", "log", "fields", "bytes"]), JSON))
def test_any_message_is_a_result_a_failure_or_one_kind_of_error(message: dict[str, Any]) -> None:
    with contextlib.suppress(ReportedFailure, MalformedError):
        assert isinstance(result_of(message), Result)


EVENT = st.dictionaries(
    st.sampled_from(["type", "data", "id", "subject", "time", "labels", "priority", "extensions", "ordered", "evil"]),
    JSON,
)


@given(st.lists(EVENT, max_size=3))
def test_any_events_are_events_or_one_kind_of_error(events: list[dict[str, Any]]) -> None:
    with contextlib.suppress(MalformedError):
        assert all(isinstance(event, Event) for event in result_of({"events": events}).events)


@given(st.dictionaries(st.sampled_from(["kind", "detail", "retry_after_s"]), JSON) | JSON)
def test_any_failure_is_bounded_or_one_kind_of_error(said: Any) -> None:
    try:
        failure = failure_of_json(said)
    except MalformedError:
        return
    assert all(type(text) is str and len(text) <= 8_000 for text in failure.detail.values())
    assert failure.retry_after_s is None or (math.isfinite(failure.retry_after_s) and failure.retry_after_s >= 0)


def test_a_failure_keeps_its_words_and_no_others() -> None:
    said = {"kind": "bug", "detail": {"class": "E" * 500, "message": 7, "evil": "x"}, "retry_after_s": -1}
    wanted = {"class": "E" * 200, "code": "", "kind": "bug", "message": "", "traceback": ""}
    assert failure_of_json(said) == Failure(kind="bug", detail=wanted, retry_after_s=None)


@given(st.dictionaries(st.sampled_from(["log", "fields"]), JSON))
def test_any_log_line_is_bounded_or_one_kind_of_error(message: dict[str, Any]) -> None:
    try:
        text, fields = log_of(message)
    except MalformedError:
        return
    assert len(text) <= 8_000
    assert type(fields) is dict


def test_an_event_goes_through_whole() -> None:
    event = Event(type="a.b", data={"n": [1]}, subject="ü", labels=("x", "y"), priority=7, ordered=True,
                  partitionkey="k", extensions={"mine": "yes"}, category="output")  # fmt: skip
    message = jsonio.loads(result_json(1, Result(output=1, events=[event]), 0))
    assert result_of(message) == Result(output=1, events=(event,))
