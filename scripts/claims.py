"""Run the proof of every claim in docs/claims.md: a table with the columns claim, proof and measured.

    | claim | proof | measured |
    | --- | --- | --- |
    | Of two workers only the first commits | `tests/unit/test_runs.py::test_of_two` | |
    | 5,000 events survive SIGKILL | `.venv/bin/python benchmarks/kill.py --n 5000` | 5,000 of 5,000 |

A proof is a pytest node id (it begins with `tests/`) or a command, in backticks; several may stand in one cell. Each
distinct proof runs once: the tests together on all cores, then the commands one by one. What hangs is ended and counts
as failed. A claim without proof is open, and open counts as failed.
"""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.claimed import selects  # noqa: E402 - started as a file, the project is not yet on the path

PAGE = ROOT / "docs" / "claims.md"
COLUMNS = ["claim", "proof", "measured"]
_CELL_END = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")
_WORSE = ("found", "passed", "skipped", "failed", "hung")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One row of the page; without proofs it is open."""

    text: str
    proofs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds after which one test, all tests together, and one command are ended and count as failed."""

    test_s: float = 300.0
    run_s: float = 3_600.0
    command_s: float = 1_800.0


LIMITS = Limits()


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


def run_tests(proofs: Sequence[str], root: Path, limits: Limits) -> Mapping[str, str]:
    """Run the tests in one go, on all cores; return per proof why it failed, empty text when all it names passed."""
    paths = sorted({path for proof in proofs if (path := proof.partition("::")[0]) and (root / path).exists()})
    outcomes: dict[str, str] = {}
    if paths:
        with tempfile.TemporaryDirectory() as folder:
            outcomes = _run_pytest(paths, proofs, root, limits, Path(folder))
    return {proof: verdict([of for test, of in outcomes.items() if selects(proof, test)]) for proof in proofs}


def _run_pytest(
    paths: Sequence[str], proofs: Sequence[str], root: Path, limits: Limits, folder: Path
) -> dict[str, str]:
    selection, told = folder / "selection.json", folder / "outcomes.jsonl"
    selection.write_text(json.dumps({"proofs": proofs, "limit_s": limits.test_s}), encoding="utf-8")
    told.touch()
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(root), "-p", "no:cacheprovider"]
    command += ["-n", "auto", "--maxprocesses", "8", "-p", "scripts.claimed"]
    # As `--option=path`: pytest takes a path on its own for one of tests, and looks for its settings there.
    command += [f"--claimed={selection}", f"--claimed-outcomes={told}", *paths]
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    failure = _run(command, root, limits.run_s, os.environ | {"PYTHONPATH": search})
    print(f"tests: {failure or 'done'}", flush=True)
    return outcomes_of(told.read_text(encoding="utf-8").splitlines())


def outcomes_of(lines: Iterable[str]) -> dict[str, str]:
    """Return the outcome of each test, from the lines that scripts/claimed.py wrote: the worst that was told."""
    outcomes: dict[str, str] = {}
    for line in lines:
        told = json.loads(line)
        test = told["test"]
        outcomes[test] = max(outcomes.get(test, "found"), told["outcome"], key=_WORSE.index)
    return outcomes


def verdict(outcomes: Iterable[str]) -> str:
    """Return why a proof with these outcomes does not hold, empty text when all passed."""
    kinds = sorted(set(outcomes))
    if not kinds:
        return "no such test"
    told = {"found": "was not run to its end", "hung": "hung"}
    return "" if kinds == ["passed"] else "a test " + " and one ".join(told.get(k, k) for k in kinds if k != "passed")


def run_command(command: str, root: Path, limits: Limits) -> str:
    """Run a command in the project, without a shell; return why it failed, empty text when it passed."""
    print(f"$ {command}", flush=True)
    try:
        return _run(shlex.split(command), root, limits.command_s)
    except (OSError, ValueError) as error:
        return f"cannot run: {error}"


def _run(command: Sequence[str], root: Path, limit_s: float, environ: Mapping[str, str] | None = None) -> str:
    """Run a program in a session of its own; after the limit, end it with all that it started."""
    with subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, env=environ, start_new_session=True) as process:
        try:
            code = process.wait(limit_s)
        except BaseException as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return f"not done after {limit_s:g} s"
    return f"exit code {code}" if code else ""


def prove(claims: Sequence[Claim], root: Path, limits: Limits) -> dict[str, str]:
    """Run each distinct proof once, the tests first; return why it failed, empty text for those that hold."""
    proofs = list(dict.fromkeys(proof for claim in claims for proof in claim.proofs))
    tests = run_tests([proof for proof in proofs if proof.startswith("tests/")], root, limits)
    return dict(tests) | {proof: run_command(proof, root, limits) for proof in proofs if proof not in tests}


def judge(claim: Claim, failures: Mapping[str, str]) -> str:
    """Return the line of a claim: `ok`, `open`, or `FAILED` with each proof that does not hold."""
    if not claim.proofs:
        return f"open    {claim.text}"
    failed = [f"{proof}: {failures[proof]}" for proof in claim.proofs if failures[proof]]
    return f"FAILED  {claim.text} ({'; '.join(failed)})" if failed else f"ok      {claim.text}"


def main(page: Path = PAGE, root: Path = ROOT, limits: Limits = LIMITS) -> int:
    """Prove the page and print one line per claim; 1 when one fails or is open, 2 when the page cannot be read."""
    try:
        claims = read(page.read_text(encoding="utf-8"), page.name)
    except (OSError, PageError) as error:
        print(f"claims: {error}", file=sys.stderr)
        return 2
    failures = prove(claims, root, limits)
    lines = [judge(claim, failures) for claim in claims]
    held = sum(line.startswith("ok") for line in lines)
    print("", *lines, f"{held} of {len(claims)} claims hold", sep="\n")
    return int(held < len(claims))


if __name__ == "__main__":
    sys.exit(main())
