"""What an event costs with many drivers, and with many stored events, beside few and none, in the same run.

    python -m benchmarks.scale --drivers 10000 --stored 1000000

Both sides of a comparison are open at the same time and measured by turns, so that a machine that changes its speed
changes it for both. With many drivers, events of all their types come evenly: no cache holds them all. Exits with 1
when a cost is over `--most` times the other's, or when a result is missing.
"""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.job import payload, result
from vextir_os import Context, Event, driver
from vextir_os.bootstrap import open_kernel
from vextir_os.events.identity import Principal
from vextir_os.kernel import Kernel
from vextir_os.local.loop import run
from vextir_os.local.runner import Runner
from vextir_os.local.watch import Watch
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.registry.registry import Registry
from vextir_os.settings import Settings

_WHO = Principal(kind="user", id="bench", tenant="local")
_PUBLISHERS = 64
_FEW = 10
_EVENTS = 3_000
_ROUNDS = 7


def _driver(number: int) -> Callable[..., Any]:
    @driver(f"bench.d{number}", capabilities=[f"bench.t{number}.in"], delivery="idempotent")
    async def work(event: Event, ctx: Context) -> dict[str, Any]:
        """Do the job."""
        return result(event.data)

    return work


class Side:
    """One OS of its own that does the job.

    Args:
        kernel: The OS, with a runner.
        drivers: How many drivers it has; events come to all of them by turns.
    """

    def __init__(self, kernel: Kernel, drivers: int) -> None:
        self._kernel = kernel
        self._drivers = drivers
        self._watch = Watch()
        self._published = 0
        kernel.observers.add(self._watch)

    async def cost_us(self, count: int) -> float:
        """Publish events and return the microseconds that each took until all were finished."""
        first, self._published = self._published, self._published + count
        left = iter(range(first, first + count))

        async def publisher() -> None:
            for number in left:
                kind = f"bench.t{number % self._drivers}.in"
                event = Event(type=kind, id=f"e{number}", source="/cli", data=payload(number))
                self._watch.expect(event.id)
                await self._kernel.intake.publish([event], _WHO, source="/cli")

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(_PUBLISHERS):
                group.create_task(publisher())
        await self._watch.idle()
        return (time.perf_counter() - began) / count * 1e6


async def _side(stack: AsyncExitStack, data: Path, drivers: int) -> Side:
    policy = PolicyEngine(Bundle(policies=(Policy(id="bench", effect="allow", match=Match(action=_ACTIONS)),)))
    registry = Registry.of(*map(_driver, range(drivers)))
    settings = Settings(root=data, data_dir=data)
    kernel = await stack.enter_async_context(open_kernel(settings, registry=registry, policy=policy))
    await stack.enter_async_context(Runner(kernel))
    return Side(kernel, drivers)


_ACTIONS = ("publish:**", "process:**")


async def _compared(small: Side, large: Side) -> dict[str, float]:
    """Return the medians of both, measured by turns, and the median of the ratios."""
    await small.cost_us(500)
    await large.cost_us(500)
    pairs = [(await small.cost_us(_EVENTS), await large.cost_us(_EVENTS)) for _ in range(_ROUNDS)]
    return {
        "small_us": statistics.median(before for before, _ in pairs),
        "large_us": statistics.median(after for _, after in pairs),
        "ratio": statistics.median(after / before for before, after in pairs),
    }


async def measure(data: Path, *, drivers: int, stored: int) -> dict[str, Any]:
    """Return both comparisons."""
    async with AsyncExitStack() as stack:
        few, many = await _side(stack, data / "few", _FEW), await _side(stack, data / "many", drivers)
        by_drivers = await _compared(few, many)
    async with AsyncExitStack() as stack:
        empty, full = await _side(stack, data / "empty", _FEW), await _side(stack, data / "full", _FEW)
        await full.cost_us(stored)
        by_stored = await _compared(empty, full)
    return {
        "drivers": {"from": _FEW, "to": drivers, **by_drivers},
        "stored": {"from": 0, "to": stored, **by_stored},
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drivers", type=int, default=10_000)
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--data", type=Path, help="an empty folder; by default a temporary one")
    parser.add_argument("--most", type=float, default=1.3, help="the largest ratio that is accepted")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(measure(given.data or Path(folder), drivers=given.drivers, stored=given.stored))
    print(json.dumps({"ok": all(each["ratio"] <= given.most for each in found.values()), **found}))
    return 0 if all(each["ratio"] <= given.most for each in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
