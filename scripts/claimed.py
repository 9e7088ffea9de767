"""A pytest plugin for scripts/claims.py: runs only the tests that prove a claim, and writes what became of each.

It is loaded by name (`-p scripts.claimed`), so that the processes of pytest-xdist have it as well. It writes one JSON
object per line: `{"test": "tests/a/test_b.py::test_c", "outcome": "passed"}`. An outcome is `found`, `passed`,
`skipped`, `failed` or `hung`. A test that takes too long ends its process; xdist starts another and goes on.
"""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

SELECTION = "claimed_selection"


def selects(proof: str, nodeid: str) -> bool:
    """Whether a proof names this test: its whole id, its file, its class, or all its parameters."""
    return nodeid == proof or nodeid.startswith((f"{proof}::", f"{proof}[", f"{proof.rstrip('/')}/"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take a JSON file `{"proofs": [...], "limit_s": 300}` and the file for outcomes."""
    parser.addoption("--claimed", type=Path, dest=SELECTION)
    parser.addoption("--claimed-outcomes", type=Path, dest="claimed_outcomes")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to listen: in the process that starts the others, and in each of the others."""
    selection = json.loads(config.getoption(SELECTION).read_text(encoding="utf-8"))
    outcomes: Path = config.getoption("claimed_outcomes")
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(_Worker(selection["proofs"], selection["limit_s"], outcomes))
    else:
        config.pluginmanager.register(_Teller(outcomes))


class _Worker:
    """Runs tests."""

    def __init__(self, proofs: Sequence[str], limit_s: float, outcomes: Path) -> None:
        self._proofs, self._limit_s, self._outcomes = proofs, limit_s, outcomes

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if any(selects(proof, item.nodeid) for proof in self._proofs)]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        watch = threading.Timer(self._limit_s, self._give_up, [item.nodeid])
        watch.daemon = True
        watch.start()
        try:
            return (yield)
        finally:
            watch.cancel()

    def _give_up(self, nodeid: str) -> None:
        _write(self._outcomes, nodeid, "hung")
        # A thread cannot stop a test that hangs; its process can be ended without asking.
        os._exit(1)


class _Teller:
    """Hears of all tests."""

    def __init__(self, outcomes: Path) -> None:
        self._outcomes = outcomes

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        for nodeid in ids:
            _write(self._outcomes, nodeid, "found")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        _write(self._outcomes, report.nodeid, report.outcome)


def _write(path: Path, nodeid: str, outcome: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"test": nodeid, "outcome": outcome}) + "\n")
