"""What is paused: the document, and what it holds back."""

from typing import Any, cast

import pytest

from tests.unit.runs.test_record import NOW, record_of, run_in
from vextir_os.errors import InvalidRequestError, NotFoundError
from vextir_os.runs.pauses import (
    AT_ONCE,
    PauseDoc,
    PauseKind,
    Pauses,
    PausesDoc,
    forgotten,
    no_pauses,
    paused,
    resumed,
)
from vextir_os.runs.record import Lane, RunDoc, WaitDoc
from vextir_os.runs.start import Wait, hindrance
from vextir_os.runs.transitions import claim, set_aside

WAIT: WaitDoc = {"on": "driver:a", "reason": "driver a is paused by user:ann"}


def a_pause(kind: PauseKind = "driver", name: str = "mail.send", **changes: Any) -> PauseDoc:
    entry = {"kind": kind, "name": name, "by": "user:ann", "at": NOW, "until": None, "reason": "", "act": "a-1"}
    return cast(PauseDoc, {**entry, **changes})


def doc_of(*entries: PauseDoc) -> PausesDoc:
    return {**no_pauses(), "list": [*entries]}


@pytest.mark.parametrize(
    ("entry", "holds"),
    [
        (a_pause("driver", "mail.send"), True),
        (a_pause("driver", "mail.sen"), False),
        (a_pause("tenant", "acme"), True),
        (a_pause("tenant", "acm"), False),
        (a_pause("capability", "mail.*"), True),
        (a_pause("capability", "**"), True),
        (a_pause("capability", "mail"), False),
        (a_pause("capability", "mail.send"), False),
        (a_pause(until=NOW + 1), True),
        (a_pause(until=NOW), False),
        (a_pause(resumed={"by": "user:bob"}), False),
    ],
)
def test_a_pause_holds_back_what_it_names_until_it_is_over(entry: PauseDoc, holds: bool) -> None:
    pauses = Pauses([entry])
    found = pauses.holding(driver="mail.send", event_type="mail.wanted", tenant="acme", now=NOW)
    assert (found is not None) is holds


def test_of_two_pauses_one_that_is_over_does_not_hide_the_other() -> None:
    pauses = Pauses([a_pause(until=NOW), a_pause("tenant", "acme")])
    found = pauses.holding(driver="mail.send", event_type="mail.wanted", tenant="acme", now=NOW)
    assert found == a_pause("tenant", "acme")


@pytest.mark.parametrize(("until", "look_at"), [(None, NOW + 3_600), (NOW + 60, NOW + 60), (NOW + 9_000, NOW + 3_600)])
def test_what_is_held_back_is_looked_at_when_the_pause_ends_and_each_hour(until: float | None, look_at: float) -> None:
    pauses = Pauses([a_pause(until=until, reason="the relay is down")])
    found = hindrance(
        driver="mail.send", lane="slow", worker="batch", pauses=pauses, event_type="a.b", tenant="acme", now=NOW
    )
    reason = "driver mail.send is paused by user:ann: the relay is down"
    assert found == Wait(look_at, {"on": "driver:mail.send", "reason": reason})


def test_a_newer_pause_stands_in_the_place_of_an_older_one() -> None:
    older, newer = a_pause(), a_pause(act="a-2", until=NOW + 5)
    once = paused(doc_of(older, a_pause("tenant", "acme")), newer)
    assert once == doc_of(a_pause("tenant", "acme"), newer)
    assert paused(once, newer) is None


def test_there_are_at_most_a_thousand_pauses() -> None:
    full = doc_of(*(a_pause(name=f"d{number}") for number in range(AT_ONCE)))
    with pytest.raises(InvalidRequestError, match=r"^1000 pauses at once are allowed"):
        paused(full, a_pause(name="one-more"))
    assert paused(full, a_pause(name="d7", act="a-2")) is not None


def test_a_resume_says_who_and_when_and_twice_is_once() -> None:
    once = resumed(doc_of(a_pause()), "driver", "mail.send", by="user:bob", at=NOW + 9, act="a-2")
    assert once == doc_of(a_pause(resumed={"by": "user:bob", "at": NOW + 9, "act": "a-2"}))
    assert resumed(once, "driver", "mail.send", by="user:bob", at=NOW + 9, act="a-2") is None


@pytest.mark.parametrize(
    ("name", "message"),
    [("mail.snd", "Did you mean `mail.send`?"), ("zzz", "Look at what is: vextir pause list")],
)
def test_what_is_not_paused_cannot_be_resumed(name: str, message: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        resumed(doc_of(a_pause()), "driver", name, by="user:bob", at=NOW, act="a-2")
    assert str(caught.value) == f"driver {name} is not paused. {message}"


def test_a_pause_is_forgotten_unless_a_newer_one_has_its_name() -> None:
    assert forgotten(doc_of(a_pause()), a_pause()) == doc_of()
    assert forgotten(doc_of(a_pause(act="a-2")), a_pause()) is None


@pytest.mark.parametrize(
    ("run", "fence", "takeovers"),
    [
        (run_in(state="ready", fence=0, owner=None, lease_until=None), 0, 0),
        (run_in(state="retry", not_before=NOW, attempt=1, owner=None, lease_until=None), 1, 0),
        (run_in(lease_until=NOW - 60), 2, 1),
    ],
    ids=["ready", "retry", "owner-died"],
)
def test_a_run_that_is_set_aside_is_ready_and_says_what_it_waits_for(run: RunDoc, fence: int, takeovers: int) -> None:
    after = set_aside(run, WAIT, look_at=NOW + 50)
    assert after == {
        **run, "state": "ready", "fence": fence, "takeovers": takeovers, "owner": None, "lease_until": None,
        "not_before": NOW + 50, "wait": WAIT,
    }  # fmt: skip
    record = record_of(a=after)
    assert (record["due"], record["waits"]) == (NOW + 50, ["driver:a"])
    begun = claim(after, owner="w", now=NOW, lease=45)
    assert (begun["wait"], begun["not_before"], begun["fence"]) == (None, None, fence + 1)
    assert "waits" not in record_of(a=begun)


def test_a_lane_is_kept_when_a_run_is_set_aside() -> None:
    lane: Lane = "slow"
    assert record_of(a=set_aside(run_in(state="ready", lane=lane), WAIT, look_at=NOW))["lanes"] == [lane]
