"""The build of a hot reload: a process of its own, in which a driver's module may do what it likes."""

import asyncio
from pathlib import Path

import pytest

from tests.support.drivers import simple_driver, write_driver
from tests.support.harness import until
from vextir_os.cli.reloading import SAID_BYTES, build_apart
from vextir_os.registry.index import load_index


async def test_a_build_writes_the_index_and_says_nothing(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", simple_driver("mail.reader", "mail.*"))
    assert await build_apart(tmp_path) == ""
    assert [manifest.id for manifest in load_index(tmp_path).manifests] == ["mail.reader"]


async def test_a_module_that_waits_for_ever_is_ended_and_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vextir_os.cli.reloading.BUILD_S", 1.5)
    write_driver(tmp_path, "mail", "import threading\nthreading.Event().wait()\n")
    async with asyncio.timeout(20):
        said = await build_apart(tmp_path)
    assert said == "the build did not end within 1.5 s: does a driver's module wait for something?"
    assert not (tmp_path / "drivers/index.json").exists()


@pytest.mark.parametrize(
    ("source", "holding"),
    [
        ("import os\nos._exit(3)\n", "the build ended with exit code 3"),
        ("import sys\nsys.exit(0)\n", "drivers/mail/driver.py:3: the module cannot be imported: SystemExit: 0"),
        ("import os\nos.kill(os.getpid(), 9)\n", "the build ended with exit code -9"),
    ],
    ids=["exits", "exits-well", "killed"],
)
async def test_a_module_that_ends_its_process_is_told_of(tmp_path: Path, source: str, holding: str) -> None:
    write_driver(tmp_path, "mail", source)
    assert holding in await build_apart(tmp_path)


async def test_a_module_that_says_too_much_is_ended(tmp_path: Path) -> None:
    write_driver(tmp_path, "mail", "import sys\nwhile True:\n    sys.stderr.write('x' * 4096)\n")
    async with asyncio.timeout(20):
        said = await build_apart(tmp_path)
    assert len(said) == SAID_BYTES


async def test_a_build_that_is_not_waited_for_leaves_no_process(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    source = f"""
        import os, threading
        from pathlib import Path
        Path({str(told)!r}).write_text(str(os.getpid()))
        threading.Event().wait()
        """
    write_driver(tmp_path, "mail", source)

    async def is_at_work() -> bool:
        return told.exists() and bool(told.read_text(encoding="utf-8"))

    building = asyncio.create_task(build_apart(tmp_path))
    await until(is_at_work, 20)
    building.cancel()
    await asyncio.gather(building, return_exceptions=True)
    assert not lives(told)


def lives(told: Path) -> bool:
    return Path("/proc", told.read_text(encoding="utf-8")).exists()
