"""Turns: flows with waiting messages are served alike, however many each of them has."""

import sqlite3
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from vextir_os.adapters.sqlite.fairness import Turns
from vextir_os.adapters.sqlite.schema import migrate


def next_of(waiting: list[tuple[int, int, str]], turns: Turns) -> str:
    """Serve the message with the lowest turn, the older one first, as the queue's index has them."""
    waiting.sort()
    turn, _, flow = waiting.pop(0)
    turns.serve(1, 5, turn)
    return flow


@given(st.lists(st.one_of(st.sampled_from("abc"), st.just("serve")), max_size=200))
def test_two_flows_that_both_wait_are_never_served_more_than_two_apart(acts: list[str]) -> None:
    turns = Turns()
    waiting: list[tuple[int, int, str]] = []
    served: Counter[str] = Counter()
    since: dict[tuple[str, str], int] = {}
    for age, act in enumerate(acts):
        if act != "serve":
            waiting.append((turns.give(1, 5, act), age, act))
        elif waiting:
            served[next_of(waiting, turns)] += 1
        flows = {flow for _, _, flow in waiting}
        for a, b in (("a", "b"), ("a", "c"), ("b", "c")):
            ahead = served[a] - served[b]
            if a in flows and b in flows:
                # The bound of start-time fair queuing for two flows over any time in which both wait.
                assert abs(ahead - since.setdefault((a, b), ahead)) <= 2
            else:
                since.pop((a, b), None)


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=50), st.integers(0, 60))
def test_turns_are_the_same_after_they_were_written_pruned_and_loaded(sent: list[str], serves: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, ":memory:")
    turns = Turns()
    waiting = [(turns.give(1, 5, flow), age, flow) for age, flow in enumerate(sent)]
    for _ in range(min(serves, len(sent))):
        next_of(waiting, turns)
    turns.write(connection)
    turns.prune(connection)
    loaded = Turns()
    loaded.load(connection)
    assert [loaded.give(1, 5, flow) for flow in "abc"] == [turns.give(1, 5, flow) for flow in "abc"]
    connection.close()
