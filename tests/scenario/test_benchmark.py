"""The benchmark says what it measured, and that every result was right. How fast it is stands in no test."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vextir_os import __version__

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("delivery", ["idempotent", "default"])
def test_the_last_line_is_one_object_with_every_number(tmp_path: Path, delivery: str) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "pipeline.py"), "--delivery", delivery]
    sizes = ["--n", "300", "--lat", "10", "--flows", "40", "--data", str(tmp_path)]
    done = subprocess.run([*command, *sizes], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["ok"], found["peer"], found["version"]) == (True, "vextir", __version__)
    assert found["durability"] == "sqlite WAL, synchronous=FULL, group commit"
    assert ("idempotent" in found["semantics"]) is (delivery == "idempotent")
    assert found["processes"] == os.cpu_count()
    assert found["cold_start_s"] > 0
    throughput, latency, chain = found["throughput"], found["latency"], found["chain"]
    assert (throughput["n"], throughput["verified"]) == (300, True)
    assert throughput["eps"] == pytest.approx(300 / throughput["seconds"])
    assert latency["count"] == 10
    assert 0 < latency["p50_ms"] <= latency["p99_ms"]
    assert (chain["flows"], chain["steps"], chain["verified"]) == (40, 3, True)
    assert chain["steps_per_s"] == pytest.approx(120 / chain["seconds"])


def test_logs_and_metrics_are_measured_with_every_line_and_run_counted(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "pipeline.py"), "--observed", "--data", str(tmp_path)]
    sizes = ["--n", "300", "--lat", "10", "--flows", "40", "--processes", "3"]
    done = subprocess.run([*command, *sizes], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["ok"]
    assert found["observed"] == {"lines": 1020, "dropped": 0, "runs": 1020}


def test_memory_is_measured_after_ten_times_as_many_events(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "memory.py"), "--events", "50", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["ok"], found["events"]) == (True, [50, 500])
    assert found["ratio"] == pytest.approx(found["rss_mb"][1] / found["rss_mb"][0])


def test_an_idle_os_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "idle.py"), "--seconds", "0", "--settle", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["ok"], found["percent_of_a_core"] >= 0) == (True, True)


def test_the_baseline_does_the_same_job_and_is_right(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "loop.py"), "--n", "300", "--lat", "10", "--flows", "40"]
    done = subprocess.run([*command, "--data", str(tmp_path)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["ok"], found["throughput"]["verified"], found["chain"]["verified"]) == (True, True, True)


def test_an_event_over_http_is_measured_to_its_durable_result(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "over_http.py"), "--lat", "10", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["ok"], found["latency"]["count"]) == (True, 10)
    assert 0 < found["latency"]["p50_ms"] <= found["latency"]["p99_ms"]


def test_several_processes_on_one_file_are_measured_beside_one(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "processes.py"), "--n", "300", "--processes", "3"]
    done = subprocess.run([*command, "--rounds", "1"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["ok"], found["n"], found["processes"]) == (True, 300, 3)
    assert found["ratio"] == pytest.approx(found["together"]["eps"][0] / found["one"]["eps"][0])


def test_a_start_with_many_drivers_is_measured_with_what_it_imports() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "index.py"), "--drivers", "100", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["ok"], found["drivers"]) == (True, 100)
    assert found["imported"] == {"by_load": 0, "by_routing": 0, "by_two_events": 2}
    assert min(found["load_ms"], found["route_us"], found["first_event_ms"]) > 0


def test_decisions_are_measured_with_few_and_many_policies() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "policy.py"), "--sizes", "10", "50", "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["us_per_decision"]["vextir"].keys() == {"10", "50"}
    assert found["conditions_us"].keys() == {"len", "any", "get", "arithmetic"}


def test_calls_in_each_isolation_are_measured() -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "isolation.py"), "--calls", "20", "--most-ms", "1000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["ok"]
    for name in ("thread", "process"):
        assert found[f"{name}_over_inline_ms"] == pytest.approx(found[name]["p50_ms"] - found["inline"]["p50_ms"])
