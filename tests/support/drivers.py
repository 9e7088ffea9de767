"""Driver files for tests: a project root with the drivers that a test writes into it."""

from pathlib import Path
from textwrap import dedent

HEADER = "from vextir_os import Context, Event, Result, driver\n"


def write_driver(root: Path, name: str, source: str, *, file: str = "driver.py") -> Path:
    """Write one file of a driver folder, with the usual import on line 1 of `driver.py`, and return its path."""
    path = root / "drivers" / name / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text((HEADER if file == "driver.py" else "") + dedent(source), encoding="utf-8")
    return path


def simple_driver(driver_id: str, *capabilities: str, answer: str = "done", options: str = "") -> str:
    """Return the source of a driver that answers with a text; its decorator stands on line 2 of `driver.py`."""
    return dedent(
        f"""\
        @driver({driver_id!r}, capabilities={list(capabilities)!r}{options})
        async def run(event: Event) -> str:
            return {answer!r}
        """
    )
