"""Whether what we would publish works for somebody who has nothing else: sdist, wheel, an empty environment, examples.

    python scripts/smoke.py [--offline] [--keep dist/] [--requirements FILE]

The sdist is built here, the wheel out of the unpacked sdist. Both are installed with the requirements that the sdist
holds, all by hash, and `vextir` runs the examples of the sdist in another folder. `--offline` takes packages from uv's
cache alone, `--keep` leaves sdist and wheel in a folder, `--requirements` names others than those of the sdist.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")
WITHOUT_A_DATE = "1580601600"
"""What hatchling takes for SOURCE_DATE_EPOCH where it is not set, too."""

_LIMIT_S = 600.0
_RAN = re.compile(r"^\d+ events and \d+ that followed: \d+ ok\b", re.MULTILINE)


class SmokeError(Exception):
    """A step that did not go as it has to; the message names it, with what it said."""


def build(sources: Path, kind: str, target: Path) -> Path:
    """Build `sdist` or `wheel` of a source folder, without network; return the file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(target)]
    date = os.environ.get("SOURCE_DATE_EPOCH") or WITHOUT_A_DATE
    run(command, sources, {"PATH": os.defpath, "SOURCE_DATE_EPOCH": date, "LC_ALL": "C.UTF-8"})
    (file,) = target.glob("*.tar.gz" if kind == "sdist" else "*.whl")
    return file


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist and return its one folder."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (inside,) = folder.iterdir()
    return inside


def install(wheel: Path, requirements: Path, folder: Path, *, offline: bool) -> Path:
    """Make an environment of the requirements and the wheel, all by hash; return its Python."""
    environ = os.environ | ({"UV_OFFLINE": "1"} if offline else {})
    listed = folder / "wheel.txt"
    folder.mkdir()
    run([str(UV), "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder / "env")], folder, environ)
    python = folder / "env" / "bin" / "python"
    listed.write_text(f"{wheel} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n", encoding="utf-8")
    pip = [str(UV), "pip", "install", "--quiet", "--no-config", "--require-hashes", "--python", str(python)]
    run([*pip, "-r", str(requirements), "-r", str(listed)], folder, environ)
    run([str(UV), "pip", "check", "--quiet", "--python", str(python)], folder, environ)
    return python


def try_out(python: Path, sources: Path, folder: Path) -> None:
    """Run `vextir` on the examples of an sdist, in a folder from which the repository cannot be reached."""
    for name in ("drivers", "policies", "examples"):
        shutil.copytree(sources / name, folder / name)
    environ = {"PATH": os.defpath, "HOME": str(folder), "LC_ALL": "C.UTF-8", "VEXTIR_PORT": "0"}
    vextir = str(python.with_name("vextir"))
    version = tomllib.loads((sources / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    said = run([vextir, "--version"], folder, environ).strip()
    if said != version:
        raise SmokeError(f"vextir --version said {said!r} instead of {version!r}")
    where = run([str(python), "-c", "import vextir_os, vextir_drivers; print(vextir_os.__file__)"], folder, environ)
    if not Path(where.strip()).is_relative_to(python.parents[1]):
        raise SmokeError(f"vextir_os was imported from {where.strip()}, not from the new environment")
    tree = run([vextir, "dev", "--once", "examples/events"], folder, environ)
    if not _RAN.search(tree):
        raise SmokeError(f"the examples did not run:\n{tree}")
    run([vextir, "doctor"], folder, environ)


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> str:
    """Run a program and return what it said. Raises `SmokeError` when it fails or does not end."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SmokeError(f"{' '.join(command)}: not done after {_LIMIT_S:g} s") from error
    if done.returncode:
        raise SmokeError(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def main(arguments: Sequence[str]) -> int:
    """Build, install, try out; 1 when something of it fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--offline", action="store_true", help="take packages from uv's cache alone")
    parser.add_argument("--keep", type=Path, help="leave sdist and wheel in this folder")
    parser.add_argument("--requirements", type=Path, help="instead of requirements.txt of the sdist")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            sdist = build(ROOT, "sdist", folder / "built")
            sources = unpack(sdist, folder / "sources")
            wheel = build(sources, "wheel", folder / "built")
            say(f"built {sdist.name} and, out of it, {wheel.name}")
            requirements = (options.requirements or sources / "requirements.txt").resolve()
            python = install(wheel, requirements, folder / "installed", offline=options.offline)
            say("installed into an empty environment, all by hash")
            elsewhere = folder / "elsewhere"
            elsewhere.mkdir()
            try_out(python, sources, elsewhere)
            say("vextir runs the examples")
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                for file in (sdist, wheel):
                    shutil.copy(file, options.keep)
    except SmokeError as error:
        say(f"FAILED: {error}")
        return 1
    return 0


def say(line: str) -> None:
    """Print one line, at once."""
    print(f"smoke: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
