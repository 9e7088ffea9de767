"""`make check`: everything that reads the code without running it, two at a time, one line each."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check: a program and what to do when it fails."""

    name: str
    command: Sequence[str]
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check said, and how long it took."""

    check: Check
    passed: bool
    output: str
    seconds: float


# The longest first, so that the short ones fill the other core.
CHECKS = (
    Check(name="types", command=["python", "-m", "mypy"], advice="mypy --strict, settings in pyproject.toml"),
    Check(
        name="deployment imports",
        command=["python", "scripts/deploy_env.py"],
        advice="an environment made of requirements.txt must import the SDKs",
    ),
    Check(
        name="licences",
        command=["python", "scripts/licences.py"],
        advice="see docs/releasing.md, licences",
    ),
    Check(name="floors", command=["lint-imports", "--no-logo"], advice="see CONTRIBUTING.md, the floors"),
    Check(
        name="rules",
        command=["ruff", "check", "--quiet", "--output-format=concise"],
        advice="some repair themselves: .venv/bin/ruff check --fix",
    ),
    Check(
        name="format",
        command=["ruff", "format", "--check", "--quiet", "--output-format=concise"],
        advice="run: .venv/bin/ruff format",
    ),
    Check(name="lock file", command=["uv", "lock", "--check", "--offline", "--quiet"], advice="run: .venv/bin/uv lock"),
    Check(name="requirements.txt", command=["python", "scripts/requirements.py"], advice="run: make requirements"),
)


def perform(check: Check) -> Outcome:
    """Run one check in the project, its output kept together."""
    started = time.monotonic()
    program, *arguments = check.command
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(
        check=check, passed=done.returncode == 0, output=done.stdout.strip(), seconds=time.monotonic() - started
    )


def report(outcome: Outcome) -> str:
    """Return the line of a check that passed, or all that the failed one said."""
    line = f"{'ok    ' if outcome.passed else 'FAILED'}  {outcome.check.name}  ({outcome.seconds:.1f} s)"
    return line if outcome.passed else f"{line}\n{outcome.output}\n-> {outcome.check.advice}"


def main() -> int:
    """Run all checks; 1 when one failed."""
    failed = []
    with ThreadPoolExecutor(max_workers=min(len(CHECKS), os.cpu_count() or 2)) as pool:
        for future in as_completed([pool.submit(perform, check) for check in CHECKS]):
            outcome = future.result()
            print(report(outcome), flush=True)
            if not outcome.passed:
                failed.append(outcome.check.name)
    if failed:
        print(f"{len(failed)} of {len(CHECKS)} checks failed: {', '.join(failed)}")
        return 1
    print(f"{len(CHECKS)} checks passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
