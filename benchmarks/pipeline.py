"""Measures the OS as it ships: publish, policy, routing, record, driver, commit, on SQLite with synchronous=FULL.

    python benchmarks/pipeline.py --n 20000 --lat 500 --flows 2000 --data EMPTY_DIR

Throughput and chains are those of the whole machine: one process of the OS for each core on one file, as under
`vextir dev --workers N`; `--processes 1` measures a single one. An event that is alone is published and handled in one
process. Prints as its last line one JSON object. Every result is read back from the store and compared.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.crew import crew
from benchmarks.job import numbers, payload, result
from benchmarks.system import DELIVERY, opened, publish
from vextir_os import __version__
from vextir_os.kernel import Kernel
from vextir_os.local.loop import run
from vextir_os.local.runner import Runner
from vextir_os.local.watch import Watch
from vextir_os.runs.record import EVENTS

_CHAIN = ("chain.first", "chain.second", "chain.third")
_SEMANTICS = {
    "idempotent": "policy, routing and one durable record per event; at-least-once delivery, exactly-once effect on "
    "records and emitted events; drivers declared `delivery: idempotent`: run first, then one write",
    "default": "policy, routing and one durable record per event; at-least-once delivery, exactly-once effect on "
    "records and emitted events; each run claimed under a lease and a fence before it starts",
}


async def _one_by_one(kernel: Kernel, count: int, watch: Watch) -> list[float]:
    found = []
    for number in range(count):
        began = time.perf_counter()
        await publish(kernel, "bench.in", "l", [number], watch.expect)
        await watch.idle()
        found.append(time.perf_counter() - began)
    return sorted(found)


async def _verified(kernel: Kernel, steps: Sequence[str], prefix: str, count: int) -> bool:
    """Whether each event has exactly one finished record per step, with the right output."""
    seen: dict[tuple[str, str], int] = {}
    continuation = ""
    while True:
        page = await kernel.store.query(EVENTS, limit=1_000, continuation=continuation)
        for stored in page.items:
            record = stored.document
            event = record["event"]
            if not event["correlationid"].startswith(prefix) or event["type"] not in steps:
                continue
            (finished,) = record["runs"].values()
            number = event["data"]["number"]
            if finished["state"] != "done" or finished["output"] != result(payload(number)):
                return False
            key = (event["type"], event["correlationid"])
            seen[key] = seen.get(key, 0) + 1
        continuation = page.continuation
        if not continuation:
            return len(seen) == count * len(steps) and set(seen.values()) == {1}


def _cold_start(data: Path) -> float:
    """Return the seconds from the start of a new process to an OS that is ready for its first event."""
    began = time.perf_counter()
    subprocess.run([sys.executable, __file__, "--cold", "--data", str(data / "cold")], check=True)
    return time.perf_counter() - began


async def _ready(data: Path) -> None:
    async with opened(data) as kernel, Runner(kernel):
        pass


async def _alone(data: Path, *, n: int, lat: int, flows: int) -> tuple[list[float], list[bool]]:
    """Return the seconds of events that are alone, and whether all three measurements were right."""
    watch = Watch()
    async with opened(data) as kernel:
        kernel.observers.add(watch)
        async with Runner(kernel):
            await publish(kernel, "bench.in", "w", range(1_000, 1_200), watch.expect)
            await watch.idle()
            times = await _one_by_one(kernel, lat, watch)
        right = [
            await _verified(kernel, ["bench.in"], "t", n),
            await _verified(kernel, ["bench.in"], "l", lat),
            await _verified(kernel, _CHAIN, "c", flows),
        ]
    return times, right


def measure(data: Path, *, n: int, lat: int, flows: int, processes: int, logs: bool) -> dict[str, Any]:
    """Return all numbers."""
    data.mkdir(parents=True, exist_ok=True)
    warm = 200 * processes
    with crew(data, processes, logs=logs) as all_processes:
        all_processes.all_of("bench.in", "w", warm)
        seconds = all_processes.all_of("bench.in", "t", n)
        chained = all_processes.all_of("chain.first", "c", flows, steps=3)
        said = all_processes.end()
    times, right = run(_alone(data, n=n, lat=lat, flows=flows))
    seen = {}
    if logs:
        lines = sum(path.read_bytes().count(b'"event":"run done"') for path in data.glob("vextir-*.log*"))
        runs, dropped = (sum(each[name] for each in said) for name in ("runs", "dropped"))
        seen = {"observed": {"lines": lines, "dropped": dropped, "runs": runs}}
        right.append(lines + dropped >= runs == warm + n + 3 * flows)
    return {
        "ok": all(right),
        **seen,
        "peer": "vextir",
        "version": __version__,
        "durability": "sqlite WAL, synchronous=FULL, group commit",
        "semantics": _SEMANTICS[DELIVERY],
        "processes": processes,
        "cold_start_s": _cold_start(data),
        **numbers(n=n, seconds=seconds, times=times, flows=flows, chained=chained, right=(right[0], right[2])),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000)
    parser.add_argument("--lat", type=int, default=500)
    parser.add_argument("--flows", type=int, default=2_000)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="of the OS, on one file")
    parser.add_argument("--delivery", choices=["idempotent", "default"], default="idempotent", help="of the drivers")
    parser.add_argument("--observed", action="store_true", help="INFO lines to files, and metrics")
    parser.add_argument("--cold", action="store_true", help="only start and stop")
    given = parser.parse_args()
    if given.cold:
        run(_ready(given.data))
        return
    sizes = {"n": given.n, "lat": given.lat, "flows": given.flows, "processes": given.processes}
    print(json.dumps(measure(given.data, **sizes, logs=given.observed)))


if __name__ == "__main__":
    main()
