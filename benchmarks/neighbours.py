"""Whether quick events notice slow ones: p99 of quick events alone, and while 100 slow runs go on, in the same run.

    python -m benchmarks.neighbours --events 1000 --slow 100

The slow runs are those of agents: they wait for most of their time, and now and then compute for a moment. Exits with 1
when the p99 beside them is over `--most` times the other, or when they did not all run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
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
_PULSE_S = 0.5
_running = 0
_enough = asyncio.Event()


@driver("bench.quick", capabilities=["bench.quick.in"])
async def quick(event: Event, ctx: Context) -> dict[str, Any]:
    """Do the job."""
    return result(event.data)


@driver("bench.agent", capabilities=["bench.slow.in"], timeout="5m")
async def agent(event: Event, ctx: Context) -> dict[str, Any]:
    """Wait and compute by turns, until told that it is enough."""
    global _running
    _running += 1
    while not _enough.is_set():
        result(event.data)
        await asyncio.sleep(_PULSE_S)
    return result(event.data)


async def _p99_ms(kernel: Kernel, watch: Watch, prefix: str, count: int) -> float:
    """Return the p99 of events that come one at a time, from publish to result."""
    times = []
    for number in range(count):
        event = Event(type="bench.quick.in", id=f"{prefix}{number}", source="/cli", data=payload(number))
        began = time.perf_counter()
        watch.expect(event.id)
        await kernel.intake.publish([event], _WHO, source="/cli")
        await watch.idle()
        times.append(time.perf_counter() - began)
    return sorted(times)[int(count * 0.99)] * 1e3


async def measure(data: Path, *, events: int, slow: int) -> dict[str, Any]:
    """Return both p99 and how many slow runs there were."""
    policy = PolicyEngine(Bundle(policies=(Policy(id="bench", effect="allow", match=Match(action=_ACTIONS)),)))
    settings = Settings(root=data, data_dir=data, slow_concurrency=slow)
    watch = Watch()
    async with open_kernel(settings, registry=Registry.of(quick, agent), policy=policy) as kernel, Runner(kernel):
        kernel.observers.add(watch)
        await _p99_ms(kernel, watch, "w", events // 4)
        alone = await _p99_ms(kernel, watch, "a", events)
        agents = [Event(type="bench.slow.in", id=f"s{n}", source="/cli", data=payload(n)) for n in range(slow)]
        await kernel.intake.publish(agents, _WHO, source="/cli")
        async with asyncio.timeout(30):
            while _running < slow:  # noqa: ASYNC110 - they tell nobody
                await asyncio.sleep(0.05)
        beside = await _p99_ms(kernel, watch, "b", events)
        _enough.set()
    return {"alone_p99_ms": alone, "beside_p99_ms": beside, "ratio": beside / alone, "slow": _running}


_ACTIONS = ("publish:**", "process:**")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000)
    parser.add_argument("--slow", type=int, default=100)
    parser.add_argument("--data", type=Path, help="an empty folder; by default a temporary one")
    parser.add_argument("--most", type=float, default=2.0, help="the largest ratio that is accepted")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(measure(given.data or Path(folder), events=given.events, slow=given.slow))
    ok = found["ratio"] < given.most and found["slow"] == given.slow
    print(json.dumps({"ok": ok, **found}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
