"""Places for runs at once: who holds one, who waits in line, who is called."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vextir_os.runs.slots import (
    CALL_S,
    LINE,
    Called,
    Entered,
    SlotsDoc,
    enter,
    joined,
    leave,
    no_slots,
    renewed,
)

NOW = 1_795_200_000.0
EMPTY = no_slots("slots~few")


def who(name: str) -> Called:
    return Called(name, f"pk-{name}", "batch")


def ask(doc: SlotsDoc, name: str, owner: str = "", *, places: int = 1, now: float = NOW, **more: Any) -> Any:
    wanted: dict[str, Any] = {"instead_of": None, "until": now + 75, **more}
    return enter(doc, who(name), owner or f"w-{name}", places=places, now=now, **wanted)


def line(doc: SlotsDoc) -> list[str]:
    return [other[0] for other in doc["line"]]


def test_places_are_given_until_there_are_none() -> None:
    doc, first = ask(EMPTY, "a", places=2)
    doc, second = ask(doc, "b", places=2)
    doc, third = ask(doc, "c", places=2)
    assert [first.answer, second.answer, third.answer] == ["go", "go", "wait"]
    assert (sorted(doc["held"]), line(doc), third.before) == (["a", "b"], ["c"], 0)


def test_who_asks_again_keeps_its_place_and_its_turn() -> None:
    doc, _ = ask(EMPTY, "a")
    doc, _ = ask(doc, "b")
    doc, _ = ask(doc, "c")
    doc, again = ask(doc, "a")
    assert again.answer == "go"
    doc, waits = ask(doc, "c")
    assert (waits.before, line(doc)) == (1, ["b", "c"])


def test_a_duplicate_of_a_run_that_is_at_work_gets_no_place() -> None:
    doc, _ = ask(EMPTY, "a", "w-1", places=2)
    after, found = ask(doc, "a", "w-2", places=2)
    assert (found, after["held"]) == (Entered("taken"), doc["held"])


def test_an_heir_takes_the_place_of_the_owner_that_died_and_can_give_it_back() -> None:
    doc, _ = ask(EMPTY, "a", "w-1")
    taken, found = ask(doc, "a", "w-2", instead_of="w-1", now=NOW + 50)
    assert (found.answer, found.back) == ("go", ("w-1", NOW + 75))
    assert taken["held"]["a"][0] == "w-2"
    given_back, called = leave(taken, "a", "w-2", back=found.back, places=1, now=NOW + 51)
    assert (given_back["held"], called) == (doc["held"], ())


def test_a_place_comes_free_by_its_time() -> None:
    doc, _ = ask(EMPTY, "a")
    assert ask(doc, "b", now=NOW + 74)[1].answer == "wait"
    assert ask(doc, "b", now=NOW + 75)[1].answer == "go"


def test_a_place_that_comes_free_calls_the_first_in_line_and_the_next_does_not_overtake() -> None:
    doc, _ = ask(EMPTY, "a")
    for name in "bc":
        doc, _ = ask(doc, name)
    doc, called = leave(doc, "a", "w-a", places=1, now=NOW + 1)
    assert called == (who("b"),)
    doc, other = ask(doc, "c", now=NOW + 2)
    assert (other.answer, other.called) == ("wait", ())
    doc, new = ask(doc, "d", now=NOW + 2)
    assert (new.answer, new.before) == ("wait", 2)
    doc, first = ask(doc, "b", now=NOW + 3)
    assert (first.answer, line(doc)) == ("go", ["c", "d"])


def test_who_was_called_and_does_not_come_leaves_the_line() -> None:
    doc, _ = ask(EMPTY, "a")
    for name in "bc":
        doc, _ = ask(doc, name)
    doc, _ = leave(doc, "a", "w-a", places=1, now=NOW + 1)
    doc, found = ask(doc, "c", now=NOW + 1 + CALL_S)
    assert (found.answer, line(doc)) == ("go", [])


def test_leaving_twice_or_as_somebody_else_frees_nothing() -> None:
    doc, _ = ask(EMPTY, "a", "w-1")
    assert leave(doc, "a", "w-2", places=1, now=NOW)[0]["held"] == doc["held"]
    left, _ = leave(doc, "a", "w-1", places=1, now=NOW)
    assert leave(left, "a", "w-1", places=1, now=NOW)[0]["held"] == {}


def test_a_place_is_renewed_by_its_owner_alone() -> None:
    doc, _ = ask(EMPTY, "a", "w-1")
    longer = renewed(doc, "a", "w-1", until=NOW + 200)
    assert longer is not None
    assert longer["held"]["a"] == ["w-1", NOW + 200]
    assert renewed(doc, "a", "w-2", until=NOW + 200) is None
    assert renewed(EMPTY, "a", "w-1", until=NOW + 200) is None


def test_the_line_is_bounded_and_knows_that_there_are_more() -> None:
    doc, _ = ask(EMPTY, "held")
    for number in range(LINE + 5):
        doc, found = ask(doc, f"r{number}")
    assert (len(doc["line"]), doc["more"], found.before) == (LINE, True, LINE)


def test_the_line_takes_in_who_found_it_full() -> None:
    doc, _ = ask(EMPTY, "held")
    doc, _ = ask(doc, "b")
    full = cast(SlotsDoc, {**doc, "more": True})
    doc, called = joined(full, [who("held"), who("b"), who("c")], more=False, places=1, now=NOW)
    assert (line(doc), doc["more"], called) == (["b", "c"], False, ())
    doc, called = joined(no_slots("x"), [who("d")], more=True, places=1, now=NOW)
    assert (doc["more"], called) == (True, (who("d"),))


def test_whom_the_line_has_no_room_for_is_not_forgotten() -> None:
    found = [who(f"r{number}") for number in range(LINE + 1)]
    doc, _ = joined(no_slots("x"), found, more=False, places=1, now=NOW)
    assert (len(doc["line"]), doc["more"]) == (LINE, True)


@pytest.mark.parametrize("places", [1, 3])
@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["ask", "leave", "wait"])), max_size=60))
def test_there_are_never_more_holders_than_places(places: int, moves: list[tuple[str, str]]) -> None:
    doc, now = EMPTY, NOW
    for name, move in moves:
        if move == "ask":
            doc, found = ask(doc, name, places=places, now=now)
            assert (found.answer == "go") == (name in doc["held"])
        elif move == "leave":
            doc, _ = leave(doc, name, f"w-{name}", places=places, now=now)
        else:
            now += 30
        assert len(doc["held"]) <= places
        assert not set(line(doc)) & doc["held"].keys()
        assert len(set(line(doc))) == len(line(doc))
