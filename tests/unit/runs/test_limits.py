"""Starts in time, the last of a burst, the one that goes on: what their documents say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.driverkit.flow import Rate
from vextir_os.runs import singleton
from vextir_os.runs.debounce import Order, Settled, no_row, settle
from vextir_os.runs.flow import document, value_at
from vextir_os.runs.singleton import Held, Holder
from vextir_os.runs.throttle import no_starts, start

NOW = 1_795_200_000.0

# Starts in time


def test_so_many_may_start_at_once_and_the_next_when_they_are_out_of_the_period() -> None:
    rate = Rate(3, 60.0)
    doc = no_starts("t", rate)
    for _ in range(3):
        doc, found = start(doc, rate, waited=False, now=NOW)
        assert found.go
    doc, first = start(doc, rate, waited=False, now=NOW)
    doc, second = start(doc, rate, waited=False, now=NOW)
    assert (first.go, first.at, second.at) == (False, NOW + 61, NOW + 81)
    assert not start(doc, rate, waited=True, now=NOW + 60.9)[1].go
    assert start(doc, rate, waited=True, now=NOW + 61)[1].go


def test_who_comes_later_stands_behind_those_who_wait() -> None:
    rate = Rate(1, 10.0)
    doc, _ = start(no_starts("t", rate), rate, waited=False, now=NOW)
    doc, waits = start(doc, rate, waited=False, now=NOW)
    doc, new = start(doc, rate, waited=False, now=waits.at - 0.001)
    assert not new.go
    assert new.at >= waits.at + 10


@given(
    st.integers(1, 7),
    st.sampled_from([0.5, 10.0, 60.0]),
    st.lists(st.floats(0, 0.4), min_size=1, max_size=80),
)
def test_in_no_period_there_are_more_starts_than_allowed(starts: int, period_s: float, gaps: list[float]) -> None:
    rate, now = Rate(starts, period_s), NOW
    doc, began, waiting = no_starts("t", rate), list[float](), list[float]()
    for gap in gaps:
        now += gap * period_s
        asking = [at for at in waiting if at <= now]
        waiting = [at for at in waiting if at > now]
        for waited in [*(True for _ in asking), False]:
            doc, found = start(doc, rate, waited=waited, now=now)
            if found.go:
                began.append(now)
            else:
                assert found.at > now
                waiting.append(found.at)
    for begin in began:
        assert sum(begin <= other < begin + period_s for other in began) <= starts
    assert len(doc["starts"]) <= 62


def test_all_who_wait_start_in_the_end() -> None:
    rate, now = Rate(2, 10.0), NOW
    doc, waiting, began = no_starts("t", rate), [NOW] * 20, 0
    while waiting:
        now = max(now, min(waiting))
        assert now < NOW + 200
        waiting.remove(min(waiting))
        doc, found = start(doc, rate, waited=now > NOW, now=now)
        began += found.go
        waiting += [] if found.go else [found.at]
    assert began == 20


# The last of a burst


def place(second: float) -> Order:
    return [NOW + second, f"r{second}"]


def ask(doc: Any, second: float, *, at: float | None = None) -> Any:
    now = NOW + (second if at is None else at)
    return settle(doc, place(second), f"e-{second}", quiet_s=5, longest_s=12, now=now)


def test_an_event_that_nothing_follows_runs_after_its_time() -> None:
    doc, found = ask(no_row("d"), 0)
    assert found == Settled(at=NOW + 5)
    doc, found = ask(doc, 0, at=4.9)
    assert found == Settled(at=NOW + 5)
    doc, found = ask(doc, 0, at=5)
    assert found == Settled(go=True)
    assert ask(doc, 0, at=50)[1] == Settled(go=True)


def test_a_later_event_takes_the_place_of_an_earlier_one() -> None:
    doc, _ = ask(no_row("d"), 0)
    doc, found = ask(doc, 3)
    assert found == Settled(at=NOW + 8)
    assert ask(doc, 0, at=5)[1] == Settled(superseded_by="e-3")
    doc, _ = ask(doc, 3, at=8)
    assert ask(doc, 0, at=9)[1] == Settled(superseded_by="e-3")


def test_an_earlier_event_that_comes_late_is_superseded_at_once() -> None:
    doc, _ = ask(no_row("d"), 3)
    after, found = ask(doc, 1, at=4)
    assert (after, found) == (doc, Settled(superseded_by="e-3"))


def test_a_row_ends_at_its_longest_wait() -> None:
    doc = no_row("d")
    for second in range(0, 12, 3):
        doc, found = ask(doc, second)
    assert found == Settled(at=NOW + 12)
    doc, found = ask(doc, 12.5)
    assert found == Settled(go=True)
    assert ask(doc, 9, at=13)[1] == Settled(superseded_by="e-12.5")


def test_after_a_row_a_new_one_begins() -> None:
    doc, _ = ask(no_row("d"), 0)
    doc, _ = ask(doc, 0, at=5)
    assert ask(doc, 6)[1] == Settled(at=NOW + 11)


# The one that goes on


def holder(name: str, second: float = 0, owner: str = "", until: float = 75) -> Holder:
    return {
        "id": name, "pk": f"pk-{name}", "event_id": f"e-{name}", "order": [NOW + second, name],
        "owner": owner or f"w-{name}", "until": NOW + until,
    }  # fmt: skip


def held(doc: Any, me: Holder, mode: Any = "skip", *, begun: bool = False, at: float = 0, **more: Any) -> Any:
    return singleton.hold(doc, me, instead_of=more.get("instead_of"), mode=mode, begun=begun, now=NOW + at)


NOBODY = singleton.nobody("s")


def test_the_first_goes_on_and_the_next_is_skipped_or_takes_its_place() -> None:
    doc, found = held(NOBODY, holder("a"))
    assert found == Held("go")
    assert held(doc, holder("b", 1))[1] == Held("skip", by="e-a")
    assert held(doc, holder("b", 1), begun=True)[1] == Held("wait", by="e-a")
    taken, found = held(doc, holder("b", 1), "cancel_running")
    assert found == Held("go", evicting=(("a", "pk-a"),))
    assert held(taken, holder("a"), "cancel_running", begun=False)[1] == Held("superseded", by="e-b")


def test_who_is_to_be_cancelled_is_named_until_it_is() -> None:
    doc, _ = held(NOBODY, holder("a"))
    doc, _ = held(doc, holder("b", 1), "cancel_running")
    doc, again = held(doc, holder("b", 1), "cancel_running")
    assert again.evicting == (("a", "pk-a"),)
    doc = singleton.evicted(doc, "a")
    assert held(doc, holder("b", 1), "cancel_running")[1] == Held("go")
    assert singleton.evicted(doc, "a") == doc


def test_a_duplicate_is_not_let_in_and_an_heir_is() -> None:
    doc, _ = held(NOBODY, holder("a", owner="w-1"))
    assert held(doc, holder("a", owner="w-2"))[1] == Held("taken")
    assert held(doc, holder("a", owner="w-2"), instead_of="w-1")[1] == Held("go")


def test_between_two_attempts_the_place_is_kept_for_any_owner() -> None:
    doc, _ = held(NOBODY, holder("a", owner="w-1"))
    kept = singleton.let_go(doc, "a", "w-1", until=NOW + 300)
    assert held(kept, holder("b", 1), at=200)[1] == Held("skip", by="e-a")
    assert held(kept, holder("a", owner="w-2"), at=200)[1] == Held("go")
    assert held(kept, holder("b", 1), at=300)[1] == Held("go")


def test_a_place_is_let_go_and_renewed_by_its_owner_alone() -> None:
    doc, _ = held(NOBODY, holder("a", owner="w-1"))
    assert singleton.let_go(doc, "a", "w-2") == doc
    assert singleton.let_go(doc, "a", "w-1")["holder"] is None
    assert singleton.longer(doc, "a", "w-2", until=NOW + 300) is None
    longer = singleton.longer(doc, "a", "w-1", until=NOW + 300)
    assert longer is not None
    assert longer["holder"] == {**holder("a", owner="w-1"), "until": NOW + 300}


# Keys


@pytest.mark.parametrize(
    ("key", "value"),
    [("data.a.b", 1), ("data.a", {"b": 1}), ("data.x", None), ("data.a.b.c", None), ("subject", "s"), ("userid", None)],
)
def test_a_key_leads_into_an_event_or_nowhere(key: str, value: Any) -> None:
    assert value_at({"data": {"a": {"b": 1}}, "subject": "s"}, key) == value


def test_documents_are_apart_by_driver_feature_value_and_tenant() -> None:
    one, two = {"data": {"c": 1}}, {"data": {"c": "1"}}
    names = {
        document("slots", "d", "data.c", one, "acme"),
        document("slots", "d", "data.c", two, "acme"),
        document("slots", "d", "data.c", one, "globex"),
        document("slots", "e", "data.c", one, "acme"),
        document("throttle", "d", "data.c", one, "acme"),
        document("singleton", "d", "", one, "acme"),
        document("singleton", "d", "", one, "globex"),
    }
    assert len(names) == 7
    assert document("slots", "d", "", one, "acme") == document("slots", "d", "", two, "globex")
