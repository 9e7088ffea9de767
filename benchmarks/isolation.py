"""What a call costs in another isolation: the same driver inline, on a thread and in a warm process, one by one.

    python -m benchmarks.isolation --calls 2000

Measured is the driver's call alone, as the processor makes it: from the context to the result. Exits with 1 when
`process` costs over `--most-ms` more than `inline`, at the median.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.job import latency, payload
from vextir_os import Event
from vextir_os.driverkit.call import call_driver
from vextir_os.driverkit.manifest import Manifest
from vextir_os.events.identity import Principal
from vextir_os.isolation.hosts import Hosts
from vextir_os.local.loop import run
from vextir_os.registry.index import build_index
from vextir_os.registry.registry import Registry
from vextir_os.runs.context import RunContext

_DRIVER = """
from vextir_os import Context, Event, driver


@driver("bench.{name}", capabilities=["bench.{name}.in"], isolation="{isolation}")
async def handle(event: Event, ctx: Context) -> dict:
    total = sum(item["count"] * item["price"] for item in event.data["items"])
    return {{"number": event.data["number"], "total": total}}
"""
ISOLATIONS = ("inline", "thread", "process")


async def _call(hosts: Hosts, registry: Registry, manifest: Manifest, number: int) -> object:
    event = Event(type=manifest.capabilities[0], id=f"e{number}", source="/cli", data=payload(number))
    who = Principal(kind="user", id="bench", tenant="local")
    ctx = RunContext(driver=manifest.id, event_id=event.id, principal=who, attempt=1, rerun=0, now=time.time())
    if manifest.isolation == "inline":
        return await call_driver(registry.load(manifest), event, ctx)
    return await (await hosts.call(registry, manifest, event, ctx))


async def measure(root: Path, calls: int) -> dict[str, dict[str, float]]:
    """Return the latency of a call in each isolation; the first calls, which start what is needed, do not count."""
    for isolation in ISOLATIONS:
        folder = root / "drivers" / isolation
        folder.mkdir(parents=True)
        source = _DRIVER.format(name=isolation, isolation=isolation)
        (folder / "driver.py").write_text(source, encoding="utf-8")
    registry, hosts = Registry(build_index(root).manifests, root=root), Hosts()
    found = {}
    try:
        for isolation in ISOLATIONS:
            manifest = registry.get(f"bench.{isolation}")
            times = []
            for number in range(calls + calls // 10):
                began = time.perf_counter()
                await _call(hosts, registry, manifest, number)
                times.append(time.perf_counter() - began)
                # Between two calls, a moment in which what the last one left is put in order.
                await asyncio.sleep(0)
            found[isolation] = latency(sorted(times[calls // 10 :]))
    finally:
        await hosts.close()
    return found


def main() -> int:
    """Measure and print; 1 when a process costs more than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--most-ms", type=float, default=1.0, help="what `process` may cost more than `inline`")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(measure(Path(folder), given.calls))
    over = {name: found[name]["p50_ms"] - found["inline"]["p50_ms"] for name in ("thread", "process")}
    ok = over["process"] < given.most_ms
    print(json.dumps({"ok": ok, **{f"{name}_over_inline_ms": ms for name, ms in over.items()}, **found}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
