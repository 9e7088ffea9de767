"""Measures the OS as it ships: publish, policy, routing, record, driver, commit, on SQLite with synchronous=FULL.

    python benchmarks/pipeline.py --n 20000 --lat 500 --flows 2000 --data EMPTY_DIR

Prints as its last line one JSON object. Every result is read back from the store and compared.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.job import numbers, payload, result
from vextir_os import Context, Event, Result, __version__, driver
from vextir_os.bootstrap import open_kernel
from vextir_os.events.identity import Principal
from vextir_os.kernel import Kernel
from vextir_os.local.loop import run
from vextir_os.local.runner import Runner
from vextir_os.local.watch import Watch
from vextir_os.policy.engine import PolicyEngine
from vextir_os.policy.model import Bundle, Match, Policy
from vextir_os.registry.registry import Registry
from vextir_os.runs.record import EVENTS
from vextir_os.settings import Settings
from vextir_os.telemetry.counting import Counting
from vextir_os.telemetry.counts import Counts
from vextir_os.telemetry.logs import logged

_WHO = Principal(kind="user", id="bench", tenant="local")
_PUBLISHERS = 64
_DELIVERY: Any = "default" if "default" in sys.argv else "idempotent"
_SEMANTICS = {
    "idempotent": "policy, routing and one durable record per event; at-least-once delivery, exactly-once effect on "
    "records and emitted events; drivers declared `delivery: idempotent`: run first, then one write",
    "default": "policy, routing and one durable record per event; at-least-once delivery, exactly-once effect on "
    "records and emitted events; each run claimed under a lease and a fence before it starts",
}


@driver("bench.work", capabilities=["bench.in"], delivery=_DELIVERY)
async def work(event: Event, ctx: Context) -> dict[str, Any]:
    """Do the job."""
    return result(event.data)


@driver("bench.first", capabilities=["chain.first"], permissions=["emit:chain.second"], delivery=_DELIVERY)
async def first(event: Event, ctx: Context) -> Result:
    """Do the job and pass it on."""
    return Result(output=result(event.data), events=[Event(type="chain.second", data=event.data)])


@driver("bench.second", capabilities=["chain.second"], permissions=["emit:chain.third"], delivery=_DELIVERY)
async def second(event: Event, ctx: Context) -> Result:
    """Do the job and pass it on."""
    return Result(output=result(event.data), events=[Event(type="chain.third", data=event.data)])


@driver("bench.third", capabilities=["chain.third"], delivery=_DELIVERY)
async def third(event: Event, ctx: Context) -> dict[str, Any]:
    """Do the job."""
    return result(event.data)


def _registry() -> Registry:
    return Registry.of(work, first, second, third)


def _policy() -> PolicyEngine:
    actions = ("publish:**", "process:**", "emit:**")
    return PolicyEngine(Bundle(policies=(Policy(id="bench", effect="allow", match=Match(action=actions)),)))


async def _all(kernel: Kernel, type_: str, numbers: Sequence[int], prefix: str, watch: Watch) -> float:
    """Publish an event per number, many at once, and return the seconds until all that follows is finished."""
    left = iter(numbers)

    async def publisher() -> None:
        for number in left:
            event = Event(type=type_, id=f"{prefix}{number}", source="/cli", data=payload(number))
            watch.expect(event.id)
            await kernel.intake.publish([event], _WHO, source="/cli")

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(_PUBLISHERS):
            group.create_task(publisher())
    await watch.idle()
    return time.perf_counter() - began


async def _one_by_one(kernel: Kernel, count: int, watch: Watch) -> list[float]:
    found = []
    for number in range(count):
        event = Event(type="bench.in", id=f"l{number}", source="/cli", data=payload(number))
        began = time.perf_counter()
        watch.expect(event.id)
        await kernel.intake.publish([event], _WHO, source="/cli")
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
    async with open_kernel(_settings(data), registry=_registry(), policy=_policy()) as kernel, Runner(kernel):
        pass


def _settings(data: Path, *, observed: bool = False) -> Settings:
    return Settings(root=data, data_dir=data, log=str(data / "vextir.log") if observed else "")


@contextlib.contextmanager
def _observed(kernel: Kernel, observed: bool) -> Iterator[Counts | None]:
    """Count for `/metrics`, and write INFO lines to the log of the settings."""
    if not observed:
        yield None
        return
    counting = Counting(kernel.clock)
    kernel.observers.add(counting)
    with logged(kernel.settings, kernel.observers, kernel.clock):
        yield counting.counts


def _seen(data: Path, counts: Counts | None) -> dict[str, Any]:
    """Return how many lines were written and dropped, and how many runs were counted."""
    if counts is None:
        return {}
    lines = sum(path.read_bytes().count(b'"event":"run done"') for path in data.glob("vextir.log*"))
    runs = sum(driver.states["done"] for driver in counts.drivers.values())
    return {"observed": {"lines": lines, "dropped": counts.unlogged, "runs": runs}}


async def measure(data: Path, *, n: int, lat: int, flows: int, observed: bool) -> dict[str, Any]:
    """Return all numbers."""
    watch = Watch()
    async with open_kernel(_settings(data, observed=observed), registry=_registry(), policy=_policy()) as kernel:
        kernel.observers.add(watch)
        with _observed(kernel, observed) as counts:
            async with Runner(kernel):
                await _all(kernel, "bench.in", range(200), "w", watch)
                seconds = await _all(kernel, "bench.in", range(n), "t", watch)
                times = await _one_by_one(kernel, lat, watch)
                chained = await _all(kernel, "chain.first", range(flows), "c", watch)
        right = [
            await _verified(kernel, ["bench.in"], "t", n),
            await _verified(kernel, ["bench.in"], "l", lat),
            await _verified(kernel, ["chain.first", "chain.second", "chain.third"], "c", flows),
        ]
    seen = _seen(data, counts)
    if counts is not None:
        right.append(
            seen["observed"]["lines"] + counts.unlogged >= seen["observed"]["runs"] == 200 + n + lat + 3 * flows
        )
    return {
        "ok": all(right),
        **seen,
        "peer": "vextir",
        "version": __version__,
        "durability": "sqlite WAL, synchronous=FULL, group commit",
        "semantics": _SEMANTICS[_DELIVERY],
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
    parser.add_argument("--delivery", choices=["idempotent", "default"], default="idempotent", help="of the drivers")
    parser.add_argument("--observed", action="store_true", help="INFO lines to a file, and metrics")
    parser.add_argument("--cold", action="store_true", help="only start and stop")
    given = parser.parse_args()
    if given.cold:
        run(_ready(given.data))
        return
    sizes = {"n": given.n, "lat": given.lat, "flows": given.flows}
    print(json.dumps(run(measure(given.data, **sizes, observed=given.observed))))


if __name__ == "__main__":
    main()
