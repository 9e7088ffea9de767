"""How much may follow from one first event, and how the events themselves know it."""

import contextlib
import re
from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.manifest import Manifest
from vextir_os.errors import StormError
from vextir_os.events.limits import ATTRIBUTE_CHARS
from vextir_os.runs.lineage import PAIRS, Limits, beside, descend, emitters


def step(lineage: str = "", driver: str = "a", type_: str = "t", emits: int = 1, able: int = 1, **limits: int) -> str:
    return descend(lineage, driver, type_, emits, able, Limits(**limits))


def length_of(*, period: int, **limits: int) -> tuple[int, str]:
    """Return after how many events a chain of so many drivers in turn ends, and by which limit."""
    lineage, count = "", 0
    try:
        while True:
            lineage = step(lineage, f"d{count % period}", f"t{count % period}", **limits)
            count += 1
    except StormError as error:
        return count, error.limit


def test_the_first_event_has_the_whole_allowance_and_its_child_says_so() -> None:
    assert re.fullmatch(r"1\.99;[0-9a-f]{8}\.1", step(flow=100))


def test_a_chain_ends_at_the_depth_that_is_allowed() -> None:
    assert length_of(period=10_000, depth=120, loops=10) == (120, "max_depth")


@pytest.mark.parametrize("period", [1, 2, 3, PAIRS])
def test_what_feeds_itself_ends_after_as_many_turns_as_are_allowed(period: int) -> None:
    assert length_of(period=period, depth=10_000, loops=7) == (7 * period, "max_loops")


def test_a_loop_over_more_drivers_than_are_remembered_ends_by_its_depth() -> None:
    assert length_of(period=PAIRS + 1, depth=500, loops=7) == (500, "max_depth")


def test_one_driver_may_handle_many_types_in_a_row() -> None:
    lineage = ""
    for number in range(60):
        lineage = step(lineage, "a", f"t{number % PAIRS}", loops=4)
    with pytest.raises(StormError):
        step(step(step(lineage, type_="t1", loops=4), type_="t1", loops=4), type_="t1", loops=4)


PASSED: dict[str, tuple[dict[str, Any], str]] = {
    "max_fan_out": (
        {"emits": 4, "fan_out": 3},
        (
            "driver a emits 4 events for one, at most 3 are allowed. "
            "Emit one event that names the rest, or raise VEXTIR_MAX_FAN_OUT, up to 100"
        ),
    ),
    "max_depth": (
        {"lineage": "3.9", "depth": 3},
        (
            "driver a emits for an event that stands 3 steps behind the first one of its flow, at most 3 may follow "
            "each other. Let the chain end, or begin a new flow; or raise VEXTIR_MAX_DEPTH"
        ),
    ),
    "max_loops": (
        {"lineage": step(step(step())), "loops": 3},
        (
            "driver a has emitted for events of type t 3 times in this row of causes, and no more is allowed: what "
            "it emits comes back to it. Let it stop, or let it emit what does not lead back to it; or raise "
            "VEXTIR_MAX_LOOPS"
        ),
    ),
    "max_flow": (
        {"lineage": "3.9", "emits": 10, "flow": 100},
        (
            "driver a emits 10 events, and 9 are left of the 100 that may follow from one first event. "
            "Let the flow branch less, or begin a new one; or raise VEXTIR_MAX_FLOW"
        ),
    ),
}


@pytest.mark.parametrize("limit", PASSED)
def test_a_limit_says_what_would_pass_it_and_how_to_raise_it(limit: str) -> None:
    attempt, message = PASSED[limit]
    with pytest.raises(StormError) as caught:
        step(**attempt)
    assert (str(caught.value), caught.value.limit, caught.value.kind) == (message, limit, "invalid")


@given(
    flow=st.integers(1, 400),
    widths=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    able=st.lists(st.integers(1, 3), min_size=1, max_size=4),
)
def test_never_more_events_follow_from_one_than_are_allowed(flow: int, widths: list[int], able: list[int]) -> None:
    limits = Limits(flow=flow, depth=10_000, loops=10_000)
    waiting, total = deque([("", 0)]), 0
    while waiting and total <= flow:
        lineage, depth = waiting.popleft()
        runs = able[depth % len(able)]
        for run in range(runs):
            emits = widths[(depth + run) % len(widths)]
            try:
                child = descend(lineage, f"d{depth}.{run}", "t", emits, runs, limits)
            except StormError:
                continue
            total += emits
            waiting.extend([(child, depth + 1)] * emits)
    assert total <= flow


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=150))
def test_a_lineage_stays_short_whatever_the_chain(steps: list[tuple[int, int]]) -> None:
    lineage, limits = "", Limits(depth=10_000, loops=10_000, flow=10**12 - 1)
    with contextlib.suppress(StormError):
        for number, emits in steps:
            lineage = descend(lineage, f"driver{number}", "t", emits, 1, limits)
    assert lineage.isascii()
    assert len(lineage) <= 300 < ATTRIBUTE_CHARS


@pytest.mark.parametrize("lineage", ["", "200.0", "3.9;9c0f1e2a.50"])
def test_a_failure_is_told_below_every_limit(lineage: str) -> None:
    told = beside(lineage, "a", "t", 1, Limits())
    depth = int(lineage.partition(".")[0] or 0)
    assert told.startswith(f"{depth + 1}.")


def test_a_driver_that_may_emit_nothing_takes_no_share() -> None:
    silent = Manifest(id="audit", kind="tool", capabilities=("**",), permissions=("http:example.com",))
    loud = Manifest(id="shop", kind="tool", capabilities=("a",), permissions=("emit:b",))
    assert [emitters(found) for found in ([silent], [loud, silent], [loud, loud], [loud, None])] == [1, 1, 2, 2]
