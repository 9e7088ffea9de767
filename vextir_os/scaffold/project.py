"""A new project: what is in it, and what its requirements say. Reads this package, returns files; writes nothing."""

from collections.abc import Mapping

from vextir_os.scaffold.names import check_project
from vextir_os.scaffold.templates import packaged, render
from vextir_os.scaffold.wheel import Wheel

RUN = "requirements.lock"
"""What the OS needs, pinned and hashed, from uv.lock of the release."""

TEST = "requirements-test.lock"
"""What the testing kit needs beside it."""

_HEAD = """\
# The OS, as the wheel in vendor/, and all that it needs: each by version and hash.
# Install from this folder: pip install --require-hashes -r requirements.txt
"""
_TEST_HEAD = """\
# For development: requirements.txt, and what the tests need.
# Install from this folder: pip install --require-hashes -r requirements-dev.txt
-r requirements.txt
"""


def project_files(name: str, wheel: Wheel) -> Mapping[str, bytes]:
    """Return the files of a new project by path.

    Args:
        name: What it is called.
        wheel: The OS that it runs on.

    Raises:
        UsageError: It cannot be called so.
    """
    values = {"name": check_project(name), "wheel": wheel.name, "version": wheel.name.split("-")[1]}
    vendored = f"./vendor/{wheel.name} --hash=sha256:{wheel.sha256}\n"
    return {
        **render("project", values),
        f"vendor/{wheel.name}": wheel.content,
        "requirements.txt": f"{_HEAD}{vendored}{_pins(RUN)}".encode(),
        "requirements-dev.txt": f"{_TEST_HEAD}{_pins(TEST)}".encode(),
    }


def _pins(name: str) -> str:
    """Return a packaged lock without the head that says how it was made here."""
    return "".join(line for line in packaged(name).splitlines(keepends=True) if not line.startswith("#"))
