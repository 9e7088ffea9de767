"""`make bench`: the OS beside the bare loop, in the same run, as ratios. Exits with 1 when a result was wrong."""

import argparse
import json
import statistics
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


def _p50(found: dict[str, Any]) -> float:
    return float(found["latency"]["p50_ms"])


def _throughput(rounds: list[dict[str, dict[str, Any]]], name: str) -> float:
    """Return the median of a program's throughput as part of the loop's."""
    return float(
        statistics.median(each[name]["throughput"]["eps"] / each["loop"]["throughput"]["eps"] for each in rounds)
    )


def main() -> int:
    """Measure by turns, so that a machine that changes its speed changes it for both; print a table of medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", default="10000")
    parser.add_argument("--lat", default="300")
    parser.add_argument("--flows", default="1000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--most-p50", type=float, help="fail when the median p50 is more than this times the loop's")
    parser.add_argument("--p50-under-ms", type=float, help="fail when the median p50 is not under this")
    parser.add_argument("--least-throughput", type=float, help="fail when its median is under this part of the loop's")
    parser.add_argument("--least-observed", type=float, help="the same, with logs and metrics on")
    parser.add_argument("--http-p50-under-ms", type=float, help="fail when the median p50 over HTTP is not under this")
    given = parser.parse_args()
    arguments = ["--n", given.n, "--lat", given.lat, "--flows", given.flows]
    programs = {
        "loop": ["loop.py", *arguments],
        "vextir": ["pipeline.py", *arguments],
        "vextir, one process": ["pipeline.py", *arguments, "--processes", "1"],
        "vextir, default delivery": ["pipeline.py", *arguments, "--delivery", "default"],
        "vextir, logs and metrics": ["pipeline.py", *arguments, "--observed"],
    }
    rounds, over_http = [], []
    for _ in range(given.rounds):
        rounds.append({name: measured(program, rest) for name, (program, *rest) in programs.items()})
        over_http.append(measured("over_http.py", ["--lat", given.lat]))
    print(f"{'':28}" + "".join(f"{name:>28}" for name in programs))
    for label, unit, read in _ROWS:
        line = f"{label + ', ' + unit:28}"
        for name in programs:
            value = statistics.median(read(found[name]) for found in rounds)
            ratio = statistics.median(read(found[name]) / read(found["loop"]) for found in rounds)
            line += f"{value:>16,.2f} ({ratio:.2f}x loop)"
        print(line)
    http_p50 = statistics.median(_p50(found) for found in over_http)
    http_ratio = statistics.median(
        _p50(found) / _p50(each["loop"]) for found, each in zip(over_http, rounds, strict=True)
    )
    print(f"over HTTP, to the durable result: p50 {http_p50:,.2f} ms ({http_ratio:.2f}x the loop's without HTTP)")
    right = all(found["ok"] for each in rounds for found in each.values()) and all(found["ok"] for found in over_http)
    print("every result was read back and is right" if right else "SOME RESULTS ARE WRONG")
    print(json.dumps(rounds[-1]))
    p50 = statistics.median(found["vextir"]["latency"]["p50_ms"] for found in rounds)
    ratio = statistics.median(
        found["vextir"]["latency"]["p50_ms"] / found["loop"]["latency"]["p50_ms"] for found in rounds
    )
    slower = any(
        least is not None and _throughput(rounds, name) < least
        for name, least in (("vextir", given.least_throughput), ("vextir, logs and metrics", given.least_observed))
    )
    late = given.http_p50_under_ms is not None and http_p50 >= given.http_p50_under_ms
    slow = (given.most_p50 is not None and ratio > given.most_p50) or (
        given.p50_under_ms is not None and p50 >= given.p50_under_ms
    )
    return 0 if right and not slow and not slower and not late else 1


if __name__ == "__main__":
    sys.exit(main())
