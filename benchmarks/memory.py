"""Whether memory grows with the events that were: RSS after N events beside RSS after ten times as many, as a ratio.

    python -m benchmarks.memory --events 100000

One process that publishes, runs, logs at INFO and counts for `/metrics`. Linux only: RSS is read from /proc.
"""

import argparse
import asyncio
import gc
import json
import os
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
from vextir_os.telemetry.counting import Counting
from vextir_os.telemetry.logs import logged

_WHO = Principal(kind="user", id="bench", tenant="local")
_PUBLISHERS = 64
_CHUNK = 5_000
_TIMES = 10


@driver("bench.work", capabilities=["bench.in"], delivery="idempotent")
async def work(event: Event, ctx: Context) -> dict[str, Any]:
    """Do the job."""
    return result(event.data)


def rss_mb() -> float:
    """Return the memory of this process that is in RAM, in MB, after a collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def _events(kernel: Kernel, watch: Watch, first: int, last: int) -> None:
    """Publish the events of these numbers and wait for all of them; a part at a time, so that no queue builds up."""
    for start in range(first, last, _CHUNK):
        left = iter(range(start, min(start + _CHUNK, last)))

        async def publisher(left: Any = left) -> None:
            for number in left:
                event = Event(type="bench.in", id=f"m{number}", source="/cli", data=payload(number))
                watch.expect(event.id)
                await kernel.intake.publish([event], _WHO, source="/cli")

        async with asyncio.TaskGroup() as group:
            for _ in range(_PUBLISHERS):
                group.create_task(publisher())
        await watch.idle()


async def measure(data: Path, events: int) -> dict[str, Any]:
    """Return RSS after `events` and after ten times as many."""
    settings = Settings(root=data, data_dir=data, log=str(data / "vextir.log"))
    actions = ("publish:**", "process:**", "emit:**")
    policy = PolicyEngine(Bundle(policies=(Policy(id="bench", effect="allow", match=Match(action=actions)),)))
    watch, began = Watch(), time.perf_counter()
    async with open_kernel(settings, registry=Registry.of(work), policy=policy) as kernel:
        kernel.observers.add(watch)
        kernel.observers.add(counting := Counting(kernel.clock))
        with logged(settings, kernel.observers, kernel.clock):
            async with Runner(kernel):
                await _events(kernel, watch, 0, events)
                first = rss_mb()
                await _events(kernel, watch, events, events * _TIMES)
                last = rss_mb()
    done = counting.counts.drivers["bench.work"].states["done"]
    return {
        "ok": done == events * _TIMES,
        "events": [events, events * _TIMES],
        "rss_mb": [first, last],
        "ratio": last / first,
        "seconds": time.perf_counter() - began,
    }


def main() -> int:
    """Measure and print; 1 when it grows by more than `--most`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--most", type=float, help="fail over this ratio")
    parser.add_argument("--data", type=Path, help="an empty folder; by default a temporary one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(measure(given.data or Path(folder), given.events))
    print(json.dumps(found))
    return 0 if found["ok"] and (given.most is None or found["ratio"] <= given.most) else 1


if __name__ == "__main__":
    sys.exit(main())
