"""Whether known vulnerabilities are in what requirements.txt installs: asks PyPI, through pip-audit.

Ends with 1 when there are some. Where nobody answers, it says so and ends with 0: offline nothing can be asked, and
nothing is wrong for that reason. Anything else that goes wrong is an error, 2.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "requirements.txt"
PROGRAM = (str(Path(sys.executable).with_name("pip-audit")),)
LIMIT_S = 600.0

_OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")
_NOBODY = re.compile(
    r"(?:Connection|ConnectTimeout|ReadTimeout|Proxy|SSL|MaxRetry|NameResolution)Error|ConnectTimeout|ReadTimeout"
    r"|Max retries exceeded|\b50[234]\b (?:Server|Bad|Service|Gateway)"
)


def audit(file: Path, program: Sequence[str] = PROGRAM, limit_s: float = LIMIT_S) -> int:
    """Audit a requirements file and say what was found; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer.json"
        command = [*program, "-r", str(file), *_OPTIONS, "-o", str(answer)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False)
        except subprocess.TimeoutExpired:
            return _unanswered(f"no answer within {limit_s:g} s")
        if not answer.exists():
            said = [line for line in done.stderr.splitlines() if re.search("[a-z]", line)] or ["nothing was said"]
            if _NOBODY.search(done.stderr):
                return _unanswered(said[-1])
            print(f"audit: pip-audit failed with exit code {done.returncode}: {said[-1][:500]}")
            return 2
        return report(json.loads(answer.read_text(encoding="utf-8")))


def report(answer: Mapping[str, Any]) -> int:
    """Say what an answer of pip-audit holds; 1 when there are vulnerabilities, 2 when packages were not looked at."""
    packages = answer["dependencies"]
    passed_over = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    if packages and len(passed_over) == len(packages):
        return _unanswered(f"who stands in PyPI's place knows of no package, {passed_over[0]}")
    found = [
        f"{one['name']} {one['version']}: {fault['id']}, repaired in {', '.join(fault['fix_versions']) or 'no version'}"
        for one in packages
        for fault in one.get("vulns", ())
    ]
    print(
        *found, *(f"not looked at: {line}" for line in passed_over), sep="\n", end="\n" if found + passed_over else ""
    )
    if found:
        print("audit: raise them in pyproject.toml, then: .venv/bin/uv lock && make requirements")
        return 1
    print(f"audit: {len(packages) - len(passed_over)} packages, no known vulnerability")
    return 2 if passed_over else 0


def _unanswered(why: str) -> int:
    print(f"audit: could not ask whether vulnerabilities are known, so nothing is said about them: {why[:300]}")
    return 0


if __name__ == "__main__":
    sys.exit(audit(FILE))
