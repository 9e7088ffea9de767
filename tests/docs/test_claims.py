"""The program behind `make claims`: what it reads as a claim, and when a claim holds."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.claimed import selects
from scripts.claims import PAGE, ROOT, Claim, PageError, judge, outcomes_of, read, verdict

HEAD = "| claim | proof | measured |\n| --- | --- | --- |\n"


def claims_of(root: Path, rows: str, limits: str = "") -> subprocess.CompletedProcess[str]:
    """Run the program on a page of its own, in a process of its own, as `make claims` does."""
    (root / "claims.md").write_text(HEAD + rows)
    code = (
        "import sys; from pathlib import Path; from scripts.claims import Limits, main;"
        f"sys.exit(main(Path('claims.md').resolve(), Path.cwd(), Limits({limits})))"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_row_is_a_claim_with_every_proof_in_backticks() -> None:
    rows = "| a \\| b | `make bench` and `tests/unit/test_x.py::test_y` | 3 ms |\n| later | | |\n"
    assert read("# Claims\n\n| other | table |\n| --- | --- |\n| 1 | 2 |\n\n" + HEAD + rows) == [
        Claim(text="a | b", proofs=("make bench", "tests/unit/test_x.py::test_y")),
        Claim(text="later", proofs=()),
    ]


def test_a_row_with_too_many_cells_is_named_by_its_line() -> None:
    with pytest.raises(PageError, match=r"docs/claims\.md:3: 4 cells instead of 3\. Write a bar inside a cell as"):
        read(HEAD + "| a | `x | y` | |\n")


def test_a_page_without_a_table_of_claims_is_an_error() -> None:
    with pytest.raises(PageError, match="no table has the columns claim, proof, measured"):
        read("# Claims\n\n| claim | proof |\n| --- | --- |\n")


@pytest.mark.parametrize(
    ("proof", "selected"),
    [
        pytest.param("tests/a/test_b.py", True, id="file"),
        pytest.param("tests/a", True, id="folder"),
        pytest.param("tests/a/test_b.py::test_c", True, id="all-parameters"),
        pytest.param("tests/a/test_b.py::test_c[x]", True, id="one-parameter"),
        pytest.param("tests/a/test_b.py::test_c[y]", False, id="other-parameter"),
        pytest.param("tests/a/test_b.py::test_", False, id="beginning-of-a-name"),
    ],
)
def test_a_proof_selects_whole_names_only(proof: str, selected: bool) -> None:
    assert selects(proof, "tests/a/test_b.py::test_c[x]") is selected


def test_a_claim_holds_when_all_its_proofs_hold() -> None:
    claim = Claim(text="fast", proofs=("make bench", "tests/x.py"))
    assert judge(claim, {"make bench": "", "tests/x.py": ""}) == "ok      fast"
    assert judge(claim, {"make bench": "exit code 2", "tests/x.py": ""}) == "FAILED  fast (make bench: exit code 2)"


def test_commands_and_tests_run_and_each_claim_gets_one_line(tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_some.py").write_text(
        "import pytest\n\ndef test_good(): pass\n\ndef test_bad(): assert False\n\n"
        "@pytest.mark.skip\ndef test_skipped(): pass\n"
    )
    rows = (
        "| good | `true`, `tests/test_some.py::test_good` | |\n"
        "| bad | `tests/test_some.py::test_bad` | |\n"
        "| skipped | `tests/test_some.py::test_skipped` | |\n"
        "| gone | `tests/test_some.py::test_gone`, `tests/test_gone.py` | |\n"
        "| wrong | `false` | |\n"
        "| unknown | `no-such-program --now` | |\n"
        "| later | | |\n"
    )
    done = claims_of(tmp_path, rows)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-8:] == [
        "ok      good",
        "FAILED  bad (tests/test_some.py::test_bad: a test failed)",
        "FAILED  skipped (tests/test_some.py::test_skipped: a test skipped)",
        "FAILED  gone (tests/test_some.py::test_gone: no such test; tests/test_gone.py: no such test)",
        "FAILED  wrong (false: exit code 1)",
        "FAILED  unknown (no-such-program --now: cannot run: [Errno 2] No such file or directory: 'no-such-program')",
        "open    later",
        "1 of 7 claims hold",
    ]


def test_a_test_that_hangs_is_named_and_the_others_run(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_some.py").write_text(
        "import threading\n\ndef test_good(): pass\n\ndef test_hangs(): threading.Event().wait()\n\n"
        "def test_last(): pass\n"
    )
    rows = "".join(f"| {name} | `tests/test_some.py::test_{name}` | |\n" for name in ("good", "hangs", "last"))
    done = claims_of(tmp_path, rows, limits="test_s=0.2")
    assert done.stdout.splitlines()[-4:] == [
        "ok      good",
        "FAILED  hangs (tests/test_some.py::test_hangs: a test hung)",
        "ok      last",
        "2 of 3 claims hold",
    ]


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    (tmp_path / "hang.sh").write_text("sleep 300 & echo $! > child; wait\n")
    done = claims_of(tmp_path, "| hangs | `sh hang.sh` | |\n", limits="command_s=0.5")
    assert done.stdout.splitlines()[-2] == "FAILED  hangs (sh hang.sh: not done after 0.5 s)"
    child = (tmp_path / "child").read_text().strip()
    state = subprocess.run(["ps", "-o", "stat=", "-p", child], capture_output=True, text=True, check=False).stdout
    assert state.strip()[:1] in ("", "Z")


def test_of_what_is_told_of_a_test_the_worst_counts() -> None:
    told = [("a", "found"), ("b", "found"), ("b", "passed"), ("b", "failed"), ("b", "passed"), ("c", "hung")]
    lines = [f'{{"test": "{test}", "outcome": "{outcome}"}}' for test, outcome in [*told, ("c", "failed")]]
    assert outcomes_of(lines) == {"a": "found", "b": "failed", "c": "hung"}


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        pytest.param(["passed", "passed"], "", id="all-passed"),
        pytest.param([], "no such test", id="none"),
        pytest.param(["passed", "found"], "a test was not run to its end", id="run-ended-early"),
        pytest.param(["skipped", "hung", "failed"], "a test failed and one hung and one skipped", id="several"),
    ],
)
def test_a_proof_fails_for_each_test_that_did_not_pass(outcomes: list[str], why: str) -> None:
    assert verdict(outcomes) == why


def test_tests_run_with_the_settings_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\npython_functions = 'proof_*'\n")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_some.py").write_text("def proof_of_it(): pass\n")
    done = claims_of(tmp_path, "| good | `tests/test_some.py::proof_of_it` | |\n")
    assert done.stdout.splitlines()[-1] == "1 of 1 claims hold"


def test_tests_of_folders_with_fixtures_of_their_own_run_together(tmp_path: Path) -> None:
    rows = ""
    for name in ("a", "b"):
        folder = tmp_path / "tests" / name
        folder.mkdir(parents=True)
        (folder / "conftest.py").write_text("import pytest\n\n@pytest.fixture\ndef here(): return __file__\n")
        (folder / f"test_{name}.py").write_text("def test_it(here): assert here\n")
        rows += f"| {name} | `tests/{name}/test_{name}.py` | |\n"
    done = claims_of(tmp_path, rows)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 of 2 claims hold"), done.stdout


def test_it_succeeds_only_when_every_claim_holds(tmp_path: Path) -> None:
    assert claims_of(tmp_path, "| good | `true` | |\n").returncode == 0
    open_one = claims_of(tmp_path, "| good | `true` | |\n| later | | |\n")
    assert (open_one.returncode, open_one.stdout.splitlines()[-1]) == (1, "1 of 2 claims hold")


def test_the_projects_own_page_can_be_read() -> None:
    assert read(PAGE.read_text(encoding="utf-8"))
