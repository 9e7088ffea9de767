"""What an OS costs that has nothing to do: the CPU time of `vextir dev` over some seconds, as a share of one core.

    python -m benchmarks.idle --seconds 20

HTTP is served, lanes and sweep run, the log is open. Linux only: the time is read from /proc.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

POLICY = 'policies:\n  - {id: all, effect: allow, match: {action: ["publish:**", "process:**", "emit:**"]}}\n'


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used so far, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(root: Path, seconds: float, settle_s: float) -> dict[str, float | bool]:
    """Return the share of one core that an idle OS on this project folder uses."""
    (root / "drivers").mkdir()
    (root / "policies").mkdir()
    (root / "policies" / "all.yaml").write_text(POLICY, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VEXTIR_")}
    environment["VEXTIR_LOG"] = str(root / "vextir.log")
    command = [sys.executable, "-m", "vextir_os.cli", "dev", "--port", "0"]
    with subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None  # noqa: S101
            ready = any("next" in line for line in process.stderr)
            time.sleep(settle_s)
            before, began = cpu_seconds(process.pid), time.monotonic()
            time.sleep(seconds)
            used, took = cpu_seconds(process.pid) - before, time.monotonic() - began
        finally:
            process.terminate()
    return {"ok": ready, "seconds": took, "cpu_s": used, "percent_of_a_core": 100 * used / took}


def main() -> int:
    """Measure and print; 1 when it is more than `--most`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--settle", type=float, default=2.0, help="seconds before, for what a start leaves to do")
    parser.add_argument("--most", type=float, help="fail over this many percent of a core")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), given.seconds, given.settle)
    print(json.dumps(found))
    over = given.most is not None and found["percent_of_a_core"] > given.most
    return 0 if found["ok"] and not over else 1


if __name__ == "__main__":
    sys.exit(main())
