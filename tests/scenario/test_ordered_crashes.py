"""Ordered keys under a fault at every single call to store and queue, and under random failures and faults.

Whatever happens: each step takes effect once, after all that were sent before it, and in the end nobody is in line.
"""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SOAK
from tests.support.clock import TickingClock
from tests.support.faults import Do, Fault, Faults
from tests.support.harness import Harness, an_os
from tests.support.ordered import check_at_rest, effects, states, step, taker

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


class Interrupted(Faults):
    """Lets others work, before one call of whoever is at work: a worker that was frozen there goes on as a zombie."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self._stop = at
        self.others: Harness | None = None
        self.clock = TickingClock()

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        if len(self.calls) == self._stop and self.others is not None:
            self._stop = -1
            self.clock.advance(70)
            await self.others.sweep()
            await self.others.work()
        return await super().through(call, do, meddle)


async def freeze(folder: Path, atomic: bool, faults: Interrupted) -> None:
    """Send three steps; the worker of the first freezes at a call, others do all there is, and it goes on."""
    async with an_os(
        folder, taker(), atomic=atomic, clock=faults.clock, working=False, faults=faults, synchronous="NORMAL"
    ) as os:
        await os.publish(*(step(n) for n in range(1, COUNT + 1)))
        [delivery] = await os.kernel.ordered.receive(1, 0)
        faults.others = os
        await os.handle(delivery)
        await os.recover(faults.clock, rounds=12)
        assert await states(os) == {f"e-{n}": "done" for n in range(1, COUNT + 1)}
        assert await effects(os) == list(range(1, COUNT + 1))
        await check_at_rest(os)


async def test_a_worker_that_freezes_at_any_call_changes_no_order(tmp_path: Path, atomic: bool) -> None:
    smooth = Interrupted(-1)
    await freeze(tmp_path / "smooth", atomic, smooth)
    assert len(smooth.calls) > 8
    for at in range(len(smooth.calls)):
        faults = Interrupted(at)
        try:
            await freeze(tmp_path / str(at), atomic, faults)
        except AssertionError as error:
            raise AssertionError(f"frozen at call {at} ({faults.calls[at]}): {error}") from error


keys = st.sampled_from(["a", "b"])
faults_at = st.dictionaries(st.integers(0, 120), st.sampled_from(FAULTS), max_size=4)


class Several(Faults):
    """Faults at several calls."""

    def __init__(self, at: dict[int, Fault]) -> None:
        super().__init__()
        self._all = at

    async def through(self, call: str, do: Do, meddle: Do | None = None) -> Any:
        if fault := self._all.get(len(self.calls)):
            self.next(call, fault)
        return await super().through(call, do, meddle)


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
