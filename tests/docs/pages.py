"""What the pages say, taken out of them: files, consoles and links; and how a console is compared with what happened.

A console block is a list of commands after `$ `, each with its output. Ids, durations, the port and the project folder
differ from run to run. A line that ends with an ellipsis was cut at the width of a terminal. A tab of a table stands as
two blanks.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_DURATION = re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s)\b")
_PORT = re.compile(r"127\.0\.0\.1:\d+")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_NAMED = re.compile(r"`([\w./-]+\.(?:py|yaml))`[^`]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a console and the lines that it prints."""

    command: str
    output: tuple[str, ...]


def files_of(page: str) -> Mapping[str, str]:
    """Return the files that a page writes out: blocks whose paragraph before names a file last, by that name."""
    found = {}
    for block in _FENCE.finditer(page):
        before = page[: block.start()].rstrip().rpartition("\n\n")[2]
        named = _NAMED.search(before)
        if named and block[1] in ("python", "yaml"):
            found[named[1]] = block[2]
    return found


def consoles_of(page: str, heading: str) -> Sequence[Step]:
    """Return the steps of all console blocks below a heading, in order."""
    part = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [step for block in _FENCE.finditer(part) if block[1] == "console" for step in _steps(block[2])]


def links_of(page: str) -> Sequence[str]:
    """Return the targets of all links of a page that lead into the project."""
    return [target for target in _LINK.findall(page) if "://" not in target and not target.startswith("mailto:")]


def anchors_of(page: str) -> frozenset[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    plain = (re.sub(r"[`*]", "", heading).strip().lower() for heading in _HEADING.findall(page))
    return frozenset(re.sub(r"[^\w\- ]", "", text).replace(" ", "-") for text in plain)


def _steps(console: str) -> Iterator[Step]:
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        command, *output = part.splitlines()
        yield Step(command=command, output=tuple(output))


@dataclass(slots=True, kw_only=True)
class Likeness:
    """Says whether lines of a page and lines of a run are the same, and remembers which id stands for which.

    Args:
        folder: The project folder of the run.
        shown: How the page writes it.
    """

    folder: Path
    shown: str
    ids: dict[str, str] = field(default_factory=dict)

    def actual(self, command: str, address: str) -> str:
        """Return a command of the page as it is to be run: with this run's ids, and its server's address."""
        with_ids = _ID.sub(lambda found: self.ids.get(found[0], found[0]), command)
        return _PORT.sub(address, with_ids)

    def differences(self, page: Sequence[str], run: Sequence[str]) -> list[str]:
        """Return `page: …` and `run: …` for each pair of lines that differs; nothing when all are alike."""
        found = [] if len(page) == len(run) else [f"the page has {len(page)} lines, the run {len(run)}: {run}"]
        for said, was in zip(page, run, strict=False):
            if not self._alike(said, was):
                found += [f"page: {said}", f"run:  {was}"]
        return found

    def _alike(self, said: str, was: str) -> bool:
        mine, theirs = _ID.findall(said), _ID.findall(was)
        for shown, real in zip(mine, theirs, strict=False):
            if self.ids.setdefault(shown, real) != real or list(self.ids.values()).count(real) > 1:
                return False
        left, right = self._plain(said), self._plain(was)
        if left.endswith("…"):
            return right.startswith(left.removesuffix("…"))
        return left == right

    def _plain(self, line: str) -> str:
        line = line.replace(str(self.folder), self.shown).replace("\t", "  ")
        return _PORT.sub("127.0.0.1:#", _DURATION.sub("# s", _ID.sub("#", line))).rstrip()
