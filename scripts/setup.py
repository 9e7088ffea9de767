"""Make `.venv` what uv.lock says: environment, pinned uv, all packages by hash, the project itself editable.

Runs before anything is installed: standard library only. Started by setup.sh, which found a Python that fits.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / ".vextir-setup"
NETWORK = "If pypi.org was not reached, run `make setup` again later: it goes on where it stopped"
INSTALLED_FROM = ("build-system", "project", "dependency-groups")
"""The tables of pyproject.toml that say what is installed; settings of tools change nothing."""


def fingerprint(pyproject: str, lock: str, python: str) -> str:
    """Return a SHA-256 in hex over all that decides what the environment holds."""
    document = tomllib.loads(pyproject)
    tables = {name: document.get(name) for name in INSTALLED_FROM}
    tables["tool"] = {name: document.get("tool", {}).get(name) for name in ("uv", "hatch")}
    return hashlib.sha256(json.dumps([tables, lock, python], sort_keys=True).encode()).hexdigest()


def pinned(lock: str, name: str) -> tuple[str, str]:
    """Return the version of a locked package, and a requirements line for it with all its hashes."""
    packages: list[dict[str, Any]] = tomllib.loads(lock)["package"]
    package = next(package for package in packages if package["name"] == name)
    hashes = [f"--hash={wheel['hash']}" for wheel in package["wheels"]]
    return package["version"], " ".join([f"{name}=={package['version']}", *hashes])


def python_of(venv: Path) -> str | None:
    """Return `3.12` for an environment of Python 3.12; None when there is none or it does not run."""
    show = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([venv / "bin" / "python", "-I", "-c", show], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def make_venv(wanted: str) -> None:
    """Create `.venv`, anew where it holds another Python or is broken."""
    found = python_of(VENV)
    if found == wanted:
        return
    if VENV.exists():
        say(f".venv holds {'Python ' + found if found else 'no Python that runs'}: making it anew")
    say(f"making .venv with Python {wanted} ({sys.executable})")
    run([sys.executable, "-I", "-m", "venv", "--clear", str(VENV)], "Look at the lines above; disk full, or no rights?")


def install_uv(lock: str) -> None:
    """Install the uv that uv.lock names, from PyPI, checked by hash; nothing when it is there already."""
    version, requirement = pinned(lock, "uv")
    uv = VENV / "bin" / "uv"
    if uv.exists():
        shown = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout.split()
        if shown[1:2] == [version]:
            return
    say(f"installing uv {version}")
    listing = VENV / "uv-requirement.txt"
    listing.write_text(requirement + "\n", encoding="utf-8")
    options = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
    pip = [str(VENV / "bin" / "python"), "-I", "-m", "pip", "install", *options, "--require-hashes", "-r", str(listing)]
    run(pip, NETWORK)
    listing.unlink()


def sync() -> None:
    """Install what uv.lock says, the dev group too; leave what else is in the environment."""
    say("installing the packages of uv.lock")
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    command = [
        str(VENV / "bin" / "uv"),
        "sync",
        *quiet,
        "--frozen",
        "--inexact",
        "--python",
        str(VENV / "bin" / "python"),
    ]
    run(command, NETWORK, environment)


def run(command: list[str], advice: str, environment: dict[str, str] | None = None) -> None:
    """Run a command in the project; end with advice when it fails."""
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"setup: failed (exit code {done.returncode}): {' '.join(command)}\n{advice}.")


def say(line: str) -> None:
    """Print one line of progress, at once."""
    print(f"setup: {line}", file=sys.stderr, flush=True)


def main() -> None:
    """Bring `.venv` up to date; instant and offline when nothing changed that it depends on."""
    started = time.monotonic()
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    wanted = f"{sys.version_info.major}.{sys.version_info.minor}"
    mark = fingerprint((ROOT / "pyproject.toml").read_text(encoding="utf-8"), lock, wanted)
    if STAMP.exists() and STAMP.read_text(encoding="utf-8").strip() == mark and python_of(VENV) == wanted:
        STAMP.touch()
        return
    make_venv(wanted)
    install_uv(lock)
    sync()
    STAMP.write_text(mark + "\n", encoding="utf-8")
    say(f"ready in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
