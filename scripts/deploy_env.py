"""Whether an environment made of requirements.txt alone can import what the OS needs on Azure Functions.

The environment is kept in `.cache/` and made anew only when requirements.txt or the Python changed.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "requirements.txt"
ENVIRONMENT = ROOT / ".cache" / "requirements-env"
STAMP = ENVIRONMENT / ".made-of"
UV = Path(sys.executable).with_name("uv")
NEEDED = (
    "azure.functions",
    "azure.servicebus",
    "azure.cosmos",
    "azure.identity",
    "pydantic",
    "openai",
    "anthropic",
    "mcp",
    "yaml",
)


def make() -> None:
    """Make the environment, unless it is there for this requirements.txt and this Python."""
    mark = hashlib.sha256(FILE.read_bytes() + sys.version.encode()).hexdigest()
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == mark:
        return
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    uv = [str(UV), "--quiet"]
    subprocess.run([*uv, "venv", "--no-project", "--python", sys.executable, str(ENVIRONMENT)], cwd=ROOT, check=True)
    install = [*uv, "pip", "install", "--require-hashes", "--python", str(ENVIRONMENT / "bin" / "python")]
    subprocess.run([*install, "-r", str(FILE)], cwd=ROOT, check=True)
    STAMP.write_text(mark, encoding="utf-8")


def main() -> int:
    """Import each package there; 1 when one is missing, the traceback above it."""
    make()
    code = "; ".join(f"import {name}" for name in NEEDED)
    done = subprocess.run([ENVIRONMENT / "bin" / "python", "-I", "-c", code], cwd=ROOT, check=False)
    if done.returncode != 0:
        print("an environment of requirements.txt cannot import what Azure needs. Look at the extras in pyproject.toml")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
