"""`make bench`: the OS beside the bare loop, in the same run, as ratios. Exits with 1 when a result was wrong."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

_HERE = Path(__file__).resolve().parent
_ROWS: tuple[tuple[str, str, Callable[[dict[str, Any]], float]], ...] = (
    ("throughput", "events/s", lambda found: found["throughput"]["eps"]),
    ("latency p50, one at a time", "ms", lambda found: found["latency"]["p50_ms"]),
    ("latency p99", "ms", lambda found: found["latency"]["p99_ms"]),
    ("chain of 3", "steps/s", lambda found: found["chain"]["steps_per_s"]),
)


def measured(program: str, arguments: list[str]) -> dict[str, Any]:
    """Return what a benchmark prints as its last line, run in a process and an empty folder of its own."""
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, str(_HERE / program), *arguments, "--data", data]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Measure by turns, so that a machine that changes its speed changes it for both; print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", default="10000")
    parser.add_argument("--lat", default="300")
    parser.add_argument("--flows", default="1000")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    arguments = ["--n", given.n, "--lat", given.lat, "--flows", given.flows]
    programs = {
        "loop": ["loop.py", *arguments],
        "vextir": ["pipeline.py", *arguments],
        "vextir, default delivery": ["pipeline.py", *arguments, "--delivery", "default"],
    }
    rounds = [
        {name: measured(program, rest) for name, (program, *rest) in programs.items()} for _ in range(given.rounds)
    ]
    print(f"{'':28}" + "".join(f"{name:>28}" for name in programs))
    for label, unit, read in _ROWS:
        line = f"{label + ', ' + unit:28}"
        for name in programs:
            values = sorted(read(found[name]) for found in rounds)
            ratios = sorted(read(found[name]) / read(found["loop"]) for found in rounds)
            line += f"{values[len(values) // 2]:>16,.2f} ({ratios[len(ratios) // 2]:.2f}x loop)"
        print(line)
    right = all(found["ok"] for each in rounds for found in each.values())
    print("every result was read back and is right" if right else "SOME RESULTS ARE WRONG")
    print(json.dumps(rounds[-1]))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
