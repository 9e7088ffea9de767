"""The virtual loop: time that jumps, order that is asyncio's, lives that end or sleep."""

import asyncio
import contextvars
from typing import Any

import pytest

from tests.simulation.loop import LIFE, Life, StuckError, VirtualLoop


def of(life: Life) -> contextvars.Context:
    context = contextvars.Context()
    context.run(LIFE.set, life)
    return context


def test_a_long_sleep_takes_no_time() -> None:
    loop = VirtualLoop()

    async def main() -> float:
        await asyncio.sleep(1e6)
        return loop.time()

    assert loop.run(main()) == 1e6


def test_what_is_ready_runs_in_the_order_in_which_it_became_so() -> None:
    loop, seen = VirtualLoop(), list[int]()

    async def main() -> None:
        for number in range(5):
            loop.call_soon(seen.append, number)
        await asyncio.sleep(0)

    loop.run(main())
    assert seen == [0, 1, 2, 3, 4]


def test_a_time_out_ends_a_wait() -> None:
    loop = VirtualLoop()

    async def main() -> None:
        async with asyncio.timeout(5):
            await loop.create_future()

    with pytest.raises(TimeoutError):
        loop.run(main())
    assert loop.time() == 5


def test_a_life_that_is_over_takes_no_further_step_and_is_buried_at_the_end() -> None:
    loop, life, seen = VirtualLoop(), Life("w1.1"), list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(1)
            seen.append("worked")
        finally:
            seen.append("buried")

    async def main() -> None:
        loop.create_task(work(), context=of(life))
        await asyncio.sleep(0.5)
        life.over = True
        await asyncio.sleep(100)
        assert seen == []
        await loop.bury()

    loop.run(main())
    assert seen == ["buried"]


def test_a_life_that_sleeps_goes_on_when_it_wakes() -> None:
    loop, life, seen = VirtualLoop(), Life("w1.1"), list[float]()

    async def work() -> None:
        await asyncio.sleep(1)
        seen.append(loop.time())

    async def main() -> None:
        loop.create_task(work(), context=of(life))
        await asyncio.sleep(0.5)
        life.asleep_until = 60.0
        await asyncio.sleep(100)

    loop.run(main())
    assert seen == [60.0]


def test_a_loop_with_nothing_left_to_do_says_so() -> None:
    loop = VirtualLoop()

    async def main() -> Any:
        await loop.create_future()

    with pytest.raises(StuckError, match="nothing is ready and nothing is scheduled"):
        loop.run(main())
