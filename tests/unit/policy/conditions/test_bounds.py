"""Whatever a condition and its data look like, an answer takes bounded work: it comes, or is refused, at once."""

import contextlib
import time
import tracemalloc
from typing import Any

import pytest

from vextir_os.errors import PolicyError
from vextir_os.policy import compile_condition
from vextir_os.policy.conditions.limits import STEPS

LIMIT_S = 2.0
"""Generous, since other tests run beside; a condition without bounds would take minutes, or for ever."""

LIMIT_BYTES = 50_000_000
NUMBERS = list(range(20_000))
TEXTS = [f"text-{number}" for number in range(20_000)]
LONG = ["x" * 10_000 + str(number) for number in range(300)]
DATA: dict[str, Any] = {
    "numbers": NUMBERS, "texts": TEXTS, "long": LONG, "big": "a" * 3_000_000,
    "half": "a" * 450_000, "some": "a" * 1_900,
    "letters": "é" * 1_500_000,
    "spaces": " " * 2_000_000, "commas": "," * 2_000_000, "pairs": [[n, n] for n in range(10_000)],
    "same": [["a" * 60] * 50 for _ in range(900)], "ligatures": "\ufdfa" * 60_000,
}  # fmt: skip

HEAVY = (
    "any(a == b for a in event.numbers for b in event.numbers if a > b)",
    "all(a != b for a in event.texts for b in event.texts)",
    "sum(a * b for a in event.numbers for b in event.numbers) > 0",
    "[[a for a in event.numbers] for b in event.numbers]",
    "any(a in event.numbers for a in event.texts)",
    "any(a in event.long for a in event.long)",
    "any(a == b for a in event.long for b in event.long)",
    "any(sorted(event.texts) == [] for a in event.numbers)",
    "any(set(event.texts) == set() for a in event.numbers)",
    "any(list(event.big) == [] for a in event.numbers)",
    "any(event.big.lower() == a for a in event.texts)",
    "any('b' in event.big for a in event.numbers)",
    "any(event.letters.upper() == a for a in event.texts)",
    "event.letters.casefold().upper().lower() == ''",
    "event.spaces.split() == []",
    "event.commas.split(',') == []",
    "event.big.strip(event.big) == ''",
    "event.big.count('a') + event.big.count('aa') + event.big.count(event.big) == 0",
    "event.big.find(event.commas) == 0",
    "any(event.pairs == [a] for a in event.numbers)",
    "any(event.same == event.same for a in event.numbers)",
    "any(a in event.same for a in event.same)",
    "any(min(event.texts) == a for a in event.texts)",
    "any(len(event.big[1:]) == a for a in event.numbers)",
    "any(event.big[:2999999] == '' for a in event.numbers)",
    "any(event.numbers[1:] == [] for a in event.numbers)",
    "any(event.big + a == '' for a in event.texts)",
    "[event.long[0] + a for a in event.long] == []",
    "matches(event.big, '(a*)*b')",
    "matches(event.big, '(a|a)*$')",
    "matches(event.spaces, '\\\\s+$')",
    "matches(event.big, '(.*)(.*)(.*)(.*)(.*)x')",
    "any(matches(event.big, 'x') for a in event.numbers)",
    "any(matches(a, '(x+)+y') for a in event.long)",
    "matches(event.half, '(?:a{1,50}){1,15}b')",
    "matches(event.half, '.{500}b')",
    "matches(event.some, '(?:a{1,50}){1,15}b')",
    "like(event.big, '*a*a*a*a*a*a*a*a*b')",
    "any(like(a, '*x*x*x*x*y') for a in event.long)",
    "fold(event.ligatures) == ''",
    "fold(event.big) == ''",
    "any(fold(a) == '' for a in event.long)",
    "any(str(a) + str(a) == '' for a in event.numbers for b in event.numbers)",
    "any(event.get(a) for a in event.long for b in event.numbers)",
    "len([a + b for a in event.texts for b in event.texts]) > 0",
    "any(event.items() == [] for a in event.numbers for b in event.numbers)",
    "any(a.startswith(event.big) for a in event.texts for b in event.texts)",
    "all(a < b for a in event.long for b in event.long)",
    "any(max(event.long) == a for a in event.long)",
)


@pytest.mark.parametrize("source", HEAVY)
def test_heavy_work_ends_at_once(source: str) -> None:
    condition = compile_condition(source)
    began = time.perf_counter()
    tracemalloc.start()
    try:
        # Past the data gate, which would let nothing in that is as large.
        with contextlib.suppress(PolicyError):
            condition.outcome([DATA])
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert time.perf_counter() - began < LIMIT_S
    assert peak < LIMIT_BYTES


def test_the_steps_of_one_evaluation_are_counted_over_all_of_it() -> None:
    condition = compile_condition("any(a < 0 for a in event) or any(b < 0 for b in event)")
    assert condition.evaluate({"event": list(range(STEPS // 100))}) is False
    with pytest.raises(PolicyError, match=f"it needs more than {STEPS} steps"):
        condition.evaluate({"event": list(range(STEPS // 10))})


def test_a_loop_that_ends_early_pays_for_the_turns_it_took() -> None:
    assert compile_condition("any(a == 0 for a in event)").evaluate({"event": list(range(50_000))})


def test_each_evaluation_begins_anew() -> None:
    condition = compile_condition("any(a < 0 for a in event)")
    for _ in range(20):
        assert condition.evaluate({"event": list(range(STEPS // 20))}) is False
