"""No invariant of the protocol and no trap is without its test, or forgotten for the part that will bring it."""

import ast
from pathlib import Path

from tests.scenario.protocol import INVARIANTS, LATER, TRAPS

TESTS = Path(__file__).parents[1]


def names() -> set[str]:
    """Return the names of all test functions."""
    return {
        node.name
        for path in TESTS.rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_invariant_and_every_trap_has_its_test() -> None:
    there = names()
    assert [name for name in (*INVARIANTS, *TRAPS.values()) if name not in there | LATER.keys()] == []


def test_what_has_its_test_does_not_come_later() -> None:
    there = names()
    assert [name for name in LATER if name in there] == []


def test_what_comes_later_belongs_to_an_invariant_or_a_trap() -> None:
    assert [name for name in LATER if name not in {*INVARIANTS, *TRAPS.values()}] == []


def test_there_are_31_invariants_and_30_traps() -> None:
    assert (len(set(INVARIANTS)), len(TRAPS)) == (31, 30)
