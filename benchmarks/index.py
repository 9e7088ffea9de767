"""What ten thousand drivers cost a start: the index read, a type routed, a driver loaded at its first event.

    python -m benchmarks.index --drivers 10000 --most-ms 100

Each driver is a real folder with typed data, and the index is what `vextir build` writes for them. Each number is of
fresh processes, the least of several: all else that the machine does only adds to it. The load of the first driver
brings modules of the OS, so that of a second one is measured. Exits with 1 when reading the index takes longer than
`--most-ms`, or when a driver was imported that had no event.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from vextir_os.registry.index import build_index, write_index
from vextir_os.registry.manifest_json import INDEX_FILE

_ROOT = Path(__file__).resolve().parent.parent

_SOURCE = """\
from dataclasses import dataclass

from vextir_os import Event, driver


@dataclass
class Order:
    item: str
    count: int = 1


@driver("shop.n{number}", capabilities=["order.n{number}.placed"], permissions=["emit:order.n{number}.done"])
async def place(event: Event, data: Order) -> dict[str, str]:
    \"\"\"Take an order.\"\"\"
    return {{"item": data.item}}
"""

_START = """
import json, sys, time
from pathlib import Path
from vextir_os.registry.index import load_index
from vextir_os.registry.registry import Registry

root, count = Path(sys.argv[1]), int(sys.argv[2])
def imported():
    return sum(name.startswith("vextir_loaded_") and name.endswith(".driver") for name in sys.modules)
def ms(since):
    return (time.perf_counter() - since) * 1e3

began = time.perf_counter()
registry = Registry(load_index(root).manifests, root=root)
found = {"load_ms": ms(began), "imported": imported()}
began = time.perf_counter()
routes = [registry.route(f"order.n{number}.placed") for number in range(0, count, count // 100)]
found["route_us"] = ms(began) * 1e3 / len(routes)
found["right"] = len(registry.ids) == count and [len(route) for route in routes] == [1] * len(routes)
found["imported_by_routing"] = imported()
registry.load(routes[0][0])
began = time.perf_counter()
registry.load(routes[-1][0])
print(json.dumps(found | {"first_event_ms": ms(began), "imported_by_event": imported()}))
"""


def _project(root: Path, count: int) -> int:
    """Write the drivers and their index; return the size of its file."""
    for number in range(count):
        folder = root / "drivers" / f"shop{number}"
        folder.mkdir(parents=True)
        (folder / "driver.py").write_text(_SOURCE.format(number=number))
    write_index(root, build_index(root))
    return (root / INDEX_FILE).stat().st_size


def _started(root: Path, count: int) -> dict[str, Any]:
    command = [sys.executable, "-c", _START, str(root), str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=_ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drivers", type=int, default=10_000, help="at least 100")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--most-ms", type=float, help="fail when reading the index does not take less than this")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        size = _project(Path(folder), given.drivers)
        rounds = [_started(Path(folder), given.drivers) for _ in range(given.rounds)]
    counts = {(each["imported"], each["imported_by_routing"], each["imported_by_event"]) for each in rounds}
    right = all(each["right"] for each in rounds) and counts == {(0, 0, 2)}
    found = {
        "drivers": given.drivers,
        "index_mb": size / 1e6,
        **{key: min(each[key] for each in rounds) for key in ("load_ms", "route_us", "first_event_ms")},
        "imported": dict(zip(("by_load", "by_routing", "by_two_events"), min(counts), strict=True)),
    }
    slow = given.most_ms is not None and found["load_ms"] >= given.most_ms
    print(json.dumps({"ok": right and not slow, **found}))
    return 0 if right and not slow else 1


if __name__ == "__main__":
    sys.exit(main())
