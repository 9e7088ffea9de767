"""What would be published works for somebody who has nothing else; and the program says which step does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.smoke import ROOT, UV, SmokeError, install, run

RUNTIME = ROOT / "vextir_os" / "scaffold" / "requirements.lock"
"""What the OS needs without vendors' SDKs, by hash: in uv's cache after `make setup`."""


def test_sdist_and_wheel_are_built_installed_by_hash_and_run_the_examples_elsewhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/smoke.py", "--offline", "--keep", str(tmp_path), "--requirements", str(RUNTIME)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[1:] == [
        "smoke: installed into an empty environment, all by hash",
        "smoke: vextir runs the examples",
    ]
    assert sorted(path.name.rpartition(".")[2] for path in tmp_path.iterdir()) == ["gz", "whl"]


def test_a_step_that_fails_is_named_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(SmokeError, match=r"^sh -c echo no; exit 3: exit code 3\nno\n$"):
        run(["sh", "-c", "echo no; exit 3"], tmp_path, {"PATH": "/usr/bin:/bin"})


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("idna==3.20", "hash", id="no-hash"),
        pytest.param(f"idna==3.20 --hash=sha256:{'0' * 64}", "hash", id="wrong-hash"),
    ],
)
def test_a_package_that_is_not_the_one_of_the_hash_is_not_installed(tmp_path: Path, line: str, why: str) -> None:
    pinned = next(one for one in RUNTIME.read_text().splitlines() if one.startswith("idna=="))
    (tmp_path / "requirements.txt").write_text(line.replace("idna==3.20", pinned.split()[0]) + "\n")
    wheel = tmp_path / "nothing-1.0-py3-none-any.whl"
    wheel.write_bytes(b"")
    with pytest.raises(SmokeError, match=why):
        install(wheel, tmp_path / "requirements.txt", tmp_path / "there", offline=True)
    assert UV.exists()
