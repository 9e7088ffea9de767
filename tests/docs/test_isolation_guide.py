"""The guide to isolation says the numbers that the code has, and its driver is one."""

from pathlib import Path

from tests.docs.test_guides import guide
from vextir_os.isolation import output, pool, process, spawn, threads
from vextir_os.registry.discover import discover

PAGE = " ".join(guide("isolation.md").split())


def test_the_limits_of_the_guide_are_those_of_the_code() -> None:
    told = {
        f"on a thread of its driver, {threads.MOST} at most",
        f"in a warm process of its driver, 2 to {pool.MOST} by the number of processors",
        f"| open files | {spawn.OPEN_FILES} |",
        f"| size of a file | {spawn.FILE_BYTES // 1_000_000} MB |",
        f"| {spawn.TASKS} beyond those there are |",
        f"{output.TURN_BYTES // 1_024} KB of standard output, {process.LOG_LINES:,} lines of `ctx.log` a turn",
        f"unless it grows by {process.GROWTH_BYTES // 1_000_000} MB",
    }
    assert {text for text in told if text not in PAGE} == set()
    assert (threads.STUCK, process.CALLS, pool.IDLE_S) == (8, 1_000, 300.0)
    assert "Eight of one driver" in PAGE
    assert "serves a thousand" in PAGE
    assert "ends after five minutes" in PAGE


def test_the_driver_of_the_guide_is_one(tmp_path: Path) -> None:
    code = guide("isolation.md").partition("```python\n")[2].partition("```")[0]
    folder = tmp_path / "drivers/reports"
    folder.mkdir(parents=True)
    (folder / "driver.py").write_text(f"from vextir_os import Context, Event, driver\n{code}", encoding="utf-8")
    (manifest,) = discover(tmp_path)
    held = (manifest.isolation, manifest.timeout_s, manifest.memory_bytes, manifest.cpu_s)
    assert held == ("process", 30.0, 512_000_000, 20.0)
