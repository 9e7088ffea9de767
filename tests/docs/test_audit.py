"""`make audit`: what it says of an answer, and of none. Nobody is asked here: a program of the test's own answers."""

import json
import sys
from pathlib import Path

import pytest

from scripts.audit import audit

CLEAN = {"name": "rich", "version": "15.0", "vulns": []}
FAULT = {"id": "PYSEC-2026-1", "fix_versions": ["1.2"], "aliases": [], "description": ""}


def answering(folder: Path, answer: object = None, *, says: str = "", code: int = 0) -> list[str]:
    """Return a program that stands in for pip-audit: writes this answer, says this, ends with this code."""
    program = folder / "program.py"
    program.write_text(
        "import sys\nfrom pathlib import Path\n"
        f"answer, says, code = {None if answer is None else json.dumps(answer)!r}, {says!r}, {code}\n"
        "if answer is not None:\n    Path(sys.argv[sys.argv.index('-o') + 1]).write_text(answer)\n"
        "print(says, file=sys.stderr)\nsys.exit(code)\n"
    )
    return [sys.executable, str(program)]


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        pytest.param([CLEAN], 0, "audit: 1 packages, no known vulnerability\n", id="clean"),
        pytest.param(
            [CLEAN, {"name": "old", "version": "1.0", "vulns": [FAULT, FAULT | {"id": "GHSA-x", "fix_versions": []}]}],
            1,
            "old 1.0: PYSEC-2026-1, repaired in 1.2\nold 1.0: GHSA-x, repaired in no version\n"
            "audit: raise them in pyproject.toml, then: .venv/bin/uv lock && make requirements\n",
            id="vulnerable",
        ),
        pytest.param(
            [CLEAN, {"name": "odd", "skip_reason": "not on PyPI"}],
            2,
            "not looked at: odd: not on PyPI\naudit: 1 packages, no known vulnerability\n",
            id="passed-over",
        ),
    ],
)
def test_an_answer_is_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], packages: list[object], code: int, said: str
) -> None:
    program = answering(tmp_path, {"dependencies": packages, "fixes": []}, code=code)
    assert audit(tmp_path / "requirements.txt", program) == code
    assert capfd.readouterr().out == said


@pytest.mark.parametrize(
    "why",
    [
        "requests.exceptions.ProxyError: HTTPSConnectionPool(host='pypi.org', port=443): Max retries exceeded",
        "requests.exceptions.ConnectTimeout: timed out",
        "requests.exceptions.HTTPError: 503 Service Unavailable",
    ],
)
def test_where_nobody_answers_it_says_so_and_is_no_failure(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], why: str
) -> None:
    assert audit(tmp_path / "x", answering(tmp_path, says=f"Traceback\n{why}", code=1)) == 0
    assert capfd.readouterr().out == (
        f"audit: could not ask whether vulnerabilities are known, so nothing is said about them: {why}\n"
    )


def test_a_mirror_that_knows_of_no_package_has_not_answered(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    packages = [{"name": name, "skip_reason": "Dependency not found on PyPI"} for name in ("idna", "rich")]
    assert audit(tmp_path / "x", answering(tmp_path, {"dependencies": packages, "fixes": []})) == 0
    assert "knows of no package, idna: Dependency not found on PyPI\n" in capfd.readouterr().out


def test_a_program_that_hangs_is_ended_and_is_no_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    hanging = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    assert audit(tmp_path / "x", hanging, limit_s=0.2) == 0
    assert "no answer within 0.2 s" in capfd.readouterr().out


def test_anything_else_that_goes_wrong_is_a_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert audit(tmp_path / "x", answering(tmp_path, says="error: no such file\n    ^", code=1)) == 2
    assert capfd.readouterr().out == "audit: pip-audit failed with exit code 1: error: no such file\n"
