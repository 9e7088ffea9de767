"""Ordered keys under a fault at every single call to store and queue, and under random failures and faults.

Whatever happens: each step takes effect once, after all that were sent before it, and in the end nobody is in line.
"""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SOAK
from tests.support.clock import TickingClock
from tests.support.faults import Fault, Faults
from tests.support.harness import an_os
from tests.support.ordered import check_at_rest, effects, entries_made, states, step, taker
from tests.support.weak import Several

FAULTS: tuple[Fault, ...] = ("crash before", "crash after", "down", "lost", "late", "meddled")
COUNT = 3


async def play(folder: Path, atomic: bool, faults: Faults) -> None:
    """Send three steps of which the first needs two attempts, let the fault happen, recover, and check."""
    clock = TickingClock()
    async with an_os(
        folder, taker({1: 1}), atomic=atomic, clock=clock, working=False, faults=faults, draw=0.9,
        synchronous="NORMAL",
    ) as os:  # fmt: skip
        await os.publish(*(step(n) for n in range(1, COUNT + 1)))
        await os.work()
        clock.advance(50)
        await faults.land()
        await os.recover(clock, rounds=12)
        assert await states(os) == {f"e-{n}": "done" for n in range(1, COUNT + 1)}
        assert await effects(os) == list(range(1, COUNT + 1))
        assert await os.dead_letters("run") == []
        assert await entries_made(os, "e-1") == COUNT
        await check_at_rest(os)


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_order_of_a_key_outlasts_a_fault_at_every_call(tmp_path: Path, atomic: bool, fault: Fault) -> None:
    smooth = Faults()
    await play(tmp_path / "smooth", atomic, smooth)
    for at in range(len(smooth.calls)):
        faults = Faults(at, fault)
        try:
            await play(tmp_path / str(at), atomic, faults)
        except AssertionError as error:
            raise AssertionError(f"{fault} at call {at} ({faults.calls[at]}): {error}") from error


keys = st.sampled_from(["a", "b"])
faults_at = st.dictionaries(st.integers(0, 120), st.sampled_from(FAULTS), max_size=4)


@pytest.mark.parametrize("one_transaction", [True, False], ids=["one-transaction", "outbox"])
@settings(max_examples=400 if SOAK else 12)
@given(
    sent=st.lists(keys, min_size=1, max_size=6),
    failing=st.dictionaries(st.integers(0, 5), st.integers(1, 3), max_size=3),
    dead=st.frozensets(st.integers(0, 5), max_size=2),
    at=faults_at,
    pauses=st.lists(st.floats(0, 100), max_size=4),
)
async def test_per_ordered_key_the_order_of_effects_is_the_order_of_sends(
    one_transaction: bool,
    sent: list[str],
    failing: dict[int, int],
    dead: frozenset[int],
    at: dict[int, Fault],
    pauses: list[float],
) -> None:
    clock, faults = TickingClock(), Several(at)
    with TemporaryDirectory() as folder:
        async with an_os(
            Path(folder), taker(failing, dead), atomic=one_transaction, clock=clock, working=False, faults=faults,
            draw=0.9, synchronous="NORMAL",
        ) as os:  # fmt: skip
            for n, (key, pause) in enumerate(itertools.zip_longest(sent, pauses, fillvalue=0)):
                if isinstance(key, str):
                    await os.publish(step(n, key))
                clock.advance(pause or 0)
                await os.work()
                await os.sweep()
            await faults.land()
            await os.recover(clock, rounds=20)
            for key in set(sent):
                assert await effects(os, key) == [n for n, name in enumerate(sent) if name == key and n not in dead]
            await check_at_rest(os, *set(sent))
