"""Whether environments made of our requirements alone import what is needed: on Azure Functions, and in a new project.

They are kept in `.cache/` and made anew only when the requirements or the Python changed.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCAFFOLD = ROOT / "vextir_os" / "scaffold"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An environment, what it is made of, and what must import there."""

    name: str
    files: Sequence[Path]
    needed: Sequence[str]
    advice: str

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return ROOT / ".cache" / f"{self.name}-env"


ENVIRONMENTS = (
    Environment(
        name="requirements",
        files=[ROOT / "requirements.txt"],
        needed=["azure.functions", "azure.servicebus", "azure.cosmos", "azure.identity", "pydantic", "openai",
                "anthropic", "mcp", "yaml"],
        advice="requirements.txt does not bring what Azure needs. Look at the extras in pyproject.toml",
    ),
    Environment(
        name="project",
        files=[SCAFFOLD / "requirements.lock", SCAFFOLD / "requirements-test.lock"],
        needed=["pydantic", "yaml", "cyclopts", "pytest"],
        advice="the requirements of a new project do not bring what it needs. Run: make requirements",
    ),
)  # fmt: skip


def make(environment: Environment) -> None:
    """Make an environment, unless it is there for these requirements and this Python; one process at a time."""
    environment.folder.parent.mkdir(exist_ok=True)
    with environment.folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _make(environment)


def _make(environment: Environment) -> None:
    stamp = environment.folder / ".made-of"
    digest = hashlib.sha256(sys.version.encode())
    for file in environment.files:
        digest.update(file.read_bytes())
    if stamp.exists() and stamp.read_text(encoding="utf-8") == digest.hexdigest():
        return
    shutil.rmtree(environment.folder, ignore_errors=True)
    uv, python = [str(UV), "--quiet"], str(environment.folder / "bin" / "python")
    folder = str(environment.folder)
    subprocess.run([*uv, "venv", "--no-project", "--python", sys.executable, folder], cwd=ROOT, check=True)
    install = [*uv, "pip", "install", "--require-hashes", "--python", python]
    listed = [option for file in environment.files for option in ("-r", str(file))]
    subprocess.run([*install, *listed], cwd=ROOT, check=True)
    stamp.write_text(digest.hexdigest(), encoding="utf-8")


def imports(environment: Environment) -> bool:
    """Import each package there; the traceback is shown when one is missing."""
    code = "; ".join(f"import {name}" for name in environment.needed)
    done = subprocess.run([environment.folder / "bin" / "python", "-I", "-c", code], cwd=ROOT, check=False)
    return done.returncode == 0


def main() -> int:
    """Make each environment and look at it; 1 when one is not as it must be."""
    failed = 0
    for environment in ENVIRONMENTS:
        make(environment)
        if not imports(environment):
            print(environment.advice)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
