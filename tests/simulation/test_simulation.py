"""Worlds in which everything goes wrong, and then nothing any more: what must hold holds. A thousand seeds, 20,000 in a
soak; one that fails says how to play it again.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import SOAK
from tests.simulation.play import find, play
from vextir_os.processor import claim
from vextir_os.runs.record import FINAL, RunDoc

ROOT = Path(__file__).parents[2]
SEEDS, CHUNK = (20_000, 250) if SOAK else (1_000, 50)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK), ids=lambda first: f"seeds-{first}-to-{first + CHUNK - 1}")
def test_a_world_comes_to_rest_with_all_that_must_hold(first: int) -> None:
    bad = find(range(first, first + CHUNK))
    assert bad is None, bad.report()


@pytest.mark.parametrize("seed", [4, 5])
def test_the_same_seed_is_the_same_world(seed: int) -> None:
    first, second = play(seed), play(seed)
    assert first.trace == second.trace
    assert first.digest != play(seed + 2).digest


def test_a_seed_is_the_same_world_in_every_process() -> None:
    shown = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "tests.simulation", "11"], cwd=ROOT, capture_output=True, text=True, timeout=60,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        shown.add(done.stdout)
    assert len(shown) == 1
    assert len(shown.pop().splitlines()) > 50


def test_a_bad_seed_says_what_is_wrong_and_how_to_play_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def always(run: RunDoc, *, now: float) -> bool:
        return run["state"] not in FINAL

    monkeypatch.setattr(claim, "claimable", always)
    bad = find(range(20))
    assert bad is not None
    report = bad.report(lines=5)
    assert report.splitlines()[0] == f"seed {bad.seed}:"
    assert f"again: python -m tests.simulation {bad.seed}" in report.splitlines()
    assert len(report.splitlines()) == 2 + len(bad.wrong) + 5
    assert play(bad.seed) == bad
