"""Run the proof of every claim in docs/claims.md: a table with the columns claim, proof and measured.

    | claim | proof | measured |
    | --- | --- | --- |
    | Of two workers only the first commits | `tests/unit/test_runs.py::test_of_two` | |
    | 5,000 events survive SIGKILL | `.venv/bin/python benchmarks/kill.py --n 5000` | 5,000 of 5,000 |

A proof is a pytest node id (it begins with `tests/`) or a command, in backticks; several may stand in one cell. Each
distinct proof runs once, the tests together in one run. A claim without proof is open, and open counts as failed.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "claims.md"
COLUMNS = ["claim", "proof", "measured"]
_CELL_END = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One row of the page; without proofs it is open."""

    text: str
    proofs: tuple[str, ...]


class PageError(Exception):
    """The page cannot be read as claims; the message names file and line."""


def read(page: str, name: str = "docs/claims.md") -> list[Claim]:
    """Return the claims of all tables with our columns, in order; other tables and text are passed over.

    Raises:
        PageError: A row has another number of cells, or no table has the columns claim, proof, measured.
    """
    claims: list[Claim] = []
    found = inside = False
    for number, line in enumerate(page.splitlines(), 1):
        if not line.lstrip().startswith("|"):
            inside = False
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in _CELL_END.split(line.strip().strip("|"))]
        if [cell.lower() for cell in cells] == COLUMNS:
            found = inside = True
        elif inside and set("".join(cells)) - set("-: "):
            if len(cells) != len(COLUMNS):
                raise PageError(f"{name}:{number}: {len(cells)} cells instead of 3. Write a bar inside a cell as \\|")
            claims.append(Claim(text=cells[0], proofs=tuple(_CODE.findall(cells[1]))))
    if not found:
        raise PageError(f"{name}: no table has the columns claim, proof, measured")
    return claims


@dataclass(slots=True, eq=False)
class _Outcomes:
    """A pytest plugin, hashable as they must be: keeps only the tests that are asked for, and what became of each."""

    wanted: Sequence[str]
    of: dict[str, str] = field(default_factory=dict)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if any(selects(proof, item.nodeid) for proof in self.wanted)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.outcome != "passed" or self.of.get(report.nodeid) is None:
            self.of[report.nodeid] = report.outcome


def selects(proof: str, nodeid: str) -> bool:
    """Whether a proof names this test: its whole id, its file, its class, or all its parameters."""
    return nodeid == proof or nodeid.startswith((f"{proof}::", f"{proof}[", f"{proof.rstrip('/')}/"))


def run_tests(proofs: Sequence[str], root: Path) -> Mapping[str, str]:
    """Run the tests in one go; return per proof why it failed, empty text when all that it names passed."""
    paths = sorted({path for proof in proofs if (path := proof.partition("::")[0]) and (root / path).exists()})
    outcomes = _Outcomes(wanted=proofs)
    if paths:
        targets = [str(root / path) for path in paths]
        pytest.main(["-q", "--rootdir", str(root), "-p", "no:cacheprovider", *targets], plugins=[outcomes])
    return {proof: _verdict([of for test, of in outcomes.of.items() if selects(proof, test)]) for proof in proofs}


def _verdict(outcomes: Iterable[str]) -> str:
    kinds = sorted(set(outcomes))
    if not kinds:
        return "no such test"
    return "" if kinds == ["passed"] else "a test " + " and one ".join(kind for kind in kinds if kind != "passed")


def run_command(command: str, root: Path) -> str:
    """Run a command in the project, without a shell; return why it failed, empty text when it passed."""
    print(f"$ {command}", flush=True)
    try:
        done = subprocess.run(shlex.split(command), cwd=root, stdin=subprocess.DEVNULL, check=False)
    except (OSError, ValueError) as error:
        return f"cannot run: {error}"
    return f"exit code {done.returncode}" if done.returncode else ""


def prove(claims: Sequence[Claim], root: Path) -> dict[str, str]:
    """Run each distinct proof once; return why it failed by proof, empty text for those that hold."""
    proofs = list(dict.fromkeys(proof for claim in claims for proof in claim.proofs))
    tests = [proof for proof in proofs if proof.startswith("tests/")]
    commands = {proof: run_command(proof, root) for proof in proofs if not proof.startswith("tests/")}
    return commands | dict(run_tests(tests, root))


def judge(claim: Claim, failures: Mapping[str, str]) -> str:
    """Return the line of a claim: `ok`, `open`, or `FAILED` with each proof that does not hold."""
    if not claim.proofs:
        return f"open    {claim.text}"
    failed = [f"{proof}: {failures[proof]}" for proof in claim.proofs if failures[proof]]
    return f"FAILED  {claim.text} ({'; '.join(failed)})" if failed else f"ok      {claim.text}"


def main(page: Path = PAGE, root: Path = ROOT) -> int:
    """Prove the page and print one line per claim; 1 when one fails or is open, 2 when the page cannot be read."""
    try:
        claims = read(page.read_text(encoding="utf-8"), page.name)
    except (OSError, PageError) as error:
        print(f"claims: {error}", file=sys.stderr)
        return 2
    failures = prove(claims, root)
    lines = [judge(claim, failures) for claim in claims]
    held = sum(line.startswith("ok") for line in lines)
    print("", *lines, f"{held} of {len(claims)} claims hold", sep="\n")
    return int(held < len(claims))


if __name__ == "__main__":
    sys.exit(main())
