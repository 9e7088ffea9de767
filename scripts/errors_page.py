"""docs/errors.md, written from the error classes and their catalogue with `--write`, otherwise checked."""

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vextir_os.cli.explain import AGAIN, Described, described  # noqa: E402 - started as a file, as settings_page.py

PAGE = ROOT / "docs" / "errors.md"
INTRODUCTION = """\
# Errors

Every error has a code that stays the same, whatever its message says. `vextir explain CODE` prints the entry of one.
In Python the classes are in `vextir_os.errors`; catch the base of an area for all of it. Over HTTP the code stands in
the member `code` of the answer (RFC 9457), on a run in its `error`. "HTTP none" is an error that no request ends with:
it is met on a run, in a program or on the command line.

One question decides how the OS goes on: may the same call succeed later? An attempt that failed for good is kept as a
[dead letter](guides/dead-letters.md) and can be replayed.
"""
AREAS = {
    "0": "Anything, and YAML", "2": "Events", "3": "Policies", "4": "Drivers", "5": "Store and queue", "6": "Runs",
    "9": "Callers and settings",
}  # fmt: skip


def page() -> str:
    """Return the page as it has to be."""
    return INTRODUCTION + "\n" + "\n".join(_sections())


def _sections() -> Iterator[str]:
    area = ""
    for each in described():
        if each.code[2] != area:
            area = each.code[2]
            yield f"## {AREAS[area]}\n"
        yield from _entry(each)


def _entry(each: Described) -> Iterator[str]:
    yield f"### {each.code} {each.name}\n"
    yield f"{each.meaning}\n"
    if each.example:
        yield f"```text\n{each.example}\n```\n"
    yield f"{each.advice}.\n"
    yield f"Again: {AGAIN[each.kind]}. HTTP {each.http}. Exit code {each.exit}.\n"


def main(arguments: list[str]) -> int:
    """Write the page, or say whether it is fresh; 1 when it is not."""
    if arguments == ["--write"]:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("docs/errors.md is not what the error classes and vextir_os/errors/catalogue.py say. Run: make pages")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
