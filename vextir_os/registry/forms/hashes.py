"""Hashes of single files that declare drivers, the same on every system."""

import hashlib
from pathlib import Path


def file_hash(path: Path) -> str:
    """Return `sha256:` + hex over a text file; its line ends count as `\\n`, whatever a checkout made of them."""
    content = path.read_bytes().replace(b"\r\n", b"\n")
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
